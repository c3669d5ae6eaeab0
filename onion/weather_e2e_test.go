//go:build e2e && linux

// Networks that block, break and come back.

package onion_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nightjar/onion"
	"nightjar/onion/bridge"
	"nightjar/onion/torproc"
)

const reset = "reject with tcp reset"

// A diary is what a tor said while it started and ran.
type diary struct {
	mu       sync.Mutex
	steps    []onion.Progress
	noticed  []torproc.Notice
	noticeAt map[torproc.Notice]time.Time
}

func (d *diary) step(p onion.Progress) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.steps = append(d.steps, p)
}

func (d *diary) notice(n torproc.Notice) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.noticed = append(d.noticed, n)
	if d.noticeAt == nil {
		d.noticeAt = map[torproc.Notice]time.Time{}
	}
	d.noticeAt[n] = time.Now()
}

// when waits for a notice, and returns when it came.
func (d *diary) when(t *testing.T, n torproc.Notice) time.Time {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(2 * time.Minute); ; {
		d.mu.Lock()
		at, ok := d.noticeAt[n]
		d.mu.Unlock()
		if ok {
			return at
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("nobody was told %q", n)
		}
	}
}

func (d *diary) troubles() (all []error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.steps {
		if p.Trouble != nil {
			all = append(all, p.Trouble)
		}
	}
	return all
}

// startMarked starts a tor that the tests can cut off.
func startMarked(t *testing.T, c onion.TorConfig, d *diary, limit time.Duration) (
	*onion.Tor, error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "nj")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if os.Remove(dir) != nil {
			t.Error("files are left")
		}
	})
	if c.Exe == "" {
		c.Exe = markedTor(t)
	}
	c.Dir, c.Options, c.Progress, c.Changed = dir, network.Torrc(), d.step, d.notice
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tor, err := onion.StartTor(ctx, c)
	if err == nil {
		t.Cleanup(func() { tor.Close() })
	}
	return tor, err
}

// bridgeLine is the line of the network's bridge, and that of one which is not there.
func bridgeLines() (works, dead string) {
	for _, line := range network.BridgeTorrc() {
		if l, ok := strings.CutPrefix(line, "Bridge "); ok {
			works = l
		}
	}
	f := strings.Fields(works)
	f[1] = "127.0.0.1:9"
	return works, strings.Join(f, " ")
}

func TestBlockedNetworkIsSaid(t *testing.T) {
	for how, want := range map[string]error{reset: torproc.ErrBlocked,
		"reject with icmp type net-unreachable": torproc.ErrNoNetwork} {
		unblock := block(t, every, how)
		var d diary
		_, err := startMarked(t, onion.TorConfig{}, &d, 14*time.Second)
		t.Logf("%s: %v", how, err)
		if !errors.Is(err, onion.ErrNotBootstrapped) || !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", how, err, want)
		}
		if got := d.troubles(); !slices.Contains(got, want) {
			t.Errorf("%s: while waiting: %v", how, got)
		}
		unblock()
	}
	var d diary
	if _, err := startMarked(t, onion.TorConfig{}, &d, time.Minute); err != nil {
		t.Errorf("unblocked: %v: this test proves nothing", err)
	}
}

func TestWrongClockIsSaid(t *testing.T) {
	exe := wrapped(t, `lib=$(echo /usr/lib/*/faketime/libfaketime.so.1)
test -e "$lib" || exit 7
export LD_PRELOAD="$lib" FAKETIME="$(cat "$0.skew")"
exec "$tor" "$@"`)
	for _, skew := range []string{"-30d", "+3h"} {
		if err := os.WriteFile(exe+".skew", []byte(skew), 0o600); err != nil {
			t.Fatal(err)
		}
		var d diary
		_, err := startMarked(t, onion.TorConfig{Exe: exe}, &d, 20*time.Second)
		t.Logf("%s: %v", skew, err)
		if errors.Is(err, onion.ErrTorDied) {
			t.Fatal("Debian's package faketime is missing")
		}
		// A clock that is some hours ahead is told while tor starts, and tor gets in.
		if !errors.Is(err, torproc.ErrClock) && !slices.Contains(d.troubles(), torproc.ErrClock) {
			t.Errorf("%s: %v; steps %v", skew, err, d.steps)
		}
	}
	if err := os.WriteFile(exe+".skew", []byte("+0d"), 0o600); err != nil {
		t.Fatal(err)
	}
	var d diary
	if _, err := startMarked(t, onion.TorConfig{Exe: exe}, &d, time.Minute); err != nil {
		t.Errorf("with a right clock: %v: this test proves nothing", err)
	}
}

func TestBridgeThatWorksIsFoundAndComesFirstNextTime(t *testing.T) {
	works, dead := bridgeLines()
	unblock := block(t, listed, reset)
	var d diary
	begun := time.Now()
	tor, err := startMarked(t, onion.TorConfig{Ways: bridge.Order([]string{dead, works}, "", false),
		Patience: 6 * time.Second}, &d, 90*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("plain blocked, one bridge dead: in after %v", time.Since(begun).Round(time.Millisecond))
	if tor.Way() != works {
		t.Errorf("the way that worked is not told")
	}
	var kinds []string
	for _, s := range d.steps {
		if len(kinds) == 0 || kinds[len(kinds)-1] != s.Bridge {
			kinds = append(kinds, s.Bridge)
		}
	}
	if !slices.Equal(kinds, []string{"", "obfs4"}) {
		t.Errorf("ways in their order: %q", kinds)
	}
	there := startTor(t, nil)
	c := dial(t, tor, onion.Remote{ID: echo(t, there, onion.Service{}).ID(), Port: 7}, "")
	exchange(t, c)
	c.Close()
	tor.Close()

	var again diary
	begun = time.Now()
	next := bridge.Order([]string{dead, works}, tor.Way(), false)
	tor, err = startMarked(t, onion.TorConfig{Ways: next}, &again, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("next time: in after %v", time.Since(begun).Round(time.Millisecond))
	if len(again.troubles()) > 0 || again.steps[0].Bridge != "obfs4" {
		t.Errorf("next time: %v, first %+v", again.troubles(), again.steps[0])
	}
	tor.Close()
	// The naive user knows no bridge, and stays outside.
	var naive diary
	if _, err = startMarked(t, onion.TorConfig{}, &naive, 5*time.Second); err == nil {
		t.Error("the network is not blocked: this test proves nothing")
	}
	unblock()
}

func TestLostNetworkIsNoticedAndComesBack(t *testing.T) {
	there := startTor(t, nil)
	far := onion.Remote{ID: echo(t, there, onion.Service{}).ID(), Port: 7}
	for _, how := range []string{reset, "drop"} {
		var d diary
		here, err := startMarked(t, onion.TorConfig{Keep: true}, &d, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		mine := onion.Remote{ID: echo(t, here, onion.Service{}).ID(), Port: 7}
		back(t, here, far)
		unblock := block(t, every, how)
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		c, err := here.Dial(ctx, far, "") // somebody wants something
		cancel()
		if err == nil {
			c.Close()
			t.Error("the network is not lost: this test proves nothing")
		}
		noticed := d.when(t, torproc.Silent).Sub(begun)
		t.Logf("%s: noticed after %v", how, noticed.Round(time.Millisecond))
		unblock()
		begun = time.Now()
		t.Logf("%s: dialled again %v after it was back", how, back(t, here, far))
		back(t, there, mine)
		t.Logf("%s: reached again %v after", how, time.Since(begun).Round(time.Millisecond))
		if d := time.Since(begun); d > 25*time.Second {
			t.Errorf("%s: it took %v", how, d)
		}
		here.Close()
	}
}
