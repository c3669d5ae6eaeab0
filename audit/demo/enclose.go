// The namespaces the demonstration runs in, where the kernel allows them.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// enclose runs the demonstration again in new network, process and mount namespaces, and returns
// its exit code. It returns an error, and has run nothing, when the kernel does not allow it.
func enclose(ctx context.Context) (int, error) {
	if err := try(ctx); err != nil {
		return 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	// mount makes /proc show the new process namespace, ip brings loopback up with an address
	// that is not loopback's: some phones want one.
	script := `mount -t proc proc /proc && ip link set lo up && exec "$0" -inside "$@"`
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", script, self}, os.Args[1:]...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, os.Stdout, os.Stderr
	cmd.SysProcAttr = namespaces()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second // then the namespace, and all in it, is killed
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		return exit.ExitCode(), nil
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "demo: FAILED: %v\n", err)
		return 1, nil
	}
	return 0, nil
}

// try finds out whether enclose would work.
func try(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "sh", "-c", "mount -t proc proc /proc && ip link set lo up")
	cmd.SysProcAttr = namespaces()
	if cmd.Run() != nil {
		return errors.New("not allowed")
	}
	return nil
}

// namespaces asks for new ones. The kernel kills every process in the process namespace when its
// first one ends, and that one when we end.
func namespaces() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Getuid() != 0 {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return a
}
