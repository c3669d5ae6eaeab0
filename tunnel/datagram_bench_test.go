//go:build bench && linux

// The figures of sessions over datagrams: two endpoints on loopback UDP, in one process, against
// the bare AEAD on one core and against a pair of WireGuard devices in the same run.
//
// Each ratio is given twice: by the clock on the wall, which is what counts and which other work
// on the machine spoils; and by processor time, which says what it would be alone on two cores:
// a session's rate is then that of its busier side, the devices' that of both cores in full.

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
	"syscall"
	"testing"
	"time"

	"nightjar/tunnel"
	"nightjar/tunnel/datagram"
	"nightjar/tunnel/knock"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/sys/unix"
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

// spent is the processor time of this process, or of the calling thread.
func spent(who int) time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(who, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A speed is packets in a second, by the wall and by processor time.
type speed struct{ wall, alone float64 }

// bare is how fast one core seals packets of that size.
func bare(t testing.TB, size int) speed {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	aead, err := chacha20poly1305.New(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	var nonce [12]byte
	plain, sealed := make([]byte, size), make([]byte, 0, size+aead.Overhead())
	start, before, n := time.Now(), spent(unix.RUSAGE_THREAD), 0
	for time.Since(start) < span/2 {
		for range 500 {
			n++
			binary.LittleEndian.PutUint64(nonce[4:], uint64(n))
			sealed = aead.Seal(sealed[:0], nonce[:], plain, nil)
		}
	}
	cpu := spent(unix.RUSAGE_THREAD) - before
	return speed{float64(n) / time.Since(start).Seconds(), float64(n) / cpu.Seconds()}
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

// rate is how fast a session carries datagrams of that size, and how many objects each allocates.
func rate(t testing.TB, a, b *datagram.Conn, size int) (got speed, allocs float64) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const row = 64
	ctx, cancel := context.WithCancel(context.Background())
	w, ended := newWindow(), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			r, err := b.ReceiveRow(ctx)
			if err != nil {
				return
			}
			n := len(r.Datagrams)
			r.Release()
			w.took(n)
		}
	}()
	out := make([][]byte, row)
	for i := range out {
		out[i] = make([]byte, size)
	}
	drive := func(span time.Duration) (s speed, came int64) {
		start, before := time.Now(), w.came.Load()
		all, mine := spent(unix.RUSAGE_SELF), spent(unix.RUSAGE_THREAD)
		for time.Since(start) < span {
			w.wait(row, size)
			if err := a.SendDatagrams(out); err != nil {
				t.Fatal(err)
			}
		}
		came = w.came.Load() - before
		mine = spent(unix.RUSAGE_THREAD) - mine
		busier := max(mine, spent(unix.RUSAGE_SELF)-all-mine)
		return speed{float64(came) / time.Since(start).Seconds(),
			float64(came) / busier.Seconds()}, came
	}
	drive(span / 4) // until every buffer has grown
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	got, came := drive(span)
	runtime.ReadMemStats(&m1)
	cancel()
	<-ended
	return got, float64(m1.Mallocs-m0.Mallocs) / float64(came)
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

func TestFiguresOfDatagramRates(t *testing.T) {
	for _, size := range []int{200, 1200} {
		var rates, allocs, limits, guards, limitsAlone, guardsAlone []float64
		for range 9 {
			a, b, end := overUDP(t)
			limit := bare(t, size)
			ours, n := rate(t, a, b, size)
			end()
			theirs := wireguard(t, size)
			rates, allocs = append(rates, ours.wall), append(allocs, n)
			limits = append(limits, ours.wall/limit.wall)
			limitsAlone = append(limitsAlone, ours.alone/limit.alone)
			guards = append(guards, ours.wall/theirs.wall)
			guardsAlone = append(guardsAlone, ours.alone/theirs.alone)
		}
		say := func(name string, all []float64, unit string) {
			figureOf(fmt.Sprintf("tunnel.%s_%d", name, size), median(all), unit)
		}
		say("rate", rates, "packets/s")
		say("limit_ratio", limits, "of one core's Seal")
		say("limit_ratio_alone", limitsAlone, "of one core's Seal, by processor time")
		say("wireguard_ratio", guards, "times wireguard-go")
		say("wireguard_ratio_alone", guardsAlone, "times wireguard-go, by processor time")
		say("allocs_per_packet", allocs, "allocs")
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
		noise := make([]byte, knock.PieceSize)
		rand.Read(noise)
		var door knock.Door
		var took []float64
		now := time.Unix(1e9, 0)
		for range 15 {
			const n = 300 // within the budget of a second
			start := time.Now()
			for range n {
				if _, whole := door.Take(noise, [32]byte{}, peers, now); whole {
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
