//go:build e2e

// A tor that leaves through the VPN, into a private Tor network that is only there.

package ways_test

import (
	"context"
	"io"
	"os"
	"testing"
	"time"

	"nightjar/audit/privnet/lab"
	"nightjar/onion"
	"nightjar/onion/ways"
)

func TestTorLeavesThroughTheVPNOrNowhere(t *testing.T) {
	lab.Run(t, lab.FarBridge, func(l *lab.Lab) {
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
