//go:build bench && linux

// The figures of sessions over datagrams: two endpoints on loopback UDP, in one process, against
// the bare AEAD on one core and against a pair of WireGuard devices in the same run.

package tunnel_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"nightjar/tunnel"
	"nightjar/tunnel/datagram"
	"nightjar/tunnel/knock"
)

func figureOf(name string, value float64, unit string) {
	fmt.Printf("FIGURE %s %.3g %s\n", name, value, unit)
}

// A benchKey is a static key pair in the clear.
type benchKey struct{ *ecdh.PrivateKey }

func (k benchKey) AgreementKey() [32]byte { return [32]byte(k.PublicKey().Bytes()) }

func (k benchKey) Agree(peer [32]byte) (shared [32]byte, err error) {
	point, err := ecdh.X25519().NewPublicKey(peer[:])
	if err != nil {
		return shared, err
	}
	b, err := k.ECDH(point)
	copy(shared[:], b)
	return shared, err
}

// udp is a socket on loopback.
func udp(t testing.TB) (*net.UDPConn, netip.AddrPort) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return c, c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// overUDP is a session over loopback.
func overUDP(t testing.TB) (a, b *datagram.Conn, end func()) {
	var keys [2]benchKey
	var peers [2]tunnel.Peer
	var root, psk [32]byte
	rand.Read(root[:])
	for i := range keys {
		k, err := ecdh.X25519().GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = benchKey{k}
		peers[i] = tunnel.Peer{Static: keys[i].AgreementKey(), Root: root, PSK: psk}
	}
	ca, _ := udp(t)
	cb, at := udp(t)
	ea := datagram.New(ca, keys[0], func() []tunnel.Peer { return peers[1:] })
	eb := datagram.New(cb, keys[1], func() []tunnel.Peer { return peers[:1] })
	a, err := ea.Dial(context.Background(), peers[1], at)
	if err != nil {
		t.Fatal(err)
	}
	if b, err = eb.Accept(context.Background()); err != nil {
		t.Fatal(err)
	}
	return a, b, func() { ea.Close(); eb.Close() }
}

// spent is the processor time of this process, or of the calling thread.
func spent(who int) time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(who, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// roundTrips is the median time of n echoes.
func roundTrips(n int, echo func()) float64 {
	var took []float64
	for range n {
		start := time.Now()
		echo()
		took = append(took, float64(time.Since(start).Nanoseconds())/1000)
	}
	return median(took)
}

// plainEcho is echoes over bare UDP.
func plainEcho(t testing.TB, size int) (echo func(), end func()) {
	a, _ := udp(t)
	b, at := udp(t)
	go func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := b.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			b.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	out, in := make([]byte, size), make([]byte, 2048)
	echo = func() {
		a.WriteToUDPAddrPort(out, at)
		a.ReadFromUDPAddrPort(in)
	}
	return echo, func() { a.Close(); b.Close() }
}

// sealedEcho is echoes over a session, received as most users do.
func sealedEcho(t testing.TB, size int) (echo func(), end func()) {
	a, b, end := overUDP(t)
	go func() {
		in := [][]byte{make([]byte, datagram.MaxDatagram)}
		for {
			if _, err := b.ReceiveDatagrams(context.Background(), in); err != nil {
				return
			}
			b.SendDatagram(in[0])
		}
	}()
	out, in := make([]byte, size), [][]byte{make([]byte, datagram.MaxDatagram)}
	echo = func() {
		a.SendDatagram(out)
		a.ReceiveDatagrams(context.Background(), in)
	}
	return echo, end
}

// handledTimes is the median time of n echoes over a session, received by handlers.
func handledTimes(t testing.TB, size, n int) float64 {
	a, b, end := overUDP(t)
	defer end()
	b.HandleDatagrams(func(all [][]byte) {
		for _, d := range all {
			b.SendDatagram(d)
		}
	})
	var took []float64
	out, done, start := make([]byte, size), make(chan struct{}), time.Now()
	a.HandleDatagrams(func([][]byte) {
		if took = append(took, float64(time.Since(start).Nanoseconds())/1000); len(took) == n {
			close(done)
			return
		}
		start = time.Now()
		a.SendDatagram(out)
	})
	a.SendDatagram(out)
	<-done
	return median(took)
}

func TestFiguresOfDatagramTimes(t *testing.T) {
	plain, endPlain := plainEcho(t, 200)
	defer endPlain()
	sealed, endSealed := sealedEcho(t, 200)
	defer endSealed()
	var waited, handled []float64
	for range 9 {
		without := roundTrips(1000, plain)
		waited = append(waited, roundTrips(1000, sealed)-without)
		handled = append(handled, handledTimes(t, 200, 1000)-without)
	}
	figureOf("tunnel.added_rtt_p50_us", median(handled), "us over plain UDP, by handlers")
	figureOf("tunnel.added_rtt_waiting_p50_us", median(waited),
		"us over plain UDP, by ReceiveDatagrams")
}

func TestFiguresOfStreamsOverDatagrams(t *testing.T) {
	const size = 128 << 20
	var rates []float64
	for range 3 {
		a, b, end := overUDP(t)
		go func() {
			s, err := a.OpenStream(context.Background())
			if err != nil {
				return
			}
			for buf, n := make([]byte, 64<<10), 0; n < size; n += len(buf) {
				s.Write(buf)
			}
			s.Close()
		}()
		s, err := b.AcceptStream(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		start, n, buf := time.Now(), 0, make([]byte, 64<<10)
		for err == nil {
			var m int
			m, err = s.Read(buf)
			n += m
		}
		if n != size {
			t.Fatal(n, err, a.Err(), b.Err())
		}
		rates = append(rates, float64(n)*8/1e6/time.Since(start).Seconds())
		end()
	}
	figureOf("tunnel.datagram_stream_mbit", median(rates), "Mbit/s, one QUIC stream")
}

func TestFiguresOfStrangersDatagrams(t *testing.T) {
	for _, contacts := range []int{100, 1024} {
		peers := make([]tunnel.Peer, contacts)
		for i := range peers {
			rand.Read(peers[i].Root[:])
			rand.Read(peers[i].Static[:])
		}
		list := func() []tunnel.Peer { return slices.Clone(peers) } // as a node does
		noise := make([]byte, knock.PieceSize)
		rand.Read(noise)
		var door knock.Door
		var took []float64
		now := time.Unix(1e9, 0)
		for range 15 {
			const n = 300 // within the budget of a second
			start := time.Now()
			for range n {
				if _, whole := door.Take(noise, [32]byte{}, list, now); whole {
					t.Fatal("noise was taken for a message")
				}
			}
			took = append(took, float64(time.Since(start).Nanoseconds())/1000/n)
			now = now.Add(time.Second)
		}
		figureOf(fmt.Sprintf("tunnel.stranger_datagram_us_%d", contacts), median(took),
			"us with as many contacts")
	}
}
