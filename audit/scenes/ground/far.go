// A machine that answers, at the other end of a second wire.

package ground

import (
	"bufio"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// Where the machine serves.
const (
	farHost  = "192.0.2.200"
	Endpoint = farHost + ":51820" // WireGuard
	Proxy    = farHost + ":1080"  // SOCKS5
	Relay    = farHost + ":1081"  // its datagrams
)

// near is our end of the wire, and mac the address of both ends, which then need not ask for it.
const (
	near = "near"
	mac  = "02:00:00:00:00:77"
)

// A Far is such a machine.
type Far struct {
	cmd  *exec.Cmd
	File []byte // of its VPN, as its operator would hand it out
}

// keys are those of both ends of a VPN.
func keys() (ours, theirs *ecdh.PrivateKey, err error) {
	if ours, err = ecdh.X25519().GenerateKey(rand.Reader); err != nil {
		return nil, nil, err
	}
	theirs, err = ecdh.X25519().GenerateKey(rand.Reader)
	return ours, theirs, err
}

// vpnFile is what a VPN's operator would hand out.
func vpnFile(ours, theirs *ecdh.PrivateKey) []byte {
	encode := base64.StdEncoding.EncodeToString
	return fmt.Appendf(nil, "[Interface]\nPrivateKey = %s\nAddress = 10.9.0.2/24\n"+
		"DNS = 10.9.0.1\n\n[Peer]\nPublicKey = %s\nEndpoint = %s\nAllowedIPs = 0.0.0.0/0\n"+
		"PersistentKeepalive = 1\n", encode(ours.Bytes()), encode(theirs.PublicKey().Bytes()),
		Endpoint)
}

// DeadVPN is the file of a VPN whose endpoint does not answer.
func DeadVPN() ([]byte, error) {
	ours, theirs, err := keys()
	if err != nil {
		return nil, err
	}
	return vpnFile(ours, theirs), nil
}

// StartFar starts the machine: command runs Serve with the arguments that it is given besides its
// own, and the machine is there when it has said so.
func StartFar(ctx context.Context, command func(ctx context.Context, args ...string) *exec.Cmd) (
	*Far, error) {
	ours, theirs, err := keys()
	if err != nil {
		return nil, err
	}
	cmd := command(ctx, hex.EncodeToString(theirs.Bytes()),
		hex.EncodeToString(ours.PublicKey().Bytes()))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET,
		Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	f := &Far{cmd: cmd, File: vpnFile(ours, theirs)}
	if err := f.join(); err != nil {
		f.Stop()
		return nil, err
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		f.Stop()
		return nil, errors.New("the machine far away does not start")
	}
	return f, nil
}

// join lays the wire to it.
func (f *Far) join() error {
	pid := strconv.Itoa(f.cmd.Process.Pid)
	err := IP("link add " + near + " address " + mac + " type veth peer name eth0 address " + mac +
		" netns " + pid)
	if err != nil {
		return err
	}
	quiet6(near)
	return IP("link set "+near+" arp off", "link set "+near+" up",
		"route add "+farHost+"/32 dev "+near)
}

// Cut has the machine end what it serves, and refuse datagrams; who comes to the proxy waits.
func (f *Far) Cut() { _ = f.cmd.Process.Signal(syscall.SIGUSR1) }

// Hang has the machine say nothing more: it is there, and takes what comes.
func (f *Far) Hang() { _ = f.cmd.Process.Signal(syscall.SIGSTOP) }

// Stop ends the machine, and with it the wire.
func (f *Far) Stop() {
	_ = f.cmd.Process.Kill()
	_ = f.cmd.Wait()
}

// wired waits, in the machine, for the wire, and makes it its own.
func wired(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if IP("link show eth0") == nil {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return IP("link set lo up", "addr add "+farHost+"/32 dev eth0", "link set eth0 arp off",
		"link set eth0 up", "route add 192.0.2.0/24 dev eth0")
}

// host is the machine's address.
func host() netip.Addr { return netip.MustParseAddr(farHost) }
