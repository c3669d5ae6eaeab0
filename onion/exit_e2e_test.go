//go:build e2e

// What leaves a private network, who asks for names, and who may not.

package onion_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nightjar/onion"
	"nightjar/onion/socks"
)

// leavingTor starts a tor whose streams may leave the network.
func leavingTor(t *testing.T) *onion.Tor {
	t.Helper()
	dir, err := os.MkdirTemp("", "nj")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tor, err := onion.StartTor(ctx, onion.TorConfig{Dir: dir, Options: network.Torrc(),
		Exits: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tor.Close(); os.RemoveAll(dir) })
	return tor
}

// outside is a host that says back what it hears.
func outside(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); io.Copy(c, c) }()
		}
	}()
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

// leave dials a host, again while the network has no circuit for it.
func leave(t *testing.T, tor *onion.Tor, host string, port uint16, iso onion.Isolation) net.Conn {
	t.Helper()
	for try := 1; ; try++ {
		c, err := tor.DialHost(t.Context(), host, port, iso)
		if err == nil {
			return c
		}
		if try == 10 {
			t.Fatal(err)
		}
		<-time.After(500 * time.Millisecond)
	}
}

// resolver is a name service of this machine, which counts who asks it.
func resolver(t *testing.T) (*net.Resolver, *atomic.Int32) {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := new(atomic.Int32)
	done := make(chan struct{})
	t.Cleanup(func() { c.Close(); <-done })
	go func() {
		defer close(done)
		for b := make([]byte, 1500); ; asked.Add(1) {
			if _, _, err := c.ReadFrom(b); err != nil {
				return
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (
		net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp4", c.LocalAddr().String())
	}}, asked
}

func TestNamesAreAskedForAtTheExit(t *testing.T) {
	local, asked := resolver(t)
	was := net.DefaultResolver
	net.DefaultResolver = local
	defer func() { net.DefaultResolver = was }()
	tor, port := leavingTor(t), outside(t)
	begun := time.Now()
	c := leave(t, tor, "relay.example", port, "")
	defer c.Close()
	exchange(t, c)
	t.Logf("out after %v", time.Since(begun).Round(time.Millisecond))
	if !slices.Contains(network.Asked(), "relay.example") {
		t.Errorf("the exit asked for %q", network.Asked())
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("this machine asked for %d names", n)
	}
	// The naive path looks the name up and asks tor for its address.
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, _ = net.DefaultResolver.LookupHost(ctx, "naive.example")
	if asked.Load() == 0 || slices.Contains(network.Asked(), "naive.example") {
		t.Error("a name that is looked up here is not seen: this test proves nothing")
	}
}

func TestEachStreamOutIsOnACircuitOfItsOwn(t *testing.T) {
	tor, port := leavingTor(t), outside(t)
	circuits := func(iso ...onion.Isolation) int {
		used := map[string]bool{}
		for _, i := range iso {
			c := leave(t, tor, "relay.example", port, i)
			defer c.Close()
			exchange(t, c)
		}
		streams, err := tor.Info("stream-status")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(streams) {
			if f := strings.Fields(line); len(f) > 3 && f[1] == "SUCCEEDED" {
				used[f[2]] = true
			}
		}
		return len(used)
	}
	if n := circuits("", "", ""); n != 3 {
		t.Errorf("three streams used %d circuits", n)
	}
	if n := circuits("same", "same", "same"); n != 1 {
		t.Errorf("one isolation used %d circuits: this test proves nothing", n)
	}
}

// Each socket does its own part: one never leaves the network, the other never enters a service.
func TestSocketsOfTorDoNotStandInForEachOther(t *testing.T) {
	tor, plain, port := leavingTor(t), startTor(t, nil), outside(t)
	ask := func(tor *onion.Tor, exit bool, host string) error {
		name := tor.Socks()
		if exit {
			name = strings.TrimSuffix(name, "socks") + "exit"
		}
		c, err := socks.Dial(t.Context(), func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", name)
		}, socks.Login{User: "u", Password: "p"}, host, port)
		if err == nil {
			c.Close()
		}
		return err
	}
	c := leave(t, tor, "relay.example", port, "") // the network has an exit by now
	defer c.Close()
	there := startTor(t, nil)
	service := echo(t, there, onion.Service{})
	for what, err := range map[string]error{
		"the socket of services, a name":    ask(tor, false, "relay.example"),
		"the socket of services, a number":  ask(tor, false, "127.0.0.1"),
		"the socket of exits, a service":    ask(tor, true, service.ID()+".onion"),
		"a tor that was not told, a name":   ask(plain, false, "relay.example"),
		"a tor that was not told, no exits": ask(plain, true, "relay.example"),
	} {
		if err == nil {
			t.Errorf("%s: a stream", what)
		}
	}
	if err := ask(tor, true, "relay.example"); err != nil {
		t.Errorf("the socket of exits, a name: %v: this test proves nothing", err)
	}
	if _, err := plain.DialHost(t.Context(), "relay.example", port, ""); !errors.Is(err,
		onion.ErrNoExits) {
		t.Errorf("a tor that was not told dials %v", err)
	}
}
