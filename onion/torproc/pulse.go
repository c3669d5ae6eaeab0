// When a network has gone silent, and what to do about it: tor itself may take minutes to notice,
// and longer to try again. This file is pure: it has no clock, and talks to nobody.

package torproc

import "time"

// What the pulse goes by.
const (
	beat    = time.Second      // between looks
	doubt   = 10 * time.Second // without a word from the network: ask it something
	silence = 20 * time.Second // without a word, though it was asked
	waiting = 8 * time.Second  // that it has had to answer
	again   = 5 * time.Second  // between asking
	hope    = 10 * time.Second // in silence before the connections are given up
	idle    = time.Minute      // between asking while nobody wants anything of it
	slept   = 2 * time.Minute  // by which the wall clock runs ahead or behind when a machine slept
)

// An act is what a look leads to.
type act int

const (
	nothing  act = iota
	probe        // ask the network something, that it must answer
	fell         // it has gone silent
	afresh       // it is silent: give up the connections and make new ones
	returned     // it has answered again
	woke         // the machine slept, or its clock was set: connections are worth nothing
)

// A pulse is what is known of one tor's network.
type pulse struct {
	last   time.Time // look, by the steady clock
	wall   time.Time // look, by the wall clock
	heard  time.Time // a word of the network
	asked  time.Time // since when it owes an answer; zero if it owes none
	probed time.Time
	redone time.Time // when it fell silent, or connections were last given up
	silent bool
	heeded bool // it has answered again, which nobody has been told
}

func newPulse(now, wall time.Time) *pulse {
	return &pulse{last: now, wall: wall, heard: now, probed: now}
}

// hears takes in that the network has said something.
func (p *pulse) hears(now time.Time) {
	p.heard, p.asked = now, time.Time{}
	p.heeded = p.heeded || p.silent
	p.silent = false
}

// asks takes in that it owes an answer.
func (p *pulse) asks(now time.Time) {
	if p.asked.IsZero() {
		p.asked = now
	}
}

// refused takes in that tor would not ask it: then it owes nothing for that.
func (p *pulse) refused() {
	if p.asked.Equal(p.probed) {
		p.asked = time.Time{}
	}
}

// look says what to do now, by a clock that stands still while the machine sleeps and by one that
// does not.
func (p *pulse) look(now, wall time.Time) act {
	jump := wall.Sub(p.wall) - now.Sub(p.last)
	p.last, p.wall = now, wall
	if jump > slept || jump < -slept {
		*p = *newPulse(now, wall)
		return woke
	}
	owes := !p.asked.IsZero()
	switch quiet := now.Sub(p.heard); {
	case p.heeded:
		p.heeded = false
		return returned
	case p.silent && now.Sub(p.redone) >= hope:
		p.redone = now
		p.asks(now)
		return afresh
	case p.silent:
	case quiet >= silence && owes && now.Sub(p.asked) >= waiting:
		p.silent, p.redone = true, now
		return fell
	case quiet >= doubt && (owes && now.Sub(p.probed) >= again || now.Sub(p.probed) >= idle):
		p.probed = now
		p.asks(now)
		return probe
	}
	return nothing
}
