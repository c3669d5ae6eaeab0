// Package node is not done.
package node

import "errors"

// TODO: the rest // want "TODO"

// A stub of the real thing. // want "stub"

// send drops the message for now. // want "for now"
func send() error { return errors.New("not implemented") } // want "not implemented"

// stubborn and hacksaw are words like any other, and so is "for nowhere".
