//go:build bench

// Figures of the VPN: "go test -tags bench -run Figures -v ./onion/ways". The control is measured
// in the same run, in turns: WireGuard's own stack and sockets with nothing of ours, to the same
// server.

package ways_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun/netstack"

	"nightjar/audit/privnet/lab"
	"nightjar/onion/ways"
)

func figure(name string, value float64, unit string) {
	fmt.Printf("FIGURE %s %.3g %s\n", name, value, unit)
}

// A tunnel is a VPN, ours or the control.
type tunnel struct {
	dial   func(ctx context.Context, to netip.AddrPort) (net.Conn, error)
	listen func() (net.PacketConn, error)
	close  func()
}

func own(t *testing.T, file []byte) tunnel {
	t.Helper()
	w := open(t, "vpn:file", ways.Config{File: file})
	return tunnel{w.Packets.DialAddr,
		func() (net.PacketConn, error) { return w.Packets.ListenPacket(t.Context()) },
		func() { w.Close() }}
}

// bare is WireGuard as its authors put it together.
func bare(t *testing.T, file []byte) tunnel {
	t.Helper()
	value := func(name string) string {
		for line := range strings.Lines(string(file)) {
			if k, v, ok := strings.Cut(line, " = "); ok && k == name {
				return strings.TrimSpace(v)
			}
		}
		t.Fatalf("no %s", name)
		return ""
	}
	key := func(name string) string {
		b, err := base64.StdEncoding.DecodeString(value(name))
		if err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(b)
	}
	at := netip.MustParseAddr(lab.Given)
	tun, stack, err := netstack.CreateNetTUN([]netip.Addr{at}, nil, 1420)
	if err != nil {
		t.Fatal(err)
	}
	d := device.NewDevice(tun, conn.NewDefaultBind(), device.NewLogger(device.LogLevelSilent, ""))
	if err := d.IpcSet("private_key=" + key("PrivateKey") + "\npublic_key=" + key("PublicKey") +
		"\nendpoint=" + lab.Endpoint + "\nallowed_ip=0.0.0.0/0\n"); err != nil {
		t.Fatal(err)
	}
	if err := d.Up(); err != nil {
		t.Fatal(err)
	}
	return tunnel{
		func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			return stack.DialContextTCPAddrPort(ctx, to)
		},
		func() (net.PacketConn, error) {
			return stack.ListenUDPAddrPort(netip.AddrPortFrom(at, 0))
		},
		func() { d.Down() }, // Close can bring down the process
	}
}

const span = 2 * time.Second

// mbit returns how much a stream brings down, or takes up, in megabits per second.
func mbit(t *testing.T, v tunnel, up bool) float64 {
	t.Helper()
	port := ":19"
	if up {
		port = ":9"
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := v.dial(ctx, netip.MustParseAddrPort(lab.Inside+port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	begun := time.Now()
	c.SetDeadline(begun.Add(span))
	var n int64
	if up {
		for b := make([]byte, 64<<10); err == nil; {
			var m int
			m, err = c.Write(b)
			n += int64(m)
		}
	} else {
		n, _ = io.Copy(io.Discard, c)
	}
	return float64(n) * 8 / 1e6 / time.Since(begun).Seconds()
}

// trip returns the median of many echoes of 172 bytes, as voice sends them, in microseconds.
func trip(t *testing.T, v tunnel) float64 {
	t.Helper()
	c, err := v.listen()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(lab.Inside + ":7"))
	var all []time.Duration
	lost := 0
	for b := make([]byte, 172); len(all) < 1000; {
		begun := time.Now()
		c.SetReadDeadline(begun.Add(time.Second))
		if _, err := c.WriteTo(b, to); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.ReadFrom(b); err == nil {
			all = append(all, time.Since(begun))
		} else if lost++; lost > 5 { // what the streams before have left in queues can cost some
			t.Fatalf("%d datagrams are lost: %v", lost, err)
		}
	}
	if lost > 0 {
		t.Logf("%d datagrams are lost", lost)
	}
	return float64(middle(all).Nanoseconds()) / 1000
}

func middle[T time.Duration | float64](all []T) T {
	slices.Sort(all)
	return all[len(all)/2]
}

func TestFiguresOfTheVPN(t *testing.T) {
	lab.Run(t, nil, func(l *lab.Lab) {
		file, _ := l.WireGuard()
		l.Echo(lab.Inside)
		measures := []struct {
			name, unit string
			take       func(v tunnel) float64
		}{
			{"vpn.tcp_mbit", "Mbit/s down", func(v tunnel) float64 { return mbit(l.T, v, false) }},
			{"vpn.tcp_up_mbit", "Mbit/s up", func(v tunnel) float64 { return mbit(l.T, v, true) }},
			{"vpn.udp_rtt_us", "us", func(v tunnel) float64 { return trip(l.T, v) }},
		}
		ours, theirs := map[string][]float64{}, map[string][]float64{}
		for range 3 {
			for _, side := range []struct {
				make func(*testing.T, []byte) tunnel
				into map[string][]float64
			}{{own, ours}, {bare, theirs}} {
				v := side.make(l.T, file)
				for _, m := range measures {
					side.into[m.name] = append(side.into[m.name], m.take(v))
				}
				v.close()
			}
		}
		for _, m := range measures {
			a, b := middle(ours[m.name]), middle(theirs[m.name])
			figure(m.name, a, m.unit)
			figure(m.name+"_bare", b, m.unit)
			figure(m.name+"_ratio", a/b, "times bare WireGuard")
		}
	})
}
