// The way out that hides nothing.

package native

import "errors"

// ErrWord means that the word which says what direct does was not typed.
var ErrWord = errors.New("direct is for those who type that it reveals their address")

// typed is what the user must have typed, letter by letter.
const typed = "direct-reveals-my-address"

// A Direct is a way out without any cover.
type Direct struct{ way }

// OpenDirect returns the way out without any cover. The word must be what the user typed to choose
// it, "direct-reveals-my-address": hand it through, and never write it into a program. The error is
// ErrWord.
func OpenDirect(word string) (*Direct, error) {
	if word != typed {
		return nil, ErrWord
	}
	return &Direct{way{set: noBroadcast, done: make(chan struct{})}}, nil
}

// Close ends the way and its sockets.
func (d *Direct) Close() error {
	d.end()
	return nil
}
