//go:build unix

// Ctrl-C at a prompt.

package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

// calmOnSignal makes Ctrl-C at a prompt end the program with the terminal as it was: the prompt
// itself waits in the kernel and cannot be told. The function it returns undoes it.
func calmOnSignal(ctx context.Context, tty int, clean func()) (undo func()) {
	state, err := term.GetState(tty)
	if err != nil {
		return func() {}
	}
	// A program that is suspended here would come back with the terminal showing what is typed. It
	// stays so: of an engine and its warden one alone must not be suspended.
	signal.Ignore(syscall.SIGTSTP)
	stop := context.AfterFunc(ctx, func() {
		clean()
		_ = term.Restore(tty, state)
		signal.Reset()
		_ = syscall.Kill(os.Getpid(), syscall.SIGINT)
	})
	return func() { stop() }
}
