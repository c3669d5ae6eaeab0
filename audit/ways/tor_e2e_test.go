//go:build e2e

// A sealed engine whose tor leaves through a VPN: the process that starts tor tells it so.

package ways

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nightjar/audit/privnet/lab"
)

// bridged is the program, and the lines by which a tor enters a network beyond the VPN.
func bridged(l *lab.Lab) []string { return append(program(l), lab.FarBridge(l)...) }

func TestTorOfASealedEngineLeavesThroughTheVPN(t *testing.T) {
	lab.Run(t, bridged, func(l *lab.Lab) {
		confs, kill := l.WireGuards(1)
		name := files(l, confs)[0]
		torrc := filepath.Join(l.T.TempDir(), "torrc")
		if err := os.WriteFile(torrc, []byte(strings.Join(l.Args[1:], "\n")), 0o600); err != nil {
			l.T.Fatal(err)
		}
		watch := l.Watch(vpnRule)
		desk := person(l, "desk")
		up(l, desk, "tor-over-vpn:"+name, "--torrc", torrc)
		if err := desk.Reachable(l.T.Context()); err != nil {
			l.T.Fatal(err)
		}
		if s := status(l, desk); s.Path != "tor-over-vpn" || !s.Sealed {
			l.T.Errorf("status: path %q, sealed %v", s.Path, s.Sealed)
		}
		kill()
		run(l.T, desk, "check")
		clean(l, watch, 17, lab.Endpoint)
	})
}
