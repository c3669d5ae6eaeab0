// Quick claims about networks that need no tor.

package tornet

import (
	"strings"
	"testing"
	"time"
)

func TestTwoNetworksNeverShareABlock(t *testing.T) {
	seen := map[int]bool{}
	for range 20 {
		base, held, err := reservePorts(8)
		if err != nil {
			t.Fatal(err)
		}
		defer held.Close()
		if seen[base] {
			t.Fatalf("block %d given twice", base)
		}
		seen[base] = true
	}
}

func TestClientsAreToldOfNoOtherAuthority(t *testing.T) {
	n := &Network{authority: "DirAuthority authority orport=1 no-v2 v3ident=0 127.0.0.1:2 0"}
	lines := strings.Join(n.Torrc(), "\n")
	if strings.Count(lines, "DirAuthority ") != 1 || !strings.Contains(lines, "TestingTorNetwork 1") {
		t.Errorf("lines for clients: %s", lines)
	}
}

func TestStartIsNeverShortlyBeforeAVote(t *testing.T) {
	for _, p := range paces {
		for phase := time.Duration(0); phase < p.period; phase += 100 * time.Millisecond {
			now := time.Unix(1_000_000_800, 0).Truncate(p.period).Add(phase)
			start := now.Add(p.untilVote(now))
			if at := start.Sub(start.Truncate(p.period)); at > p.slack {
				t.Errorf("at %v into a period the start is %v into one", phase, at)
			}
		}
	}
}
