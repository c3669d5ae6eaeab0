//go:build e2e

// Two people on different ways out, by one interface and by a proxy; and what becomes of them when
// both are gone.

package ways

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nightjar/audit/privnet/lab"
)

func TestInterfaceAndProxyMeetAndNeitherIsReplaced(t *testing.T) {
	lab.Run(t, program, func(l *lab.Lab) {
		kill := l.Dante("alice", lab.Hash)
		l.Interface("vpn0", "12.8.0.2", "12.8.0.1")
		bundle := dht(l)
		word := filepath.Join(l.T.TempDir(), "word")
		if err := os.WriteFile(word, []byte(lab.Hashed+"\n"), 0o600); err != nil {
			l.T.Fatal(err)
		}
		watch := l.Watch("ip daddr " + lab.World) // by eth0; what goes by vpn0 is not counted
		desk, source := person(l, "desk"), person(l, "source")
		up(l, desk, "device:vpn0")
		up(l, source, "socks:"+lab.World+":1080", "--socks-user", "alice",
			"--socks-password-file", word)
		told(l, bundle, desk, source)
		talk(l, desk, source)
		if a, b := status(l, desk).Path, status(l, source).Path; a != "device" || b != "socks" {
			l.T.Errorf("paths are %q and %q", a, b)
		}

		kill()
		if err := source.Wait(l.T.Context(), "a word about the proxy", func() (bool, error) {
			return strings.Contains(strings.Join(status(l, source).Warnings, " "),
				"carries nothing now"), nil
		}); err != nil {
			l.T.Error(err)
		}
		l.Do("ip", "link", "del", "vpn0")
		select {
		case <-desk.Ended():
		case <-time.After(patience):
			l.T.Fatal("an engine without its interface goes on")
		}
		if said := desk.Log(3); !strings.Contains(said, "nightjar: the way out is gone") ||
			!strings.Contains(said, "hint: nothing was sent by another way") {
			l.T.Errorf("it said: %s", said)
		}
		clean(l, watch, 0, lab.World)
	})
}
