// The state of one call.

package call

import (
	"errors"
	"slices"
	"sync"

	"nightjar/node/talk"
)

// Errors a phone's door can act on.
var (
	ErrEnded = errors.New("call has ended")
	ErrTurn  = errors.New("not possible in this state of the call")
)

// eventRoom is how far a reader of Events may fall behind.
const eventRoom = 32

// phase is where a call stands; it only grows.
type phase uint8

const (
	offered phase = iota
	answered
	ended
)

// Session is one call. It meets talk.Call. Safe for several goroutines.
type Session struct {
	id      talk.ID
	contact string
	caller  bool
	offer   []talk.Codec
	say     func(talk.Record) error // never blocks for long; owner's queue to the far engine

	events chan talk.Event
	frames chan talk.Frame
	done   chan struct{} // closed by finish
	picked chan struct{} // closed by the answer
	lane   chan struct{} // closed by the first Carry

	mu    sync.Mutex
	phase phase
	out   outbound
	seen  window
	leave func() // ends the present Carry
}

// New begins a call in the state "offered". The owner gives say, which queues a record for the
// far engine, and for an outgoing call says the offer itself.
func New(id talk.ID, contact string, caller bool, offer []talk.Codec,
	say func(talk.Record) error) *Session {
	return &Session{
		id: id, contact: contact, caller: caller, offer: slices.Clone(offer), say: say,
		events: make(chan talk.Event, eventRoom+1), // one place kept for Ended
		frames: make(chan talk.Frame, frameRoom),
		done:   make(chan struct{}),
		picked: make(chan struct{}),
		lane:   make(chan struct{}),
	}
}

// ID names the call on the wire.
func (s *Session) ID() talk.ID { return s.id }

// Contact is the local name of the far side.
func (s *Session) Contact() string { return s.contact }

// Offer is what the caller can speak, best first.
func (s *Session) Offer() []talk.Codec { return slices.Clone(s.offer) }

// Events is what the far side does; see talk.Call.
func (s *Session) Events() <-chan talk.Event { return s.events }

// Frames is the far side's audio; see talk.Call.
func (s *Session) Frames() <-chan talk.Frame { return s.frames }

// Done is closed when the call has ended, whoever ended it.
func (s *Session) Done() <-chan struct{} { return s.done }

// Over reports whether the call has ended.
func (s *Session) Over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// Answered is closed when the call is answered.
func (s *Session) Answered() <-chan struct{} { return s.picked }

// Carried is closed when the call has its first lane.
func (s *Session) Carried() <-chan struct{} { return s.lane }

// Ring tells the caller that our phone rings.
func (s *Session) Ring() error {
	return s.speak(!s.caller, offered, talk.Record{Kind: talk.KindRinging})
}

// Answer accepts the call: ErrTurn unless we are the callee, it is not answered yet, and codec
// is one of the offer.
func (s *Session) Answer(codec talk.Codec) error {
	if !slices.Contains(s.offer, codec) {
		return ErrTurn
	}
	s.mu.Lock()
	if s.caller || s.phase != offered {
		defer s.mu.Unlock()
		return s.refusal()
	}
	s.phase = answered
	close(s.picked)
	s.mu.Unlock()
	return s.tell(talk.Record{Kind: talk.KindAnswer, Codec: codec})
}

// Hold tells the far side that we hold or resume.
func (s *Session) Hold(on bool) error {
	return s.speak(true, answered, talk.Record{Kind: talk.KindHold, On: on})
}

// DTMF sends one key press.
func (s *Session) DTMF(digit byte) error {
	if !talk.Digit(digit) {
		return ErrTurn
	}
	return s.speak(true, answered, talk.Record{Kind: talk.KindDTMF, Digit: digit})
}

// End ends the call from our side. Later calls do nothing.
func (s *Session) End(r talk.Reason) error {
	if !s.finish(r) {
		return nil
	}
	return s.tell(talk.Record{Kind: talk.KindEnd, Reason: r})
}

// Lost ends the call without a word to the far side, which cannot hear it.
func (s *Session) Lost() { s.finish(talk.Failed) }

// speak says r when it is our turn: allowed, and the call is in the phase.
func (s *Session) speak(allowed bool, in phase, r talk.Record) error {
	s.mu.Lock()
	ok := allowed && s.phase == in
	err := s.refusal()
	s.mu.Unlock()
	if !ok {
		return err
	}
	return s.tell(r)
}

// refusal is why the present phase does not allow something. Called with mu held.
func (s *Session) refusal() error {
	if s.phase == ended {
		return ErrEnded
	}
	return ErrTurn
}

func (s *Session) tell(r talk.Record) error {
	r.ID = s.id[:]
	return s.say(r)
}

// Handle takes in a record of this call from the far engine. A record out of turn is ignored:
// both sides may act at the same moment.
func (s *Session) Handle(r talk.Record) {
	switch r.Kind {
	case talk.KindRinging:
		s.emit(s.caller, offered, talk.Event{Kind: talk.Ringing})
	case talk.KindAnswer:
		s.answered(r.Codec)
	case talk.KindHold:
		s.emit(true, answered, talk.Event{Kind: talk.Held, On: r.On})
	case talk.KindDTMF:
		s.emit(true, answered, talk.Event{Kind: talk.Dialed, Digit: r.Digit})
	case talk.KindEnd:
		s.finish(r.Reason)
	}
}

// answered moves a call of ours on, or fails it when the codec is not one we offered.
func (s *Session) answered(codec talk.Codec) {
	if !slices.Contains(s.offer, codec) {
		_ = s.End(talk.Failed)
		return
	}
	s.mu.Lock()
	ok := s.caller && s.phase == offered
	if ok {
		s.phase = answered
		close(s.picked)
	}
	s.mu.Unlock()
	s.emit(ok, answered, talk.Event{Kind: talk.Answered, Codec: codec})
}

// emit hands an event to the phone. A phone that does not listen loses the call.
func (s *Session) emit(allowed bool, in phase, e talk.Event) {
	s.mu.Lock()
	ok := allowed && s.phase == in
	full := len(s.events) >= eventRoom
	if ok && !full {
		s.events <- e
	}
	s.mu.Unlock()
	if ok && full {
		_ = s.End(talk.Failed)
	}
}

// finish ends the call once: it reports whether this was the time.
func (s *Session) finish(r talk.Reason) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == ended {
		return false
	}
	s.phase = ended
	s.events <- talk.Event{Kind: talk.Ended, Reason: r}
	close(s.events)
	close(s.frames)
	close(s.done)
	return true
}
