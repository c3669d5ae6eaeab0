// The parts that the audit plays in processes of its own, so that packets can be told apart.

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"

	"nightjar/audit/enclose"
	"nightjar/audit/scenes/ground"
	"nightjar/audit/watch"
	"nightjar/audit/watch/held"
)

// cannotStart is the exit code of a foreign program that is not there, as shells have it.
const cannotStart = 127

// playPart plays a part until it is over.
func playPart(ctx context.Context, name string, args []string) error {
	switch name {
	case control:
		return watch.Provoke()
	case foreign:
		return become(ctx, args)
	case phone:
		return probe(ctx, args)
	case resolver:
		return answerNothing(ctx)
	case far:
		return ground.Serve(ctx, args)
	case without:
		if len(args) < 2 {
			return errors.New("without what, and who?")
		}
		return enclose.Without(args[0], args[1:])
	}
	return errors.New("there is no such part")
}

// become runs the user's program below this process, which names it and all it starts.
func become(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil, errors.As(err, &exit):
		return nil // how it ends is its own affair
	}
	fmt.Fprintln(os.Stderr, "audit: the program cannot be started")
	os.Exit(cannotStart)
	return nil
}

// answerNothing is a name service that takes questions.
func answerNothing(ctx context.Context) error {
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(held.NameService()))
	if err != nil {
		return err
	}
	defer c.Close()
	<-ctx.Done()
	return nil
}
