//go:build bench

// The figures of the tunnel: "go test -tags bench -run Figures -v ./tunnel". Each line
// "FIGURE name value unit" has its control measured in the same run and process.

package tunnel

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/tunnel/handshake"
	"nightjar/tunnel/record"

	"github.com/flynn/noise"
	"golang.org/x/crypto/chacha20poly1305"
)

func figure(name string, value float64, unit string) {
	fmt.Printf("FIGURE %s %.3g %s\n", name, value, unit)
}

// cpu is the processor time of this process.
func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// tcpPair is two ends of a TCP connection on loopback.
func tcpPair(t *testing.T) (a, b net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn)
	go func() {
		c, _ := l.Accept()
		accepted <- c
	}()
	if a, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	return a, <-accepted
}

const bulkSize = 256 << 20

func TestFiguresOfOneStream(t *testing.T) {
	var ratios []float64
	var mbit float64
	for range 3 {
		control := bareAEAD(t)
		start, before := time.Now(), cpu()
		allocs := oneStream(t)
		spent := cpu() - before
		mbit = max(mbit, bulkSize*8/1e6/time.Since(start).Seconds())
		ratios = append(ratios, float64(spent)/float64(control))
		figure("tunnel.stream_allocs_per_record", allocs, "allocs")
	}
	slices.Sort(ratios)
	figure("tunnel.stream_mbit", mbit, "Mbit/s")
	figure("tunnel.stream_cpu_ratio", ratios[1], "times bare AEAD over TCP")
}

