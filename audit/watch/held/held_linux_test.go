// Claims about finding the holder of a socket.

package held

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Roles of this program when the test starts it again.
const (
	holder = "holder:" // opens a socket, shuts itself off as an engine does, says which, and waits
	seeker = "seeker:" // an ordinary user, root of a namespace, who looks into a holder
)

func TestMain(m *testing.M) {
	var err error
	switch os.Args[len(os.Args)-1] {
	case holder:
		err = hold()
	case seeker:
		err = seek()
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// user is an ordinary one: the one who runs the test, or one that root can be.
func user() int {
	if os.Getuid() == 0 {
		return 65533
	}
	return os.Getuid()
}

// anew is this program in a user namespace of one user.
func anew(role string, inside, outside int) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", role)
	only := []syscall.SysProcIDMap{{ContainerID: inside, HostID: outside, Size: 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: only, GidMappings: only, Pdeathsig: syscall.SIGKILL,
		Credential: &syscall.Credential{Uid: uint32(inside), Gid: uint32(inside),
			NoSetGroups: true}}
	return cmd
}

func hold() error {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	defer c.Close()
	f, err := c.File()
	if err != nil {
		return err
	}
	defer f.Close()
	var s unix.Stat_t
	err = errors.Join(unix.Fstat(int(f.Fd()), &s), unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
	fmt.Println(s.Ino)
	_, _ = os.Stdin.Read(make([]byte, 1)) // until the seeker is done
	return err
}

func seek() error {
	cmd := anew(holder, 1, 0)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { in.Close(); _ = cmd.Wait() }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return err
	}
	want, err := strconv.ParseUint(strings.TrimSpace(line), 10, 64)
	if err != nil {
		return err
	}
	list, err := os.Open(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "fd"))
	if err == nil {
		list.Close()
		return errors.New("the kernel's list can be read: this tries nothing")
	}
	found := false
	By(cmd.Process.Pid, func(n uint64) bool {
		found = n == want
		return !found
	})
	if !found {
		return errors.New("the socket is nobody's")
	}
	return nil
}

// An engine, shut off and in a namespace without a root, cannot hide its sockets from an audit
// that an ordinary user runs. Reading the kernel's list alone would not find them.
func TestOrdinaryUserSeesWhoHoldsASocket(t *testing.T) {
	if out, err := anew(seeker, 0, user()).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
