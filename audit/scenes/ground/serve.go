// What the machine far away serves: a WireGuard of which nothing comes out at the other side, and a
// SOCKS5 proxy that grants what it is asked for and passes nothing on.

package ground

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun"
)

// Serve is the machine: args are its private key and the public key of who uses its VPN, in
// hexadecimal. It says a line when it is there, and ends with ctx.
func Serve(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("a machine far away wants two keys")
	}
	if err := wired(ctx); err != nil {
		return err
	}
	cut, uncut := signal.NotifyContext(ctx, syscall.SIGUSR1)
	defer uncut()
	l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(
		netip.MustParseAddrPort(Proxy))) // for good: whoever comes later is left waiting
	if err != nil {
		return err
	}
	defer l.Close()
	if err := serve(cut, l, args[0], args[1]); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// serve serves until ctx ends.
func serve(ctx context.Context, l net.Listener, own, theirs string) error {
	dev := device.NewDevice(&sink{done: make(chan struct{}), events: make(chan tun.Event, 1)},
		conn.NewDefaultBind(), &device.Logger{Verbosef: device.DiscardLogf,
			Errorf: device.DiscardLogf})
	defer dev.Close()
	port := netip.MustParseAddrPort(Endpoint).Port()
	err := dev.IpcSet(fmt.Sprintf("private_key=%s\nlisten_port=%d\npublic_key=%s\n"+
		"allowed_ip=10.9.0.2/32\n", own, port, theirs))
	if err == nil {
		err = dev.Up()
	}
	if err != nil {
		return err
	}
	datagrams, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(Relay)))
	if err != nil {
		return err
	}
	defer datagrams.Close()
	go grant(ctx, l)
	fmt.Println("serves")
	<-ctx.Done()
	return nil
}

// farAway is how long an answer of the proxy's takes: long enough for whose connection it is to be
// looked up, on a machine that is busy too.
const farAway = 400 * time.Millisecond

// grant grants every association, and holds it until ctx ends; then it takes no more.
func grant(ctx context.Context, l net.Listener) {
	for ctx.Err() == nil {
		c, err := l.Accept()
		if err != nil {
			return
		}
		if ctx.Err() != nil {
			_, _ = io.Copy(io.Discard, c) // it is left waiting, as those that come later are
			c.Close()
			return
		}
		go func() {
			defer context.AfterFunc(ctx, func() { c.Close() })()
			defer c.Close()
			b := make([]byte, 256)
			if _, err := io.ReadFull(c, b[:2]); err != nil {
				return
			}
			_, _ = io.ReadFull(c, b[:b[1]])
			<-time.After(farAway)
			_, _ = c.Write([]byte{5, 0})
			_, _ = io.ReadFull(c, b[:10])
			at := netip.MustParseAddrPort(Relay)
			a := host().As4()
			_, _ = c.Write([]byte{5, 0, 0, 1, a[0], a[1], a[2], a[3], byte(at.Port() >> 8),
				byte(at.Port())})
			_, _ = io.Copy(io.Discard, c)
		}()
	}
}

// sink is an interface of which nothing ever comes, and into which everything disappears.
type sink struct {
	done   chan struct{}
	events chan tun.Event
}

func (s *sink) File() *os.File           { return nil }
func (s *sink) MTU() (int, error)        { return 1420, nil }
func (s *sink) Name() (string, error)    { return "sink", nil }
func (s *sink) BatchSize() int           { return 1 }
func (s *sink) Events() <-chan tun.Event { return s.events }

func (s *sink) Read([][]byte, []int, int) (int, error) {
	<-s.done
	return 0, os.ErrClosed
}

func (s *sink) Write(bufs [][]byte, _ int) (int, error) { return len(bufs), nil }

func (s *sink) Close() error {
	close(s.done)
	close(s.events)
	return nil
}
