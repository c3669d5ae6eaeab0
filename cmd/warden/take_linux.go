// How a process becomes an engine.

package warden

import (
	"encoding/json"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"nightjar/onion/seal"
)

// maxOrder is more than an order has, in bytes.
const maxOrder = 1 << 20

// Take makes this process, which Run started, an engine: it gives up what it does not need, starts
// this program once more in what is left, and takes the order. args are the arguments after the
// Config's Command. It is called first thing, before there is any secret. Errors are ErrOrder.
func Take(args []string) (*Ward, error) {
	if len(args) > 0 && args[0] == wallWord {
		if immure() != nil {
			os.Exit(wallBroken)
		}
		os.Exit(0)
	}
	var o order
	if err := read(orderFD, &o); err != nil {
		return nil, err
	}
	if len(args) == 0 {
		if err := seal.Enter(o.Files, o.Network, os.Args); err != nil {
			return nil, ErrEngine
		}
	}
	socket := os.NewFile(lineFD, "line")
	l, err := newLine(socket)
	if err != nil {
		return nil, ErrOrder
	}
	socket.Close()
	_ = unix.Close(orderFD)
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGTERM), 0, 0, 0) // the line ends as well
	state := seal.Apply(args[0], o.Anywhere)
	w := attend(l)
	w.Order, w.State, w.Loose, w.Resolver = o.Order, state, o.Loose, o.Resolver
	w.Anywhere, w.Astray = o.Anywhere || !state.Calls, o.Astray
	w.Order.PasswordFD = -1
	if o.Password {
		w.Order.PasswordFD = passwordFD
	}
	return w, nil
}

// read reads a message in a file in memory, from the beginning each time.
func read(fd int, to any) error {
	var st syscall.Stat_t
	if syscall.Fstat(fd, &st) != nil || st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return ErrOrder
	}
	second, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return ErrOrder
	}
	f := os.NewFile(uintptr(second), "order")
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, maxOrder))
	if err != nil || json.Unmarshal(b, to) != nil {
		return ErrOrder
	}
	return nil
}

// kill ends this process.
func kill() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) }