// oneStream carries bulkSize bytes by one stream, and returns allocations for each record's worth.
func oneStream(t *testing.T) float64 {
	ca, cb := tcpPair(t)
	a, b := newContacts(t).connect(t, ca, cb)
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	go func() {
		s, err := a.OpenStream(context.Background())
		if err != nil {
			return
		}
		for buf, n := make([]byte, 32<<10), 0; n < bulkSize; n += len(buf) {
			s.Write(buf)
		}
		s.Close()
	}()
	s, err := b.AcceptStream(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	n, buf := 0, make([]byte, 32<<10)
	for {
		m, err := s.Read(buf)
		n += m
		if err != nil {
			break
		}
	}
	if n != bulkSize {
		t.Fatal("bytes:", n, a.Err(), b.Err())
	}
	runtime.ReadMemStats(&m1)
	a.Close()
	b.Close()
	return float64(m1.Mallocs-m0.Mallocs) / (bulkSize / record.Plain)
}

// bareAEAD seals the same bytes in 482-byte pieces, copies them over the same TCP in the writes
// of io.Copy, opens them, and returns the processor time.
func bareAEAD(t *testing.T) time.Duration {
	ca, cb := tcpPair(t)
	defer ca.Close()
	defer cb.Close()
	aead, err := chacha20poly1305.New(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	const pieces = 65 // 32 KiB
	records := bulkSize / record.Plain / pieces
	before := cpu()
	go func() {
		var nonce [12]byte
		buf := make([]byte, pieces*record.Size)
		plain := make([]byte, record.Plain)
		for range records {
			for i := range pieces {
				aead.Seal(buf[i*record.Size:i*record.Size], nonce[:], plain, nil)
			}
			ca.Write(buf)
		}
	}()
	var nonce [12]byte
	buf := make([]byte, pieces*record.Size)
	for range records {
		if _, err := io.ReadFull(cb, buf); err != nil {
			t.Fatal(err)
		}
		for i := range pieces {
			sealed := buf[i*record.Size : (i+1)*record.Size]
			if _, err := aead.Open(sealed[:0], nonce[:], sealed, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	return cpu() - before
}

func TestFiguresOfTheHandshake(t *testing.T) {
	c := newContacts(t)
	epoch := handshake.Epoch(time.Now())
	var seen handshake.Memory
	ours := func() {
		in, wire, err := handshake.Start(c.aKey, c.b, epoch)
		if err != nil {
			t.Fatal(err)
		}
		_, reply, err := handshake.Answer(c.bKey, []Peer{c.a}, epoch, &seen, wire)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Finish(reply); err != nil {
			t.Fatal(err)
		}
	}
	classical := classicalIK(t)
	var ratios []float64
	var one time.Duration
	for range 5 {
		plain := timed(200, classical)
		one = timed(200, ours)
		ratios = append(ratios, float64(plain)/float64(one))
	}
	slices.Sort(ratios)
	figure("tunnel.hybrid_handshake_ratio", ratios[2], "times the rate of Noise IK alone")
	figure("tunnel.handshake_ms", float64(one.Microseconds())/1000, "ms, both sides")
	forged := make([]byte, handshake.Size)
	rand.Read(forged)
	refuse := func() { handshake.Answer(c.bKey, []Peer{c.a}, epoch, &seen, forged) }
	figure("tunnel.forged_first_cost_ratio", float64(timed(2000, refuse))/float64(one),
		"of a handshake")
	for _, n := range []int{100, handshake.MaxPeers} {
		crowd := make([]Peer, n)
		refuse = func() { handshake.Answer(c.bKey, crowd, epoch, &seen, forged) }
		refuse() // makes the marks of an epoch
		each := timed(1000, refuse)
		figure(fmt.Sprintf("tunnel.forged_first_us_%d", n), float64(each.Nanoseconds())/1000,
			"us with as many contacts")
		figure(fmt.Sprintf("tunnel.forged_first_ratio_%d", n), float64(each)/float64(one),
			"of a handshake")
	}
}

// classicalIK is one Noise IK handshake by the library alone, with its own Diffie-Hellman.
func classicalIK(t *testing.T) func() {
	suite := noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashBLAKE2s)
	a, _ := noise.DH25519.GenerateKeypair(rand.Reader)
	b, _ := noise.DH25519.GenerateKeypair(rand.Reader)
	return func() {
		in, _ := noise.NewHandshakeState(noise.Config{CipherSuite: suite, Initiator: true,
			Pattern: noise.HandshakeIK, StaticKeypair: a, PeerStatic: b.Public})
		re, _ := noise.NewHandshakeState(noise.Config{CipherSuite: suite,
			Pattern: noise.HandshakeIK, StaticKeypair: b})
		m1, _, _, _ := in.WriteMessage(nil, nil)
		re.ReadMessage(nil, m1)
		m2, _, _, _ := re.WriteMessage(nil, nil)
		if _, _, _, err := in.ReadMessage(nil, m2); err != nil {
			t.Fatal(err)
		}
	}
}

// timed is the processor time of one f, of n.
func timed(n int, f func()) time.Duration {
	runtime.GC() // what came before is not measured
	before := cpu()
	for range n {
		f()
	}
	return (cpu() - before) / time.Duration(n)
}

func TestFiguresOfAnIdleSession(t *testing.T) {
	const sessions = 500
	inUse := func() (heap, stack float64) {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc), float64(m.StackInuse)
	}
	c := newContacts(t)
	heap, stack := inUse()
	var all []*Conn
	for range sessions {
		ca, cb := net.Pipe()
		a, b := c.connect(t, ca, cb)
		all = append(all, a, b)
	}
	after, deeper := inUse()
	figure("tunnel.session_bytes", (after-heap)/(2*sessions), "bytes of heap, pipe included")
	figure("tunnel.session_stack_bytes", (deeper-stack)/(2*sessions), "bytes of stack")
	for _, conn := range all {
		conn.Close()
	}
}

func TestFiguresOfVoiceBehindBulk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, _ := overNarrow(t)
		far, err := b.AcceptStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, far)
		var took []float64
		for range 2000 {
			<-time.After(61 * time.Millisecond)
			start := time.Now()
			a.SendDatagram(make([]byte, 400))
			if _, err := b.ReceiveDatagram(t.Context()); err != nil {
				t.Fatal(err)
			}
			took = append(took, float64(time.Since(start).Microseconds())/1000)
		}
		slices.Sort(took)
		figure("tunnel.voice_behind_bulk_p50", took[len(took)/2], "ms on a 50 kB/s carrier")
		figure("tunnel.voice_behind_bulk_p99", took[len(took)*99/100], "ms on a 50 kB/s carrier")
		a.Close()
		b.Close()
	})
}
