//go:build bench

// The figures of sessions over datagrams: two endpoints on loopback UDP, in one process, against
// the bare AEAD on one core and against a pair of WireGuard devices in the same run.

package tunnel_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"nightjar/tunnel"
	"nightjar/tunnel/datagram"

	"golang.org/x/crypto/chacha20poly1305"
)

func figureOf(name string, value float64, unit string) {
	fmt.Printf("FIGURE %s %.3g %s\n", name, value, unit)
}

// span is how long one measurement of a rate lasts.
const span = 400 * time.Millisecond

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

// bare is how many packets of that size one core seals in a second.
func bare(t testing.TB, size int) float64 {
	aead, err := chacha20poly1305.New(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	var nonce [12]byte
	plain, sealed := make([]byte, size), make([]byte, 0, size+aead.Overhead())
	start, n := time.Now(), 0
	for time.Since(start) < span/2 {
		for range 500 {
			n++
			binary.LittleEndian.PutUint64(nonce[4:], uint64(n))
			sealed = aead.Seal(sealed[:0], nonce[:], plain, nil)
		}
	}
	return float64(n) / time.Since(start).Seconds()
}

// ahead is how many bytes may be on the way: both tunnels are driven by the same window, as any
// sender with congestion control drives them.
const ahead = 3 << 19

// A window holds a sender back while too much is on the way.
type window struct {
	sent  int64
	came  atomic.Int64
	moved chan struct{} // holds one when something came
	lost  *time.Timer
}

func newWindow() *window {
	return &window{moved: make(chan struct{}, 1), lost: time.NewTimer(0)}
}

// took notes that n packets came.
func (w *window) took(n int) {
	w.came.Add(int64(n))
	select {
	case w.moved <- struct{}{}:
	default:
	}
}

// wait returns when n more packets of that size may leave. When nothing comes for a while what is
// on the way is lost.
func (w *window) wait(n, size int) {
	for w.sent+int64(n)-w.came.Load() > int64(ahead/size) {
		w.lost.Reset(20 * time.Millisecond)
		select {
		case <-w.moved:
		case <-w.lost.C:
			w.sent = w.came.Load()
		}
	}
	w.sent += int64(n)
}

// rate is how many datagrams of that size a session carries in a second, and how many objects
// each allocates.
func rate(t testing.TB, a, b *datagram.Conn, size int) (pps, allocs float64) {
	const row = 64
	ctx, cancel := context.WithCancel(context.Background())
	w, ended := newWindow(), make(chan struct{})
	go func() {
		defer close(ended)
		bufs := make([][]byte, 4*row)
		for i := range bufs {
			bufs[i] = make([]byte, datagram.MaxDatagram)
		}
		for {
			n, err := b.ReceiveDatagrams(ctx, bufs)
			if err != nil {
				return
			}
			w.took(n)
		}
	}()
	out := make([][]byte, row)
	for i := range out {
		out[i] = make([]byte, size)
	}
	drive := func(span time.Duration) float64 {
		start, before := time.Now(), w.came.Load()
		for time.Since(start) < span {
			w.wait(row, size)
			if err := a.SendDatagrams(out); err != nil {
				t.Fatal(err)
			}
		}
		return float64(w.came.Load()-before) / time.Since(start).Seconds()
	}
	drive(span / 4) // until every buffer has grown
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	before := w.came.Load()
	pps = drive(span)
	runtime.ReadMemStats(&m1)
	allocs = float64(m1.Mallocs-m0.Mallocs) / float64(w.came.Load()-before)
	cancel()
	<-ended
	return pps, allocs
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

func TestFiguresOfDatagramRates(t *testing.T) {
	for _, size := range []int{200, 1200} {
		var rates, limits, allocs, guards []float64
		for range 7 {
			a, b, end := overUDP(t)
			limit := bare(t, size)
			pps, n := rate(t, a, b, size)
			end()
			rates, allocs = append(rates, pps), append(allocs, n)
			limits = append(limits, pps/limit)
			guards = append(guards, pps/wireguard(t, size))
		}
		figureOf(fmt.Sprintf("tunnel.rate_%d", size), median(rates), "packets/s")
		figureOf(fmt.Sprintf("tunnel.limit_ratio_%d", size), median(limits),
			"of one core's Seal")
		figureOf(fmt.Sprintf("tunnel.wireguard_ratio_%d", size), median(guards),
			"times wireguard-go")
		figureOf(fmt.Sprintf("tunnel.allocs_per_packet_%d", size), median(allocs), "allocs")
	}
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

// sealedEcho is echoes over a session.
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

func TestFiguresOfDatagramTimes(t *testing.T) {
	plain, endPlain := plainEcho(t, 200)
	defer endPlain()
	sealed, endSealed := sealedEcho(t, 200)
	defer endSealed()
	var added []float64
	for range 9 {
		without := roundTrips(1000, plain)
		added = append(added, roundTrips(1000, sealed)-without)
	}
	figureOf("tunnel.added_rtt_p50_us", median(added), "us over plain UDP")
}
