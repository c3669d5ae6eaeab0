// A call, as both the phone's door and the node see it.

package talk

// MaxPayload is the largest audio frame in bytes: 20 ms of G.711.
const MaxPayload = 160

// Frame is 20 ms of audio.
type Frame struct {
	Seq     uint16 // one per 20 ms since the call was answered; wraps
	Payload []byte // 1..MaxPayload bytes as the codec made them
}

// Reason says why a call ended or did not begin.
type Reason uint8

// The reasons a call can end for.
const (
	Hangup      Reason = 1 // one side hung up
	Busy        Reason = 2 // the far phone is in another call
	Declined    Reason = 3 // the person said no
	Unavailable Reason = 4 // no phone is registered, or the contact is not reachable
	Failed      Reason = 5 // the road or the phone failed during the call
	Timeout     Reason = 6 // nobody answered in time
	Canceled    Reason = 7 // the caller gave up before the answer
)

// Known reports whether r is one of the reasons above.
func (r Reason) Known() bool { return r >= Hangup && r <= Canceled }

// String is the reason in one or two words.
func (r Reason) String() string {
	names := [...]string{"unknown", "hung up", "busy", "declined", "unavailable", "failed",
		"not answered", "canceled"}
	if !r.Known() {
		return names[0]
	}
	return names[r]
}

// EventKind says what the far side did to a call.
type EventKind uint8

// What the far side can do.
const (
	Ringing  EventKind = 1 // its phone rings
	Answered EventKind = 2 // it answered, with Event.Codec
	Held     EventKind = 3 // it holds (Event.On) or resumes
	Dialed   EventKind = 4 // it pressed Event.Digit
	Ended    EventKind = 5 // the call is over, for Event.Reason; nothing follows
)

// Event is one thing the far side did.
type Event struct {
	Kind   EventKind
	Codec  Codec
	On     bool
	Digit  byte // 0-9 * # A-D
	Reason Reason
}

// Call is one call seen from one side, before and after the answer. Both ends of the engine
// meet here: node makes it, a phone's door drives it. Methods may be called from several
// goroutines.
//
//	caller:  Offer -> (Ringing) -> Answered -> Frames/Send ... -> End or Ended
//	callee:  Offer -> Ring -> Answer -> Frames/Send ... -> End or Ended
type Call interface {
	// Contact is the local name of the far side, [a-z0-9-]{1,32}.
	Contact() string
	// Offer is what the caller can speak, best first, at least one.
	Offer() []Codec
	// Ring tells the caller that our phone rings. Callee only.
	Ring() error
	// Answer accepts the call with one codec of Offer. Callee only.
	Answer(Codec) error
	// Hold tells the far side that we hold or resume.
	Hold(on bool) error
	// DTMF sends a key press, 0-9 * # A-D.
	DTMF(digit byte) error
	// End ends the call; a second End does nothing.
	End(Reason) error
	// Events is what the far side did. It closes after Ended, also after our own End. A reader
	// that is more than 32 events behind loses the call (Ended with Failed).
	Events() <-chan Event
	// Send gives 20 ms of our audio to the far side. It never blocks: when the road is slow the
	// oldest frames are dropped.
	Send(Frame) error
	// Frames is the far side's audio as it arrives, each sequence number once, not yet in
	// order. Oldest are dropped when nobody reads. It closes when the call ends.
	Frames() <-chan Frame
}

// Digit reports whether d is a key of a phone.
func Digit(d byte) bool {
	return d >= '0' && d <= '9' || d == '*' || d == '#' || d >= 'A' && d <= 'D'
}
