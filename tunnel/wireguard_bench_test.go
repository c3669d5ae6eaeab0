//go:build bench && linux

// The rival: two WireGuard devices (golang.zx2c4.com/wireguard) on loopback in this process, with
// interfaces that only count, driven by the same window as our own sessions.

package tunnel_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flynn/noise"
	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun"
)

// A counter is an interface that offers packets while it is driven, and counts those that come.
type counter struct {
	size     int
	from, to byte // last byte of the addresses
	drive    atomic.Pointer[window]
	counts   atomic.Pointer[window]
	one      chan struct{}
	closed   chan struct{}
	once     sync.Once
	events   chan tun.Event
}

func newCounter(size int, from, to byte) *counter {
	c := &counter{size: size, from: from, to: to, one: make(chan struct{}, 1),
		closed: make(chan struct{}), events: make(chan tun.Event, 1)}
	c.events <- tun.EventUp
	return c
}

// packet is an IPv4 packet of UDP.
func (c *counter) packet(b []byte) {
	clear(b[:28])
	b[0], b[8], b[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	copy(b[12:], []byte{10, 0, 0, c.from, 10, 0, 0, c.to})
}

// Read offers packets: as many as the window lets, or one when asked.
func (c *counter) Read(bufs [][]byte, sizes []int, offset int) (int, error) {
	for {
		n := 1
		if w := c.drive.Load(); w != nil {
			if n = len(bufs); w.bytes != flooded {
				n = min(n, 64)
			}
			w.wait(n, c.size)
		} else {
			select {
			case <-c.closed:
				return 0, os.ErrClosed
			case <-c.one:
			}
		}
		if c.drive.Load() == nil && n > 1 {
			continue
		}
		for i := range n {
			c.packet(bufs[i][offset : offset+c.size])
			sizes[i] = c.size
		}
		return n, nil
	}
}

// Write counts packets.
func (c *counter) Write(bufs [][]byte, _ int) (int, error) {
	if w := c.counts.Load(); w != nil {
		w.took(len(bufs))
	}
	return len(bufs), nil
}

func (c *counter) File() *os.File           { return nil }
func (c *counter) MTU() (int, error)        { return 1420, nil }
func (c *counter) Name() (string, error)    { return "counter", nil }
func (c *counter) Events() <-chan tun.Event { return c.events }
func (c *counter) BatchSize() int           { return conn.IdealBatchSize }

func (c *counter) Close() error {
	c.once.Do(func() { close(c.closed); close(c.events) })
	return nil
}

// device starts one of the two.
func startDevice(t testing.TB, c *counter, own, peer noise.DHKey, port, other int) *device.Device {
	d := device.NewDevice(c, conn.NewDefaultBind(), device.NewLogger(device.LogLevelSilent, ""))
	err := d.IpcSet(fmt.Sprintf("private_key=%s\nlisten_port=%d\npublic_key=%s\n"+
		"endpoint=127.0.0.1:%d\nallowed_ip=10.0.0.%d/32\n", hex.EncodeToString(own.Private), port,
		hex.EncodeToString(peer.Public), other, c.to))
	if err == nil {
		err = d.Up()
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// wireguard is how fast a pair carries packets of that size, driven by a window or flooded.
func wireguard(t testing.TB, size, bytes int) speed {
	sa, ata := udp(t)
	sb, atb := udp(t)
	sa.Close()
	sb.Close()
	ka, _ := noise.DH25519.GenerateKeypair(nil)
	kb, _ := noise.DH25519.GenerateKeypair(nil)
	a, b := newCounter(size, 1, 2), newCounter(size, 2, 1)
	da := startDevice(t, a, ka, kb, int(ata.Port()), int(atb.Port()))
	defer da.Close()
	db := startDevice(t, b, kb, ka, int(atb.Port()), int(ata.Port()))
	defer db.Close()
	w := newWindow(guardAhead)
	b.counts.Store(w)
	a.one <- struct{}{} // begins the handshake
	select {
	case <-w.moved:
	case <-time.After(5 * time.Second):
		t.Fatal("wireguard does not come up")
	}
	drive := newWindow(bytes)
	b.counts.Store(drive)
	a.drive.Store(drive)
	a.one <- struct{}{}
	<-time.After(span / 4)
	start, before, cpu := time.Now(), drive.came.Load(), spent(unix.RUSAGE_SELF)
	<-time.After(span)
	came := float64(drive.came.Load() - before)
	cpu = spent(unix.RUSAGE_SELF) - cpu
	a.drive.Store(nil)
	return speed{came / time.Since(start).Seconds(), came / (cpu / 2).Seconds()}
}
