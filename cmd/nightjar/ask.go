// Asking for passwords.

package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"nightjar/keystore"
)

// Errors of asking for a password.
var (
	errNoTerminal = errors.New("no terminal to ask for the password")
	errRetype     = errors.New("the two passwords are not the same")
)

// password asks for a password on the terminal, or reads a line from --password-fd. The bytes go
// straight into locked memory.
func (o *options) ask(c console, prompt string) (*keystore.Password, error) {
	if o.password >= 0 {
		return keystore.ReadPassword(o.password)
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil || !term.IsTerminal(int(tty.Fd())) {
		return nil, errNoTerminal
	}
	defer tty.Close()
	fmt.Fprint(tty, prompt)
	p, err := keystore.ReadPassword(int(tty.Fd()))
	fmt.Fprintln(tty)
	return p, err
}

// askTwice asks for a new password and once more to be sure.
func (o *options) askTwice(c console) (*keystore.Password, error) {
	p, err := o.ask(c, "new password: ")
	if err != nil || o.password >= 0 {
		return p, err
	}
	q, err := o.ask(c, "the same again: ")
	if err != nil {
		p.Destroy()
		return nil, err
	}
	defer q.Destroy()
	if !p.Equal(q) {
		p.Destroy()
		return nil, errRetype
	}
	return p, nil
}
