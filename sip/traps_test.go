// Claims about traps that the library and real phones set.

package sip

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"nightjar/node/talk"

	sipmsg "github.com/emiago/sipgo/sip"
)

func TestLastConnectionDoesNotStealTexts(t *testing.T) {
	scene(t, func(w *world) {
		alice := w.phoneOver("alice", doorA)
		defer alice.off()
		alice.register()
		eve := w.phoneOver("eve", doorA) // the library keeps the newest under its own address
		defer eve.off()
		eve.begin("OPTIONS", "sip:bob@"+doorA).send("")
		pass(time.Second)
		if !w.a.Deliver("bob", "for alice only") {
			t.Error("not delivered")
		}
		if len(eve.requests(sipmsg.MESSAGE)) != 0 || len(alice.requests(sipmsg.MESSAGE)) != 1 {
			t.Error("the text went to another connection")
		}
	})
}

func TestPhoneIsToldToKeepItsTransport(t *testing.T) {
	scene(t, func(w *world) {
		w.ea.set(func() { w.ea.tap = func(c *callEnd) { c.Answer(talk.PCMA) } })
		for _, h := range []*handset{w.phoneOver("alice", doorA),
			w.phoneAt("alice", "127.0.0.1:5070", doorA)} {
			h.register()
			a := h.invite("bob", sdp(4000))
			r := a.do()
			a.ack(r)
			want := "<sip:nightjar@127.0.0.1:5060>"
			if h.stream != nil {
				want = "<sip:nightjar@127.0.0.1:5060;transport=tcp>"
			}
			if got := r.Contact().Value(); got != want {
				t.Errorf("Contact %s, want %s", got, want)
			}
			a.within("BYE", r).do()
			h.off()
		}
	})
}

func TestLongTextsFitIntoOneDatagram(t *testing.T) {
	scene(t, func(w *world) {
		h := w.phoneAt("alice", "127.0.0.1:5070", doorA)
		defer h.off()
		h.register()
		if !w.a.Deliver("bob", strings.Repeat("x", talk.MaxText)) {
			t.Error("a long text was not delivered over UDP")
		}
	})
}

// lockedBuffer collects a log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func TestNothingIsLogged(t *testing.T) {
	var log lockedBuffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{
		Level: slog.LevelDebug})))
	defer slog.SetDefault(before)
	slog.Info("the log works")
	scene(t, func(w *world) {
		f := w.phones()
		defer f.off()
		for _, raw := range []string{"\x00\x01", strings.Repeat("A", 60000),
			"INVITE sip:bob@local SIP/2.0\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n"} {
			f.alice.write([]byte(raw))
			f.bob.packetless(raw)
		}
		if f.connect() {
			f.callA.within("BYE", f.okA).do()
		}
		pass(time.Minute)
	})
	log.mu.Lock()
	defer log.mu.Unlock()
	if lines := strings.Count(log.b.String(), "\n"); lines != 1 {
		t.Errorf("%d lines were logged:\n%s", lines, log.b.String())
	}
}

// packetless writes garbage over a second connection, which the door then closes.
func (h *handset) packetless(raw string) {
	c, err := h.w.net.Dial(h.at.Addr(), h.door)
	if err != nil {
		h.w.t.Error(err)
		return
	}
	go func() {
		c.Write([]byte(raw))
		c.Close()
	}()
}

func TestFloodOfCallsLeavesNothingBehind(t *testing.T) {
	scene(t, func(w *world) { // the bubble fails if a goroutine is left
		f := w.phones()
		defer f.off()
		for range 50 {
			if !f.connectAnew() {
				return
			}
		}
	})
}

// connectAnew makes one more call and ends it.
func (f *phones) connectAnew() bool {
	a := f.alice.invite("bob", sdp(4000))
	r := a.do()
	if r.StatusCode != 200 {
		f.w.t.Errorf("got %v", r)
		return false
	}
	a.ack(r)
	pass(time.Second)
	return a.within("BYE", r).do().StatusCode == 200
}
