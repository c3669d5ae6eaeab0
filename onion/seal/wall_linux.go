// A wall: a network namespace of its own for another program, with loopback up and nothing else.

package seal

import (
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Seclude prepares a command that begins in user and network namespaces of its own; starting it
// fails where the kernel refuses them. What it starts calls Secluded, and then Become.
func Seclude(cmd *exec.Cmd) {
	a := sysProcAttr(cmd)
	a.Cloneflags |= syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET
	a.UidMappings = only(unix.Getuid())
	a.GidMappings = only(unix.Getgid())
	a.AmbientCaps = []uintptr{unix.CAP_NET_ADMIN} // for Secluded; Become gives it up
}

// Secluded looks whether this process is in an empty network that is not outside, the Network of
// whoever started it, and turns loopback on. Errors are ErrUnsupported and a syscall.Errno.
func Secluded(outside string) error {
	if outside == "" || Network() == outside || !emptyNetwork() {
		return ErrUnsupported
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// Become makes this process another program, with its arguments, no environment, no privileges, and
// the files that StartProgram would leave it. It returns only if that fails.
func Become(path string, args []string, f Files, run []string) error {
	runtime.LockOSThread() // what follows counts for one thread, which then is all there is
	err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
	if err == nil {
		err = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	}
	if err == nil {
		err = confine(f, run)
	}
	if err != nil {
		return err
	}
	return syscall.Exec(path, args, []string{})
}
