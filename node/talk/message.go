// Texts, and the states they go through.

package talk

import (
	"errors"
	"time"
	"unicode/utf8"
)

// MaxText is the longest text of a message in bytes of UTF-8.
const MaxText = 4096

// ErrText is returned for a text that is empty, too long, not UTF-8, or holds a NUL.
var ErrText = errors.New("text must be 1 to 4096 bytes of UTF-8")

// ID names one message or one call. It is random, so it tells nothing and repeats never.
type ID [16]byte

// State is how far a message has come. A state is shown only when it is known to be true.
type State uint8

// The states of a message, in the order they are reached.
const (
	Queued    State = 1 // safe in our vault, not yet handed to a tunnel
	Sent      State = 2 // handed to a tunnel, not yet acknowledged; sent again if need be
	Delivered State = 3 // the far engine has it safe in its vault
	Unread    State = 4 // received, not yet read here
	Read      State = 5 // received and read here
)

// String is the state in one word.
func (s State) String() string {
	names := [...]string{"unknown", "queued", "sent", "delivered", "unread", "read"}
	if int(s) >= len(names) {
		return names[0]
	}
	return names[s]
}

// Message is one text between us and a contact.
type Message struct {
	ID    ID
	Out   bool      // we wrote it
	Text  string    // peer text when Out is false: escape before showing, never log
	At    time.Time // by our own clock: when it was queued or received
	State State
}

// CheckText refuses a text that must not be sent or stored: ErrText.
func CheckText(text string) error {
	if len(text) == 0 || len(text) > MaxText || !utf8.ValidString(text) {
		return ErrText
	}
	for i := range len(text) {
		if text[i] == 0 {
			return ErrText
		}
	}
	return nil
}
