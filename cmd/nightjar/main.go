// Command nightjar lets two people write and talk without anyone learning who or where they are.
//
// It is the one binary of the house: every command, and the words for every error. It wires the
// rooms together and holds no rule of its own about vaults, paths, meetings or calls.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"nightjar/cmd/warden"
)

// version is what status and help show.
const version = "0.1.0"

// console is where a command reads and writes.
type console struct {
	in       *os.File
	out, err io.Writer
	asJSON   bool         // errors are JSON, for programs
	home, as string       // as given, to be repeated in hints; "" is the default
	ward     *warden.Ward // of an engine that was started by a warden
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM,
		syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second signal ends us at once
	code := run(ctx, os.Args[1:], console{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// run does one command and returns the exit code: 0 done, 1 refused or failed, 2 misused.
func run(ctx context.Context, args []string, c console) int {
	if len(args) > 0 && args[0] == engineWord && c.ward == nil {
		return c.engine(ctx, args[1:])
	}
	cmd, rest := find(args)
	if cmd == nil || !exists(args) {
		return c.given(args).help(args)
	}
	c = c.given(rest)
	c.asJSON = c.asJSON && cmd.name != "audit" // there it names a file
	err := cmd.run(ctx, c, rest)
	return c.say(cmd, err)
}
