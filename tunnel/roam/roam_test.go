// The claims of this package, and the attacks that work on variants that know less.

package roam

import (
	"net/netip"
	"testing"
	"time"
)

func at(n byte) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, n}), 1000)
}

var home, away, thief = at(1), at(2), at(3)

func TestAddressThatAnswersIsKept(t *testing.T) {
	p, now := New(home), time.Unix(1e9, 0)
	if !p.Heard(away, now, 7) || p.Addr() != away || !p.Trying() {
		t.Fatal("a newer packet did not move the session")
	}
	token, due := p.Due(now, 0)
	if !due || token != 7 {
		t.Fatal("no challenge was due")
	}
	p.Answered(8)
	if !p.Trying() {
		t.Error("a wrong answer proved an address")
	}
	p.Answered(7)
	if p.Trying() || p.Addr() != away || !p.Next().IsZero() {
		t.Error("a right answer did not prove the address")
	}
}

func TestAddressThatDoesNotAnswerIsGivenUp(t *testing.T) {
	p, now := New(home), time.Unix(1e9, 0)
	p.Heard(thief, now, 7)
	sent := 0
	for end := now.Add(10 * time.Second); now.Before(end); now = now.Add(10 * time.Millisecond) {
		if _, due := p.Due(now, 0); due {
			sent++
		}
	}
	if p.Addr() != home || sent != challenges {
		t.Error(p.Addr() == home, sent)
	}
	p.Answered(7)
	if p.Addr() != home {
		t.Error("an answer after the end of the trial moved the session")
	}
}

func TestProvenAddressNeedsNoNewTrial(t *testing.T) {
	p, now := New(home), time.Unix(1e9, 0)
	p.Heard(thief, now, 7)
	p.Due(now, 0)
	if !p.Heard(home, now, 8) || p.Addr() != home || p.Trying() {
		t.Error("the proven address was not gone back to at once")
	}
}

func TestAnswerBeforeTheChallengeProvesNothing(t *testing.T) {
	p, now := New(home), time.Unix(1e9, 0)
	p.Heard(away, now, 0)
	p.Answered(0)
	if !p.Trying() {
		t.Error("an answer to nothing proved an address")
	}
}

func TestMovesAreCounted(t *testing.T) {
	p, now := New(home), time.Unix(1e9, 0)
	moved := 0
	for i := range 1000 {
		if p.Heard(at(byte(10+i%100)), now, 1) {
			moved++
		}
	}
	if moved != burst {
		t.Error(moved, "moves at once")
	}
	if now = now.Add(refill); !p.Heard(at(200), now, 1) || p.Heard(at(201), now, 1) {
		t.Error("moves are not allowed again one by one")
	}
}

func TestSlackOfAClockIsWaitedFor(t *testing.T) {
	p, now := New(home), time.Unix(1e9, 0)
	p.Heard(away, now, 7)
	p.Due(now, time.Minute)
	if !p.Next().After(now.Add(time.Minute)) {
		t.Error("the next challenge does not wait for the clock")
	}
}
