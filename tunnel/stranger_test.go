// What a stranger can learn by knocking: nothing, not even by the clock.

package tunnel

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/tunnel/handshake"
	"nightjar/tunnel/proof"
)

// A prober is what somebody sees who sends something to a listening side.
type prober struct {
	heard  int           // bytes that came back
	closed time.Duration // when the carrier was closed
	err    error         // what the listening side was told
}

type acceptor func(ctx context.Context, c net.Conn, k Key, peers func() []Peer) (*Conn, error)

// probe sends b and watches.
func probe(accept acceptor, c contacts, b []byte) (p prober) {
	ours, theirs := net.Pipe()
	start := time.Now()
	told := make(chan error)
	go func() {
		conn, err := accept(context.Background(), theirs, c.bKey, peersOf(c.a))
		if conn != nil {
			conn.Close()
		}
		told <- err
	}()
	go ours.Write(b)
	n, _ := io.Copy(io.Discard, ours)
	p = prober{heard: int(n), closed: time.Since(start), err: <-told}
	ours.Close()
	return p
}

// knocks are what strangers send. seen is a first message the door has answered before.
func knocks(t *testing.T, c contacts, seen []byte) map[string][]byte {
	noise := make([]byte, 30_000)
	rand.Read(noise)
	wrongRoot := c.b
	wrongRoot.Root[0] ^= 1
	_, unknown, err := handshake.Start(c.aKey, wrongRoot, handshake.Epoch(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	_, impostor, err := handshake.Start(proof.NewKey(t), c.b, handshake.Epoch(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(seen)
	flipped[len(flipped)-1] ^= 1
	return map[string][]byte{
		"nothing": nil, "a byte": {0}, "a web request": []byte("GET / HTTP/1.1\r\n\r\n"),
		"a record": noise[:RecordSize], "a message": noise[:handshake.Size], "much": noise,
		"replay": seen, "replay and more": append(bytes.Clone(seen), noise...),
		"forged": flipped, "wrong root": unknown, "unknown key": impostor,
	}
}

// answered is a door that has answered one message, and that message.
func answered(t *testing.T, c contacts) (*Door, []byte) {
	d := new(Door)
	ca, cb := net.Pipe()
	recorded := &tap{Conn: ca}
	told := make(chan error)
	go func() {
		b, err := d.Accept(context.Background(), cb, c.bKey, peersOf(c.a))
		if b != nil {
			defer b.Close()
		}
		told <- err
	}()
	a, err := Dial(context.Background(), recorded, c.aKey, c.b)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-told; err != nil {
		t.Fatal(err)
	}
	a.Close()
	return d, recorded.bytes()[:handshake.Size]
}

func TestStrangerHearsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		d, seen := answered(t, c)
		agreed := c.bKey.Agreed()
		for name, b := range knocks(t, c, seen) {
			p := probe(d.Accept, c, b)
			if p.heard != 0 {
				t.Error(name, "heard", p.heard, "bytes")
			}
			if p.closed < handshakeTime*3/4 || p.closed > handshakeTime*5/4 {
				t.Error(name, "was closed after", p.closed)
			}
			if !errors.Is(p.err, ErrStranger) {
				t.Error(name, "gave", p.err)
			}
		}
		if c.bKey.Agreed() != agreed {
			t.Error("a stranger caused a Diffie-Hellman")
		}
	})
}

// Three plausible doors that strangers can tell apart, with the same probes.
func TestCarelessDoorsAreHeard(t *testing.T) {
	hasty := func(ctx context.Context, c net.Conn, k Key, peers func() []Peer) (*Conn, error) {
		defer c.Close() // closes as soon as it knows
		c.SetDeadline(time.Now().Add(handshakeTime))
		var d Door
		_, _, err := d.answer(c, c, k, peers)
		return nil, err
	}
	polite := func(ctx context.Context, c net.Conn, k Key, peers func() []Peer) (*Conn, error) {
		c.SetDeadline(time.Now().Add(handshakeTime))
		var d Door
		if _, _, err := d.answer(c, c, k, peers); err != nil {
			c.Write([]byte{1}) // says that it refuses
		}
		return nil, c.Close()
	}
	forgetful := func(ctx context.Context, c net.Conn, k Key, peers func() []Peer) (*Conn, error) {
		return new(Door).Accept(ctx, c, k, peers) // answers replays
	}
	for name, accept := range map[string]acceptor{
		"hasty": hasty, "polite": polite, "forgetful": forgetful,
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newContacts(t)
			_, seen := answered(t, c)
			told := false
			for _, b := range knocks(t, c, seen) {
				p := probe(accept, c, b)
				told = told || p.heard > 0 || p.closed < handshakeTime*3/4
			}
			if !told {
				t.Error("the probes do not notice a door that is", name)
			}
		})
	}
}

