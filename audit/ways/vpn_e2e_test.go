//go:build e2e

// Two people on a VPN each, and nothing else between them and the world.

package ways

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nightjar/audit/privnet/lab"
	"nightjar/audit/privnet/stage"
)

const vpnRule = "ip daddr " + lab.World + " udp dport 51820"

// files writes the files of VPNs where their users keep them.
func files(l *lab.Lab, all [][]byte) (names []string) {
	l.T.Helper()
	for i, b := range all {
		name := filepath.Join(l.T.TempDir(), "wg"+string(rune('0'+i))+".conf")
		b = append(bytes.Repeat([]byte("# from an operator who explains a lot\n"), 40), b...)
		if err := os.WriteFile(name, b, 0o600); err != nil {
			l.T.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

func TestTwoPeopleTalkByVPNAndNothingElseLeaves(t *testing.T) {
	lab.Run(t, program, func(l *lab.Lab) {
		confs, kill := l.WireGuards(2)
		names := files(l, confs)
		bundle := dht(l)
		watch := l.Watch(vpnRule)
		desk, source := person(l, "desk"), person(l, "source")
		for i, p := range []*stage.Party{desk, source} {
			up(l, p, "vpn:"+names[i])
		}
		told(l, bundle, desk, source)
		talk(l, desk, source)
		s := status(l, desk)
		if s.Path != "vpn" || !s.Sealed || len(s.Exposes) < 4 {
			l.T.Errorf("status: path %q, sealed %v, %d lines of who learns what", s.Path, s.Sealed,
				len(s.Exposes))
		}
		keyless(l, desk, confs[0])
		moves(l, desk, source)

		kill()
		run(l.T, source, "send", "desk", "into nothing")
		if err := source.Wait(l.T.Context(), "a word about the dead VPN", func() (bool, error) {
			return strings.Contains(strings.Join(status(l, source).Warnings, " "),
				"carries nothing now"), nil
		}); err != nil {
			l.T.Error(err)
		}
		clean(l, watch, 17, lab.Endpoint)
	})
}

// keyless checks that the warden has nothing of the VPN's file but where its endpoint is.
func keyless(l *lab.Lab, p *stage.Party, conf []byte) {
	l.T.Helper()
	_, key, _ := bytes.Cut(conf, []byte("PrivateKey = ")) // after a long comment: files()
	if holds(l, p.Pid(), key[:40]) {
		l.T.Error("the warden has the VPN's key")
	}
	if !holds(l, p.Pid(), []byte("--require-seal")) {
		l.T.Error("not even its arguments are found in the warden: the search is blind")
	}
}

// moves gives the machine another address while two people talk.
func moves(l *lab.Lab, a, b *stage.Party) {
	l.T.Helper()
	l.Do("ip", "addr", "del", lab.Home+"/24", "dev", "eth0")
	l.Do("ip", "addr", "add", "192.0.2.77/24", "dev", "eth0")
	l.Do("ip", "route", "replace", "default", "via", lab.World)
	begun := time.Now()
	run(l.T, a, "send", b.Name, "from another network", "--wait")
	l.T.Logf("a message came through %v after the address changed",
		time.Since(begun).Round(10*time.Millisecond))
}
