// Looking after a running tor: it must answer, and so must its network.

package torproc

import (
	"strings"
	"time"

	"github.com/cretz/bine/control"
)

// A Notice says what has become of the network.
type Notice string

// What can be noticed.
const (
	Silent  Notice = "silent"  // nothing comes any more, though it was asked
	Answers Notice = "answers" // it does again
	Woke    Notice = "woke"    // the machine slept, or its clock was set: what stood is lost
	Ended   Notice = "ended"   // tor has ended, and is started again
	Began   Notice = "began"   // it has been
)

// settle begins to watch the network, and expects quicker answers of tor.
func (p *Process) settle() {
	p.talk.limit.Store(int64(answerIn))
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.pulse = newPulse(now, now.Round(0))
}

// tend looks after the process until the conversation ends. A tor that does not answer is given up
// by the conversation.
func (p *Process) tend() {
	t := time.NewTicker(beat)
	defer t.Stop()
	last := "" // circuit that was built to hear something
	for {
		select {
		case <-t.C:
		case <-p.talk.lost:
			return
		}
		if _, err := p.talk.info("version"); err != nil {
			continue
		}
		if last != "" && !p.owes() {
			p.talk.ask("CLOSECIRCUIT " + last)
			last = ""
		}
		switch p.look() {
		case probe:
			last = p.probe()
		case fell:
			p.tell(Silent)
		case afresh:
			p.renew()
		case returned:
			p.tell(Answers)
		case woke:
			p.tell(Woke)
			p.renew()
		}
	}
}

// probe has a circuit built, and returns its number. A tor that will not, because nobody has used
// it and its list of relays has grown old, says nothing about the network by that.
func (p *Process) probe() string {
	lines, err := p.talk.ask("EXTENDCIRCUIT 0")
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.pulse != nil {
			p.pulse.refused()
		}
		return ""
	}
	id, _ := strings.CutPrefix(lines[0], "EXTENDED ")
	return id
}

// renew gives up a tor whose connections lead nowhere: it has marked its guards as unreachable, and
// would take minutes to try them again. The next one knows its guards and has marked none. A tor
// that nobody would start again, or that is not ours, is left alone.
func (p *Process) renew() {
	if p.replace && !p.foreign {
		p.talk.stuck.Store(true)
		p.talk.conn.Close()
	}
}

func (p *Process) tell(n Notice) {
	if p.notice != nil {
		p.notice(n)
	}
}

func (p *Process) look() act {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pulse == nil {
		return nothing
	}
	now := time.Now()
	return p.pulse.look(now, now.Round(0))
}

// owes reports whether the network owes an answer.
func (p *Process) owes() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pulse != nil && !p.pulse.asked.IsZero()
}

// Expect says that somebody waits for an answer of the network.
func (p *Process) Expect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pulse != nil {
		p.pulse.asks(time.Now())
	}
}

// Silent reports whether nothing comes from the network.
func (p *Process) Silent() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pulse != nil && p.pulse.silent
}

// listenTo takes what an event tells of the network: an answer, or that one is owed.
func (p *Process) listenTo(e control.Event) {
	hears, asks := false, false
	switch e := e.(type) {
	case *control.CircuitBandwidthEvent:
		hears, asks = e.BytesRead > 0, e.BytesWritten > 0
	case *control.CircuitEvent:
		hears, asks = e.Status == "EXTENDED" || e.Status == "BUILT", e.Status == "FAILED"
	case *control.ORConnEvent:
		hears, asks = e.Status == "CONNECTED", e.Status == "FAILED" || e.Status == "CLOSED"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := e.(*control.ORConnEvent); ok && p.pulse == nil {
		p.tries.hear(c.ConnID, c.Status, time.Now())
	}
	switch {
	case p.pulse == nil:
	case hears:
		p.pulse.hears(time.Now())
	case asks:
		p.pulse.asks(time.Now())
	}
}