func TestTalkativeStrangerIsReadToTheSameBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		d, seen := answered(t, c)
		for name, b := range map[string][]byte{
			"noise":  make([]byte, 2*drainLimit),
			"replay": append(bytes.Clone(seen), make([]byte, 2*drainLimit)...),
		} {
			ours, theirs := net.Pipe()
			go d.Accept(t.Context(), theirs, c.bKey, peersOf(c.a))
			if n, _ := ours.Write(b); n != drainLimit {
				t.Error(name, "was read for", n, "bytes")
			}
			ours.Close()
		}
	})
}

// A recorded message that no door remembers, and one made with the owner's stolen key, are
// answered; neither becomes a session.
func TestNobodyIsAcceptedWhoCannotSpeakAfterTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		_, seen := answered(t, c)
		p := probe(new(Door).Accept, c, append(bytes.Clone(seen), make([]byte, RecordSize)...))
		if p.heard != handshake.Size {
			t.Error("the attack is not the one meant: heard", p.heard)
		}
		if !errors.Is(p.err, ErrStranger) || p.closed < handshakeTime*3/4 {
			t.Error("accepted:", p.err, p.closed)
		}
		// A door that trusts the first message takes the replay for a contact.
		credulous := func(_ context.Context, nc net.Conn, k Key, peers func() []Peer) (
			*Conn, error) {
			wire := make([]byte, handshake.Size)
			io.ReadFull(nc, wire)
			var m handshake.Memory
			_, reply, err := handshake.Answer(k, peers(), handshake.Epoch(time.Now()), &m, wire)
			nc.Write(reply)
			nc.Close()
			return nil, err
		}
		if p := probe(credulous, c, seen); p.err != nil {
			t.Error("the test would not notice:", p.err)
		}
	})
}

func TestForgedAnswersAreReadPast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		ca, cb := net.Pipe()
		injected := &injector{Conn: ca, first: make([]byte, forgeries*handshake.Size)}
		a, b := c.connect(t, injected, cb)
		a.Close()
		b.Close()
	})
}

// An injector is a carrier on which somebody puts bytes before the far side's.
type injector struct {
	net.Conn
	first []byte
}

func (c *injector) Read(b []byte) (int, error) {
	if n := copy(b, c.first); n > 0 {
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

func TestDialTellsWhyItFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		dial := func(ctx context.Context, far func(net.Conn)) (error, time.Duration) {
			ca, cb := net.Pipe()
			go far(cb)
			start := time.Now()
			_, err := Dial(ctx, ca, c.aKey, c.b)
			if _, err := ca.Write(nil); err == nil {
				t.Error("carrier left open")
			}
			cb.Close()
			return err, time.Since(start)
		}
		sink := func(c net.Conn) { io.Copy(io.Discard, c) }
		err, took := dial(t.Context(), sink)
		if !errors.Is(err, ErrUnanswered) || took != handshakeTime {
			t.Error("no answer:", err, took)
		}
		shut := func(c net.Conn) { c.Close() }
		if err, _ := dial(t.Context(), shut); !errors.Is(err, ErrCarrier) {
			t.Error("carrier closed:", err)
		}
		garbage := func(c net.Conn) { go sink(c); c.Write(make([]byte, 5*handshake.Size)) }
		if err, _ := dial(t.Context(), garbage); !errors.Is(err, ErrUnanswered) {
			t.Error("garbage for an answer:", err)
		}
		why := errors.New("changed my mind")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		if err, took := dial(ctx, sink); !errors.Is(err, why) || took != time.Second {
			t.Error("canceled:", err, took)
		}
	})
}

func TestAcceptEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		ours, theirs := net.Pipe()
		defer ours.Close()
		start := time.Now()
		_, err := new(Door).Accept(ctx, theirs, c.bKey, peersOf(c.a))
		if !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Error(err, time.Since(start))
		}
	})
}

func FuzzFirstMessage(f *testing.F) {
	c := newContacts(f)
	_, wire, err := handshake.Start(c.aKey, c.b, handshake.Epoch(time.Now()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wire[:handshake.Size-1])
	f.Add(make([]byte, handshake.Size))
	f.Add(bytes.Repeat([]byte{0xff}, handshake.Size+RecordSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		var out bytes.Buffer
		var d Door
		s, _, err := d.answer(&out, bytes.NewReader(b), c.bKey, peersOf(c.a))
		if err == nil || s != nil && out.Len() == 0 || out.Len() > 0 && !bytes.HasPrefix(b, wire) {
			t.Fatal("a stranger was answered")
		}
	})
}
