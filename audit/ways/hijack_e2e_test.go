//go:build e2e

// An engine in an attacker's hands, which wants a packet out by any other way than its own; beside
// it the same one under a warden that hands out any socket.

package ways

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"nightjar/audit/privnet/lab"
	"nightjar/cmd/warden"
	"nightjar/onion/exposure"
)

// What the roles of this binary are called.
const (
	engineWord = "engine"
	wardenWord = "warden"
)

// far is where nothing may go.
const far = lab.Far + ":4"

// hijack plays a warden, with the way that its argument names, or the engine that it starts.
func hijack(args []string) int {
	if args[0] == wardenWord {
		way := warden.Way{Kind: exposure.VPN, To: netip.MustParseAddrPort(lab.Endpoint)}
		if args[1] == "naive" {
			way = warden.Way{Kind: exposure.Direct, Word: exposure.Direct.String()}
		}
		code, err := warden.Run(context.Background(), warden.Config{Command: []string{engineWord},
			Order: warden.Order{Args: []string{"try"}}, Way: way, TorDir: args[2]})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		return code
	}
	w, err := warden.Take(args[1:])
	if err != nil || !w.State.Sealed() {
		fmt.Fprintln(os.Stderr, "not sealed:", err)
		return 1
	}
	for name, err := range tries(w) {
		fmt.Printf("%s: %v\n", name, err)
	}
	return 0
}

// tries are all the ways in which such an engine can send a packet to the far host.
func tries(w *warden.Ward) map[string]error {
	ctx, to := context.Background(), netip.MustParseAddrPort(far)
	out := map[string]error{}
	for _, network := range []string{"udp", "tcp"} {
		c, err := w.Socket(ctx, network, to)
		if err == nil {
			_, err = c.Write([]byte("here I am"))
		}
		out[network+" socket"] = err
	}
	n := w.Native()
	defer n.Close()
	p, err := n.ListenPacket(ctx)
	if err == nil {
		_, err = p.WriteTo([]byte("here I am"), net.UDPAddrFromAddrPort(to))
	}
	out["datagram"] = err
	out["the VPN's own socket"] = misuse(w, to)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err == nil {
		err = unix.Sendto(fd, []byte("here I am"), 0, address(to))
	}
	out["a socket of its own"] = err
	return out
}

// misuse sends elsewhere by the socket that leads to the VPN, as the kernel lets a process do.
func misuse(w *warden.Ward, to netip.AddrPort) error {
	c, err := w.Socket(context.Background(), "udp", netip.MustParseAddrPort(lab.Endpoint))
	if err != nil {
		return err
	}
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	if cerr := raw.Control(func(fd uintptr) {
		err = unix.Sendto(int(fd), []byte("here I am"), 0, address(to))
	}); cerr != nil {
		return cerr
	}
	return err
}

func address(a netip.AddrPort) unix.Sockaddr {
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
}

// stray has a hijacked engine try to get past its VPN, under our warden or under one that hands out
// any socket.
func stray(l *lab.Lab, guarded bool) string {
	l.T.Helper()
	which := "naive"
	if guarded {
		which = "guarded"
	}
	out, err := exec.Command("/proc/self/exe", wardenWord, which, l.T.TempDir()).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		l.T.Fatal(err)
	}
	return string(out)
}

func TestHijackedEngineCannotGetPastItsVPN(t *testing.T) {
	lab.Run(t, nil, func(l *lab.Lab) {
		watch := l.Watch("ip daddr " + lab.World + " udp dport 51820")
		said := stray(l, true)
		l.T.Log(said)
		if n := watch.Counted(); n.Stray != 0 || said == "" {
			l.T.Errorf("%d packets went astray; it said: %s", n.Stray, said)
		}
		said = stray(l, false)
		if n := watch.Counted(); n.Stray == 0 {
			l.T.Errorf("under a warden that hands out any socket none does: this test proves "+
				"nothing; it said: %s", said)
		}
	})
}
