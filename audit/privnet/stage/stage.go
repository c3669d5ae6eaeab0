// Package stage sets up everything a play of the whole program needs: a private tor network, a
// private DHT, a gateway, and parties that each run the real program with a vault of their own.
//
// It is used by the demonstration and by the tests of the whole program. A party acts only through
// the program's own commands; the stage knows nothing of the rooms behind them.
package stage

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"nightjar/audit/privnet/swarm"
	"nightjar/audit/privnet/tornet"
)

// Options say what stage to set up.
type Options struct {
	Bin    string                 // the program
	Dir    string                 // a directory for everything
	Nodes  int                    // of the DHT; 0 means 40
	Exit   bool                   // also an exit of tor, to loopback alone
	Bridge bool                   // also a bridge, for those who enter by it alone
	System []string               // arguments of up by which parties use a tor that runs already
	Tell   func(who, line string) // called for each line of progress; may be nil
}

// Stage is a running pair of private networks. End it with Stop.
type Stage struct {
	Tor *tornet.Network // nil if parties use a tor that runs already
	DHT *swarm.Swarm
	o   Options
}

// Start runs both networks and returns when they can be used. Of those of Options.System only the
// DHT is private.
func Start(ctx context.Context, o Options) (*Stage, error) {
	if o.Tell == nil {
		o.Tell = func(string, string) {}
	}
	if o.Nodes == 0 {
		o.Nodes = 40
	}
	s := &Stage{o: o}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		if len(o.System) > 0 {
			return nil
		}
		s.Tor, err = tornet.Start(ctx, tornet.Options{Dir: o.Dir, Bridge: o.Bridge, Exit: o.Exit,
			Progress: func(step string, _ time.Duration) { o.Tell("tor", step) }})
		return err
	})
	g.Go(func() (err error) {
		if s.DHT, err = swarm.Start(ctx, swarm.Options{Nodes: o.Nodes}); err == nil {
			o.Tell("dht", "the nodes know each other")
		}
		return err
	})
	if err := g.Wait(); err != nil {
		s.Stop()
		return nil, err
	}
	lines := ""
	if s.Tor != nil {
		lines = strings.Join(s.Tor.Torrc(), "\n") + "\n"
	}
	if err := os.WriteFile(s.Torrc(), []byte(lines), 0o600); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// With is the same stage for parties that run another build of the program, in a directory of their
// own. Stop ends both.
func (s *Stage) With(bin, dir string) (*Stage, error) {
	other := *s
	other.o.Bin, other.o.Dir = bin, dir
	lines, err := os.ReadFile(s.Torrc())
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = os.WriteFile(other.Torrc(), lines, 0o600)
	}
	return &other, err
}

// Torrc is the file with the options a party's tor needs.
func (s *Stage) Torrc() string { return filepath.Join(s.o.Dir, "torrc") }

// By are the arguments by which a party's engine comes to its tor.
func (s *Stage) By() []string {
	if len(s.o.System) > 0 {
		return slices.Clone(s.o.System)
	}
	return []string{"--torrc", s.Torrc()}
}

// Stop ends both networks.
func (s *Stage) Stop() {
	if s.DHT != nil {
		s.DHT.Stop()
	}
	if s.Tor != nil {
		_ = s.Tor.Stop()
	}
}

// Up starts the engine of a party, reachable for a phone at sip ("" for none), and waits until its
// onion service is published.
func (s *Stage) Up(ctx context.Context, p *Party, sip string) error {
	args := append([]string{"up", "--now"}, s.By()...)
	if sip == "" {
		args = append(args, "--no-phone")
	} else {
		args = append(args, "--sip", sip)
	}
	args = append(args, p.mode...)
	if err := p.Start(ctx, args...); err != nil {
		return err
	}
	return p.Reachable(ctx)
}

// Reachable waits until the onion service of a party is published.
func (p *Party) Reachable(ctx context.Context) error {
	return p.Wait(ctx, "its onion service to be published", func() (bool, error) {
		var status struct {
			Reachable bool `json:"reachable"`
		}
		err := p.Run(ctx, &status, "status")
		return status.Reachable, err
	})
}

// Lend starts a gateway at a party and returns the line others use it by. Its datagrams leave from
// the address from.
func (s *Stage) Lend(ctx context.Context, p *Party, from string, more ...string) (string, error) {
	args := append(append([]string{"gateway"}, s.By()...), "--allow-private-addresses",
		"--listen", from+":0")
	for _, a := range s.DHT.Addrs()[:8] {
		args = append(args, "--node", a.String())
	}
	if err := p.Start(ctx, append(args, more...)...); err != nil {
		return "", err
	}
	for {
		select {
		case line, open := <-p.out:
			if !open {
				return "", errors.New("the gateway ended: " + p.Log(3))
			}
			if strings.HasPrefix(line, "nightjar-gateway:") {
				return line, nil
			}
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}
