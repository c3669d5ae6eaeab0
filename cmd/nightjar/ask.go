// Asking for passwords.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"nightjar/keystore"
)

// Errors of asking for a password.
var (
	errNoTerminal = errors.New("no terminal to ask for the password")
	errRetype     = errors.New("the two passwords are not the same")
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
	calm := calmOnSignal(ctx, int(tty.Fd()))
	defer calm()
	fmt.Fprint(tty, prompt)
	p, err := keystore.ReadPassword(int(tty.Fd()))
	fmt.Fprintln(tty)
	return p, err
}

// calmOnSignal makes Ctrl-C at a prompt end the program with the terminal as it was: the prompt
// itself waits in the kernel and cannot be told. The function it returns undoes it.
func calmOnSignal(ctx context.Context, tty int) (undo func()) {
	state, err := term.GetState(tty)
	if err != nil {
		return func() {}
	}
	// A program that is suspended here would come back with the terminal showing what is typed.
	signal.Ignore(syscall.SIGTSTP)
	stop := context.AfterFunc(ctx, func() {
		_ = term.Restore(tty, state)
		signal.Reset()
		_ = syscall.Kill(os.Getpid(), syscall.SIGINT)
	})
	return func() {
		stop()
		signal.Reset(syscall.SIGTSTP)
	}
}

// askTwice asks for a new password and once more to be sure.
func (o *options) askTwice(ctx context.Context) (*keystore.Password, error) {
	p, err := o.ask(ctx, "new password: ")
	if err != nil || o.password >= 0 {
		return p, err
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
