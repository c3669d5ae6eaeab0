//go:build e2e

// A tor that leaves through the VPN, into a private Tor network that is only there.

package ways_test

import (
	"context"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"nightjar/audit/privnet/lab"
	"nightjar/audit/privnet/tornet"
	"nightjar/onion"
	"nightjar/onion/ways"
)

// farBridge starts a Tor network outside the lab, and a way to its bridge at the lab's far host. It
// returns the lines with which a client enters there.
func farBridge(l *lab.Lab) []string {
	ctx, cancel := context.WithTimeout(l.T.Context(), 3*time.Minute)
	defer cancel()
	network, err := tornet.Start(ctx, tornet.Options{Bridge: true})
	if err != nil {
		l.T.Fatal(err)
	}
	l.T.Cleanup(func() { network.Stop() })
	door := l.Listen(lab.Far + ":0")
	lines := network.BridgeTorrc()
	last := strings.Fields(lines[len(lines)-1]) // Bridge obfs4 ADDRESS ...
	go forward(door, last[2])
	last[2] = door.Addr().String()
	lines[len(lines)-1] = strings.Join(last, " ")
	return lines
}

// forward leads every stream to another listener on this machine.
func forward(door net.Listener, to string) {
	for {
		near, err := door.Accept()
		if err != nil {
			return
		}
		go func() {
			defer near.Close()
			far, err := net.Dial("tcp", to)
			if err != nil {
				return
			}
			defer far.Close()
			go func() {
				io.Copy(far, near)
				far.Close()
			}()
			io.Copy(near, far)
		}()
	}
}

func TestTorLeavesThroughTheVPNOrNowhere(t *testing.T) {
	lab.Run(t, farBridge, func(l *lab.Lab) {
		file, kill := l.WireGuard()
		watch := l.Watch(vpnRule)
		dir, err := os.MkdirTemp("", "nj")
		if err != nil {
			l.T.Fatal(err)
		}
		defer os.Remove(dir)
		begun := time.Now()
		w := open(l.T, "tor-over-vpn:file", ways.Config{File: file,
			Tor: onion.TorConfig{Dir: dir, Options: l.Args}})
		l.T.Logf("tor is there after %v", time.Since(begun).Round(time.Millisecond))
		service, err := w.Tor.Publish(l.T.Context(), onion.Service{Port: 7, Seed: [32]byte{7}})
		if err != nil {
			l.T.Fatal(err)
		}
		go func() {
			for {
				c, err := service.Accept()
				if err != nil {
					return
				}
				go io.Copy(c, c)
			}
		}()
		<-service.Published()
		to := onion.Remote{ID: service.ID(), Port: 7}
		l.Await(30*time.Second, "the service is reached", func() bool {
			return reaches(l.T, w.Tor, to)
		})
		kill()
		ctx, cancel := context.WithTimeout(l.T.Context(), 3*time.Second)
		defer cancel()
		if c, err := w.Tor.Dial(ctx, to, ""); err == nil {
			c.Close()
			l.T.Error("a stream opens through nothing")
		}
		clean(l.T, watch, only(17, 51820))
		if err := w.Close(); err != nil {
			l.T.Error(err)
		}
		before := watch.Counted().Stray
		ctx, cancel = context.WithTimeout(l.T.Context(), 10*time.Second)
		defer cancel()
		if tor, err := onion.StartTor(ctx, onion.TorConfig{Dir: dir, Options: l.Args}); err == nil {
			tor.Close()
		}
		if watch.Counted().Stray == before {
			l.T.Error("a tor that is not told of the VPN does not leave: this test proves nothing")
		}
	})
}

// reaches reports whether a service says back what it hears.
func reaches(t *testing.T, p onion.Path, to onion.Remote) bool {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := p.Dial(ctx, to, "")
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, "hello"); err != nil {
		return false
	}
	b := make([]byte, 5)
	_, err = io.ReadFull(c, b)
	return err == nil && string(b) == "hello"
}
