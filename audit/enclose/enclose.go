// Package enclose runs a program again in namespaces of its own, where it has a network that leads
// nowhere and processes that end with it. It knows nothing of what the program does there.
package enclose

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Errors of Again. Nothing has been run.
var (
	ErrRefused = errors.New("this system lets this user have no namespaces")
	ErrTools   = errors.New("mount or ip is missing: install the packages mount and iproute2")
)

// grace is how long what runs inside may take to end. Then it is killed, with all it has started.
const grace = 20 * time.Second

// inside makes /proc show the new process namespace and brings loopback up. Mounts stay inside.
const inside = `mount --make-rprivate / && mount -t proc proc /proc && ip link set lo up`

// Again runs this program in new network, process and mount namespaces, with args, and returns its
// exit code. Whoever is not root is so inside. Errors are ErrRefused, ErrTools, and that it could
// not be run.
func Again(ctx context.Context, args ...string) (int, error) {
	for _, tool := range []string{"mount", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			return 0, ErrTools
		}
	}
	if prepared(ctx, inside).Run() != nil {
		return 0, ErrRefused
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := prepared(ctx, inside+` && exec "$0" "$@"`, append([]string{self}, args...)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = grace
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// prepared is a shell script in new namespaces. The kernel kills every process in the process
// namespace when its first one ends, and that one when we end.
func prepared(ctx context.Context, script string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", script}, args...)...)
	a := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Getuid() != 0 {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	cmd.SysProcAttr = a
	return cmd
}
