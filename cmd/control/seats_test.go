// Several engines in one home: who gets which seat, and which one a command means.

package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"nightjar/cmd/control/api"
)

// sit claims a seat and serves a door on it until the test ends.
func sit(t *testing.T, dir string) *Door {
	t.Helper()
	l, err := Claim(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := NewDoor(func() {}, func() {})
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { _ = Serve(ctx, l, d) })
	t.Cleanup(func() { cancel(); serving.Wait() })
	return d
}

func TestEachEngineHasASeatAndSixteenAreAll(t *testing.T) {
	dir := t.TempDir()
	var open []net.Listener
	for range Seats {
		l, err := Claim(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, l)
	}
	if _, err := Claim(dir, nil); !errors.Is(err, ErrSeats) {
		t.Errorf("the seventeenth: %v", err)
	}
	for _, l := range open {
		_ = l.Close()
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%d files are left, err %v", len(left), err)
	}
}

func TestSocketsOfKilledEnginesDoNotTellHowManyThereWere(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		l, err := net.Listen("unix", seat(dir, i))
		if err != nil {
			t.Fatal(err)
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false) // as a kill does
		_ = l.Close()
	}
	sit(t, dir)
	left, err := filepath.Glob(filepath.Join(dir, "control*"))
	if err != nil || len(left) != 1 {
		t.Errorf("%d sockets are left, err %v", len(left), err)
	}
}

func TestEngineThatCannotBeAskedKeepsItsSeatAndItsIdentity(t *testing.T) {
	dir := t.TempDir()
	if err := sit(t, dir).Introduce(t.Context(), api.Identity{Address: "same"}, dir,
		nil); err != nil {
		t.Fatal(err)
	}
	full := Dial(func(string) (net.Conn, error) { return nil, syscall.EMFILE })
	l, err := Claim(dir, full)
	if !errors.Is(err, ErrSeats) {
		t.Errorf("a seat was given without asking who sits there: %v", err)
	}
	if l != nil {
		_ = l.Close()
	}
	again := sit(t, dir)
	if err := again.Introduce(t.Context(), api.Identity{Address: "same"}, dir,
		full); !errors.Is(err, ErrSilent) {
		t.Errorf("nobody could be asked, and it opened: %v", err)
	}
	if len(Running(t.Context(), dir)) != 2 {
		t.Error("an engine lost its socket")
	}
}

func TestOneIdentityOpensOnceHoweverManyTryAtTheSameMoment(t *testing.T) {
	dir := t.TempDir()
	const many = 4
	doors := make([]*Door, many)
	for i := range doors {
		doors[i] = sit(t, dir)
	}
	results := make(chan error, many)
	for _, d := range doors {
		go func() { results <- d.Introduce(t.Context(), api.Identity{Address: "same"}, dir, nil) }()
	}
	passed := 0
	for range doors {
		switch err := <-results; {
		case err == nil:
			passed++
		case !errors.Is(err, ErrTaken):
			t.Error(err)
		}
	}
	if passed != 1 {
		t.Errorf("%d of %d passed", passed, many)
	}
}

func TestCommandGoesToTheIdentityThatIsNamedOrToTheOnlyOne(t *testing.T) {
	engaged := func(address, name string, r api.Role) Engaged {
		return Engaged{Client: &Client{},
			Identity: api.Identity{Address: address, Name: name, Role: r}}
	}
	desk := engaged("aaaa1", "desk", api.RoleEngine)
	mole := engaged("aaaa2", "mole", api.RoleEngine)
	lends := engaged("bbbb1", "", api.RoleGateway)
	waits := Engaged{Client: &Client{}}
	for _, c := range []struct {
		list []Engaged
		as   string
		want *Client
		err  error
	}{
		{nil, "", nil, ErrNoEngine},
		{nil, "desk", nil, ErrNoEngine},
		{[]Engaged{desk}, "", desk.Client, nil},
		{[]Engaged{desk, lends, waits}, "", desk.Client, nil},
		{[]Engaged{desk, mole}, "", nil, ErrAmbiguous},
		{[]Engaged{desk, mole}, "mole", mole.Client, nil},
		{[]Engaged{desk, mole}, "aaaa2", mole.Client, nil},
		{[]Engaged{desk, mole}, "aaaa", nil, ErrAmbiguous},
		{[]Engaged{desk, mole}, "cc", nil, ErrNotOpen},
		{[]Engaged{lends}, "", lends.Client, nil},
		{[]Engaged{waits}, "", waits.Client, nil},
		{[]Engaged{desk, lends}, "bbbb", lends.Client, nil},
	} {
		t.Run(fmt.Sprintf("%d open, as %q", len(c.list), c.as), func(t *testing.T) {
			if got, err := Choose(c.list, c.as); got != c.want || !errors.Is(err, c.err) {
				t.Errorf("chose %p, err %v", got, err)
			}
		})
	}
}

func TestEngineThatWaitsForItsPasswordIsListedWithoutAName(t *testing.T) {
	dir := t.TempDir()
	sit(t, dir)
	if err := sit(t, dir).Introduce(t.Context(), api.Identity{Address: "a", Role: api.RoleEngine},
		dir, nil); err != nil {
		t.Fatal(err)
	}
	list := Running(t.Context(), dir)
	if len(list) != 2 || list[0].Address != "" || list[1].Address != "a" {
		t.Errorf("%d run", len(list))
	}
}
