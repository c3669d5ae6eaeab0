// The chosen way out, opened; and what the engine says while it is.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"nightjar/node"
	"nightjar/onion"
	"nightjar/onion/exposure"
	"nightjar/onion/native"
	"nightjar/onion/torproc"
	"nightjar/onion/ways"
	"nightjar/onion/wgconf"
)

// openWay opens the way out that was chosen, or none.
func (c console) openWay(ctx context.Context, f torFlags, r route, s *session,
	changed func(torproc.Notice)) (w *ways.Way, err error) {
	config, err := c.wayConfig(ctx, r)
	defer clear(config.File)
	if err != nil {
		return nil, err
	}
	if r.Way == exposure.Tor || r.Way == exposure.TorOverVPN {
		err = c.withTor(f, s, changed, func(t onion.TorConfig) (err error) {
			config.Tor = t
			if w, err = ways.Open(ctx, r.Choice, config); err != nil && r.Way != exposure.Tor {
				err = wayError{err}
			}
			return err
		})
		return w, err
	}
	how := "opening the way out: " + r.Way.String()
	s.door.Starting(how)
	start := time.Now()
	c.step(start, how)
	if w, err = ways.Open(ctx, r.Choice, config); err != nil {
		return nil, wayError{err}
	}
	c.step(start, "it is open")
	return w, nil
}

// wayConfig is what a way needs: its file, its password, and whoever opens its sockets.
func (c console) wayConfig(ctx context.Context, r route) (config ways.Config, err error) {
	switch r.Way {
	case exposure.VPN, exposure.TorOverVPN:
		if config.File, err = readFile(r.Of, wgconf.MaxFile); err != nil {
			return config, err
		}
	case exposure.SOCKS:
		if config.User = *r.user; config.User != "" {
			config.Password, err = c.proxyPassword(ctx, *r.password)
		}
	}
	if c.ward != nil {
		config.Socket, config.Outlet = c.ward.Socket, c.ward.Outlet
		config.Native = func() ways.Carrier { return c.ward.Native() }
	}
	return config, err
}

// proxyPassword reads the password of a proxy: the first line of a file, or what is typed.
func (c console) proxyPassword(ctx context.Context, file string) (string, error) {
	if file != "" {
		b, err := readFile(file, maxWord)
		defer clear(b)
		line, _, _ := strings.Cut(string(b), "\n")
		return strings.TrimSuffix(line, "\r"), err
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil || !term.IsTerminal(int(tty.Fd())) {
		return "", errNoTerminal
	}
	defer tty.Close()
	calm := calmOnSignal(ctx, int(tty.Fd()), func() {})
	defer calm()
	fmt.Fprint(tty, "password of the proxy: ")
	b, err := term.ReadPassword(int(tty.Fd()))
	defer clear(b)
	fmt.Fprintln(tty)
	return string(b), err
}

// A pathError is an identity that has gone out by one kind of way, and is to go by another.
type pathError struct {
	was, now string
	unknown  bool // how it went out is not known: tor hides more than the others do
}

// Error says what the other way shows, and to whom.
func (e *pathError) Error() string {
	var b strings.Builder
	was := "this identity goes out by " + e.was
	if e.unknown {
		was = "nothing here knows how this identity went out before, so that " + e.was + " counts"
	}
	fmt.Fprintf(&b, "%s; by %s others learn other things:", was, e.now)
	for _, way := range exposure.All() {
		if way.String() != e.now {
			continue
		}
		for _, x := range exposure.Of(way) {
			fmt.Fprintf(&b, "\n  %s would learn %s", x.Who, x.Learns)
		}
	}
	return b.String()
}

// errPath is what every pathError is, for hints.
var errPath = errors.New("this identity goes out by another path")

// Is makes a pathError an errPath.
func (e *pathError) Is(target error) bool { return target == errPath }

// checkPath refuses another kind of way than the identity went out by, unless that was asked for.
func (s *session) checkPath(r route) error {
	was := wentBy(s.memory.Way, s.memory.PathData)
	unknown := was == "" && !s.fresh
	if unknown {
		was = exposure.Tor.String()
	}
	if was == "" || was == r.Way.String() || r.change != nil && *r.change {
		return nil
	}
	return &pathError{was, r.Way.String(), unknown}
}

// wentBy is the kind of way an identity went out by, from what it remembers: "" if by none yet.
func wentBy(way string, guards []byte) string {
	if way == "" && len(guards) > 0 {
		return exposure.Tor.String() // it went out when there was no other
	}
	return way
}

// keepPath remembers by which kind of way the identity goes out. Nothing has been sent for it yet.
func (s *session) keepPath(r route) error {
	if s.memory.Way == r.Way.String() {
		return nil
	}
	return node.KeepWay(s.id, r.Way.String())
}

// goes is checkPath and keepPath for what has no other moment for them.
func (s *session) goes(r route) error {
	if err := s.checkPath(r); err != nil {
		return err
	}
	return s.keepPath(r)
}

// pathWords is the path for people.
func pathWords(path string) string {
	if path == exposure.Direct.String() {
		return path + ": NOTHING HIDES YOU"
	}
	return path
}

// notHidden is what direct means.
const notHidden = "YOU ARE NOT HIDDEN: every contact, the DHT and your network learn this " +
	"machine's address, and so about where you are, and when you are there"

// wayWarnings says in words what is wrong with a way now, and what it does not hide.
func wayWarnings(w *ways.Way) (out []string) {
	if w.Choice.Way == exposure.Direct {
		out = append(out, notHidden)
	}
	if err := w.Trouble(); err != nil {
		out = append(out, "the way out carries nothing now ("+troubleWords(err)+
			"): it is tried again, and nothing is sent by another way")
	}
	if w.Tor != nil {
		out = append(out, w.Tor.Limits()...)
		if w.Tor.Health().Silent {
			out = append(out, "nothing comes from the network: tor is trying again")
		}
	}
	return out
}

// troubleWords are few, and hold no address: the rooms below see to that.
func troubleWords(err error) string {
	var named *onion.Error
	if errors.As(err, &named) {
		return named.Err.Error()
	}
	return err.Error()
}

// watchNetwork has what was opened before used no more when this machine has another network.
func (e *engine) watchNetwork(ctx context.Context) {
	if e.ward == nil {
		if e.way.Choice.Way != exposure.Tor {
			native.Watch(ctx, e.moved)
		}
		return
	}
	for {
		select {
		case <-e.ward.Moved():
			e.moved()
		case <-ctx.Done():
			return
		}
	}
}

func (e *engine) moved() {
	e.step(e.start, "this machine has another network; looking for the contacts")
	e.way.Moved()
	e.node.Moved()
	e.node.Check()
}
