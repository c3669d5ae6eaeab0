// Asking for passwords.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"nightjar/keystore"
)

// Errors of asking for a password.
var (
	errNoTerminal = errors.New("no terminal to ask for the password")
	errNoScreen   = errors.New("no terminal to show secret words on")
	errRetype     = errors.New("the two passwords are not the same")
	errCodename   = errors.New("that is not the codename that was shown")
)

// ask asks for a password on the terminal, or reads a line from --password-fd. The bytes go
// straight into locked memory.
func (o *options) ask(ctx context.Context, prompt string) (*keystore.Password, error) {
	if o.password >= 0 {
		return keystore.ReadPassword(o.password)
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil || !term.IsTerminal(int(tty.Fd())) {
		return nil, errNoTerminal
	}
	defer tty.Close()
	calm := calmOnSignal(ctx, int(tty.Fd()), func() {})
	defer calm()
	fmt.Fprint(tty, prompt)
	p, err := keystore.ReadPassword(int(tty.Fd()))
	fmt.Fprintln(tty)
	return p, err
}

// shortPassword is how many characters a password should have at least.
const shortPassword = 12

// askTwice asks for a new password and once more to be sure. It takes a short one, and says so.
func (o *options) askTwice(ctx context.Context, c console, prompt string) (
	*keystore.Password, error) {
	p, err := o.ask(ctx, prompt)
	if err != nil {
		return nil, err
	}
	if p.Shorter(shortPassword) {
		c.note("this password is short (under %d characters): whoever has a copy of the file can "+
			"try them all; take several words that have nothing to do with each other",
			shortPassword)
	}
	if o.password >= 0 {
		return p, nil
	}
	q, err := o.ask(ctx, "the same again: ")
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

// Control sequences of terminals (ECMA-48, xterm): a screen of its own, which is not scrolled back
// to, and back.
const (
	screenOn  = "\x1b[?1049h\x1b[2J\x1b[H"
	screenOff = "\x1b[2J\x1b[?1049l"
)

// showWords shows secret words on the terminal until Enter, and then takes them away.
func showWords(ctx context.Context, words *keystore.Password, title string) error {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil || !term.IsTerminal(int(tty.Fd())) {
		return errNoScreen
	}
	defer tty.Close()
	calm := calmOnSignal(ctx, int(tty.Fd()), func() { fmt.Fprint(tty, screenOff) })
	defer calm()
	fmt.Fprint(tty, screenOn, title, "\n\n    ")
	defer fmt.Fprint(tty, screenOff)
	if err := words.WriteLine(int(tty.Fd())); err != nil {
		return errNoScreen
	}
	fmt.Fprint(tty, "\nThen press Enter. ")
	enter, err := keystore.ReadPassword(int(tty.Fd()))
	if err == nil {
		enter.Destroy()
	}
	return nil // an empty line is what was asked for
}

// printWords writes secret words to standard output, for those who ask for it in words.
func printWords(c console, words *keystore.Password) error {
	out, ok := c.out.(*os.File)
	if !ok || words.WriteLine(int(out.Fd())) != nil {
		return errOutput
	}
	return nil
}
