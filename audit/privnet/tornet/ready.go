// When a network is usable: the consensus names every relay, and every relay has the descriptors
// of all others. Before that, some clients would hang for 10 s.

package tornet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

const (
	poll     = 50 * time.Millisecond
	filledIn = 40 * time.Second // for the descriptors
	nudge    = time.Second
)

// A pace is how fast a network is begun.
type pace struct {
	period time.Duration // of the first votes: a divisor of half an hour
	slack  time.Duration // after the start of a period, in which processes may be started
}

// paces are those of one attempt after the other: on a busy machine relays need more time to make
// themselves known. The first leaves them 4 s until the vote.
var paces = [...]pace{{10 * time.Second, 2 * time.Second}, {10 * time.Second, 0},
	{20 * time.Second, 2 * time.Second}, {30 * time.Second, 2 * time.Second}}

var (
	errPartial = errors.New("the first consensus came without some relays")
	errLate    = errors.New("not usable in time")
)

// untilVote says how long to wait before the processes are started. The authority votes 4 s before
// the end of a period, with the relays that have made themselves known by then; on an idle machine
// that takes them 2 s. Started in the last 6 s of a period it would vote after 1 s, alone.
func (p pace) untilVote(now time.Time) time.Duration {
	phase := now.Sub(now.Truncate(p.period))
	if phase < p.slack {
		return 0
	}
	return p.period - phase
}

// awaitVote waits for the part of a voting period in which a start is safe.
func (p pace) awaitVote(ctx context.Context) error {
	t := time.NewTimer(p.untilVote(time.Now()))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// awaitUsable returns when clients can use the network.
func (n *Network) awaitUsable(ctx context.Context) error {
	// For the first consensus; a relay that comes later would have to wait 300 s.
	if err := n.await(ctx, 2*n.pace.period, n.consensusWhole); err != nil {
		return err
	}
	n.say("the first consensus is out and names every relay")
	// A reload makes a relay fetch now; left alone it would try again after a random pause.
	var last time.Time
	err := n.await(ctx, filledIn, func() (bool, error) {
		lacking := n.lacking()
		if time.Since(last) > nudge {
			last = time.Now()
			for _, p := range lacking {
				p.reload()
			}
		}
		return len(lacking) == 0, nil
	})
	if err == nil {
		n.say("every relay knows every other: the network is usable")
	}
	return err
}

// await polls until done says so, a process dies, or the time is over.
func (n *Network) await(ctx context.Context, limit time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errLate)
	defer cancel()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		for _, p := range n.procs {
			if p.dead() {
				return fmt.Errorf("%s ended: %s", p.name, p.complain())
			}
		}
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// consensusWhole reports whether the authority has a consensus of all processes. A partial one is
// final for minutes, and an error.
func (n *Network) consensusWhole() (bool, error) {
	// Compression must be off: a transport that unpacks silently has miscounted.
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, DisableCompression: true}}
	url := "http://" + at(authorityIP, n.base+1) +
		"/tor/status-vote/current/consensus-microdesc"
	r, err := client.Get(url)
	if err != nil {
		return false, nil // not listening yet
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if r.StatusCode != http.StatusOK || err != nil {
		return false, nil
	}
	if bytes.Count(b, []byte("\nr ")) < len(n.procs) {
		return false, errPartial
	}
	return true, nil
}

// lacking returns the processes that do not have all microdescriptors yet.
func (n *Network) lacking() []*process {
	var lacking []*process
	for _, p := range n.procs {
		have := 0
		for _, file := range []string{"cached-microdescs", "cached-microdescs.new"} {
			b, _ := os.ReadFile(filepath.Join(p.dir, file))
			have += bytes.Count(b, []byte("onion-key\n"))
		}
		if have < len(n.procs) {
			lacking = append(lacking, p)
		}
	}
	return lacking
}
