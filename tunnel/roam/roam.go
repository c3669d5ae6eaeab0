// Package roam decides where the packets of a session are sent. It is pure: it is told what has
// come from where, and when; it draws no randomness, keeps no clock and sends nothing.
//
//	          newer packet from B                 answer to the challenge
//	A proven ---------------------> B on trial ---------------------------> B proven
//	   ^                               |
//	   +-------------------------------+
//	     four challenges without answer, or a newer packet from A
//
// Only a packet that has opened and is newer than all before it moves anything: a replayed one is
// no packet at all, and an old one that comes late, or by another way, moves nothing. The trial
// keeps apart who forwards a fresh packet from who can also receive what is sent there.
package roam

import (
	"net/netip"
	"time"
)

const (
	challenges = 4                      // sent to an address on trial
	firstWait  = 200 * time.Millisecond // for the answer to the first; each next one doubles

	burst  = 8                      // moves in a row
	refill = 500 * time.Millisecond // then one each
)

// A Path is where packets go, for one session.
type Path struct {
	current netip.AddrPort
	proven  netip.AddrPort // equal to current unless that is on trial
	token   uint64         // in challenges
	sent    int            // challenges
	due     time.Time      // the next, or the end of the trial
	moves   int            // still allowed
	counted time.Time      // when moves was right
}

// New begins at an address that is proven.
func New(at netip.AddrPort) *Path { return &Path{current: at, proven: at, moves: burst} }

// Addr is where packets go.
func (p *Path) Addr() netip.AddrPort { return p.current }

// Trying reports whether the address is on trial.
func (p *Path) Trying() bool { return p.current != p.proven }

// Heard takes note of a newest packet from an address, and reports whether packets go elsewhere
// now. token is a fresh random number, for challenges to the new address.
func (p *Path) Heard(from netip.AddrPort, now time.Time, token uint64) bool {
	if from == p.current || !from.IsValid() {
		return false
	}
	if from == p.proven {
		p.current = from
		return true
	}
	if !p.allowed(now) {
		return false
	}
	p.current, p.token, p.sent, p.due = from, token, 0, now
	return true
}

// allowed counts moves, so that none can make a session run in circles.
func (p *Path) allowed(now time.Time) bool {
	if more := int(now.Sub(p.counted) / refill); p.counted.IsZero() || more+p.moves >= burst {
		p.moves, p.counted = burst, now
	} else {
		p.moves += more
		p.counted = p.counted.Add(time.Duration(more) * refill)
	}
	if p.moves == 0 {
		return false
	}
	p.moves--
	return true
}

// Answered takes the token of an answer.
func (p *Path) Answered(token uint64) {
	if p.Trying() && token == p.token && p.sent > 0 {
		p.proven = p.current
	}
}

// Due reports whether a challenge is to leave now, and which; asking counts as sending. After the
// last one went unanswered it goes back to the address that was proven. slack is how much longer
// than its way an answer may take.
func (p *Path) Due(now time.Time, slack time.Duration) (token uint64, due bool) {
	if !p.Trying() || now.Before(p.due) {
		return 0, false
	}
	if p.sent == challenges {
		p.current = p.proven
		return 0, false
	}
	p.due = now.Add(firstWait<<p.sent + slack)
	p.sent++
	return p.token, true
}

// Next is when Due is to be asked again; zero for never.
func (p *Path) Next() time.Time {
	if !p.Trying() {
		return time.Time{}
	}
	return p.due
}
