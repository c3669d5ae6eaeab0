// The three steps.

package seal

import (
	"bytes"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// nobody is the number by which the kernel names all users that a user namespace does not know.
const nobody = 65534

// inside is the number by which a process in a user namespace knows its own user or group: the same
// as outside, but not 0, so that no capability outlives the start of the program; and not nobody.
func inside(id int) int {
	if id == 0 || id == nobody {
		return 1
	}
	return id
}

// Start starts the program that build prepares, in namespaces of its own where the kernel allows
// it, else without. The caller must not have called prctl(PR_SET_DUMPABLE) before: the kernel would
// not let it name the user of the new namespace. If build sets Pdeathsig, Start must be called on a
// locked thread that lives on.
func Start(build func() *exec.Cmd) (cmd *exec.Cmd, namespaces bool, err error) {
	cmd = build()
	alone := *sysProcAttr(cmd)
	a := sysProcAttr(cmd)
	a.Cloneflags |= syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC
	a.UidMappings = only(os.Getuid())
	a.GidMappings = only(os.Getgid())
	if err := cmd.Start(); err == nil {
		return cmd, true, nil
	}
	cmd = build()
	cmd.SysProcAttr = &alone
	return cmd, false, cmd.Start()
}

// only maps one number and no other.
func only(id int) []syscall.SysProcIDMap {
	return []syscall.SysProcIDMap{{ContainerID: inside(id), HostID: id, Size: 1}}
}

func sysProcAttr(cmd *exec.Cmd) *syscall.SysProcAttr {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	return cmd.SysProcAttr
}

// Network names the network namespace of this process, for Enter in a process it starts.
func Network() string {
	name, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return ""
	}
	return name
}

// Enter gives up privileges and files, and starts this program again in what is left, with the
// given arguments and a last one that Apply wants to have. outside is the Network of whoever
// started us. It returns only if that fails; open files that are not marked close-on-exec stay,
// variables of the environment do not.
func Enter(f Files, outside string, args []string) error {
	s := State{Namespaces: emptyNetwork() && outside != "" && Network() != outside}
	runtime.LockOSThread() // what follows counts for one thread, which then is all there is
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	s.Files = restrict(f)
	return syscall.Exec(program, append(args, s.text()), []string{})
}

// emptyNetwork reports whether there is no interface but an idle loopback.
func emptyNetwork() bool {
	list, err := os.ReadFile("/proc/self/net/dev")
	if err != nil {
		return false
	}
	lines := strings.Split(strings.TrimSpace(string(list)), "\n")
	routes, err := os.ReadFile("/proc/self/net/route")
	return len(lines) == 3 && strings.HasPrefix(strings.TrimSpace(lines[2]), "lo:") &&
		(err != nil || bytes.Count(bytes.TrimSpace(routes), []byte("\n")) == 0)
}

// Apply takes away the system calls that are not on the list, for every thread, and returns what
// holds. entered is the last argument that Enter gave. It can be called without Enter, with "".
// Anywhere says that the process is to send datagrams to addresses that it names; else each of its
// sockets sends to where it was connected before, or not at all.
func Apply(entered string, anywhere bool) State {
	s := readState(entered)
	s.Calls = loadFilter(anywhere) == nil && refused()
	return s
}

// refused tries what must fail now. Nothing is sent by it.
func refused() bool {
	for _, family := range []int{unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK, unix.AF_PACKET} {
		if fd, err := unix.Socket(family, unix.SOCK_DGRAM, 0); err != unix.EPERM {
			unix.Close(fd)
			return false
		}
	}
	return true
}
