// Claims about calls, with phones, engines and sockets in memory and on fake time.

package sip

import (
	"strings"
	"testing"
	"time"

	"nightjar/node/talk"

	sipmsg "github.com/emiago/sipgo/sip"
)

func TestTwoPhonesTalkAndNothingOfOneReachesTheOther(t *testing.T) {
	scene(t, func(w *world) {
		f := w.phones()
		defer f.off()
		if !f.connect() {
			return
		}
		if body := string(f.okA.Body()); !strings.Contains(body, " RTP/AVP 8 101\r\n") {
			t.Errorf("alice's answer:\n%s", body)
		}
		f.earA.speak(f.portA, 8, 0x11, 100)
		f.earB.speak(f.portB, 8, 0x22, 100)
		pass(200 * time.Millisecond)
		if a, b := f.earA.heard(0x22), f.earB.heard(0x11); a < 99 || b < 99 {
			t.Errorf("alice heard %d, bob %d frames of 100", a, b)
		}
		for _, p := range f.earB.got {
			if p.SSRC == 0xC0A84D17 {
				t.Fatal("alice's stream number reached bob")
			}
		}
		if l := f.bob.leaks(); len(l) > 0 {
			t.Errorf("bob was told %q", l)
		}
		if bye := f.callA.within("BYE", f.okA).do(); bye.StatusCode != 200 {
			t.Errorf("BYE: %v", bye)
		}
		pass(time.Second)
		if n := len(f.bob.requests(sipmsg.BYE)); n != 1 {
			t.Errorf("bob got %d BYE", n)
		}
	})
}

// naiveRelay passes the caller's INVITE on as a proxy would.
func naiveRelay(r *sipmsg.Request) string { return r.String() }

func TestPassingTheInviteOnWouldLeak(t *testing.T) {
	scene(t, func(w *world) {
		h := w.phoneAt("alice", "192.168.77.23:5070", doorA)
		defer h.off()
		a := h.invite("bob", sdp(4000))
		a.branch = "z9hG4bKx"
		m, err := sipmsg.ParseMessage(a.text(""))
		if err != nil {
			t.Fatal(err)
		}
		text, found := naiveRelay(m.(*sipmsg.Request)), 0
		for _, c := range canaries {
			if strings.Contains(text, c) {
				found++
			}
		}
		if found < 8 {
			t.Fatalf("the naive way shows %d leaks only: the test above proves little", found)
		}
	})
}

func TestCalleeHangsUp(t *testing.T) {
	scene(t, func(w *world) {
		f := w.phones()
		defer f.off()
		if !f.connect() {
			return
		}
		bye := f.bob.begin("BYE", "sip:nightjar@"+doorB)
		bye.callID = f.inviteB.CallID().Value()
		bye.from, bye.to = f.inviteB.To().Value()+";tag=bob", f.inviteB.From().Value()
		if r := bye.do(); r.StatusCode != 200 {
			t.Errorf("BYE: %v", r)
		}
		pass(time.Second)
		if n := len(f.alice.requests(sipmsg.BYE)); n != 1 {
			t.Errorf("alice got %d BYE", n)
		}
	})
}

func TestRefusalsReachTheCallerAsTheyAre(t *testing.T) {
	for said, want := range map[int]int{486: 486, 600: 486, 603: 603, 480: 480, 404: 480, 488: 503,
		500: 503, 302: 503, 401: 503} {
		scene(t, func(w *world) {
			f := w.phones()
			defer f.off()
			f.bob.script(func(r *sipmsg.Request) {
				if r.Method == sipmsg.INVITE {
					f.bob.reply(r, said, "Contact: <sip:x@192.0.2.1>\r\n", nil)
				}
			})
			a := f.alice.invite("bob", sdp(4000))
			r := a.do()
			a.ack(r)
			if r.StatusCode != want || r.Reason == "phrase" {
				t.Errorf("bob said %d, alice heard %d %s", said, r.StatusCode, r.Reason)
			}
		})
	}
}

func TestUnreachableContactsAreSaid(t *testing.T) {
	scene(t, func(w *world) {
		h := w.phoneAt("alice", "127.0.0.1:5070", doorA)
		defer h.off()
		h.register()
		try := func(name, sdp, extra string) int {
			a := h.invite(name, sdp)
			a.extra += extra
			r := a.do()
			a.ack(r)
			return r.StatusCode
		}
		if c := try("eve", sdp(4000), ""); c != 404 {
			t.Errorf("unknown contact: %d", c)
		}
		if c := try("bob", sdp(4000), ""); c != 480 {
			t.Errorf("bob has no phone: %d", c)
		}
		w.ea.set(func() { w.ea.refuse = errTurn })
		if c := try("bob", sdp(4000), ""); c != 480 {
			t.Errorf("the engine cannot dial: %d", c)
		}
		srtp := strings.Replace(sdp(4000), "RTP/AVP", "RTP/SAVP", 1)
		if c := try("bob", srtp, ""); c != 488 {
			t.Errorf("encrypted only: %d", c)
		}
		if c := try("bob", "v=0 nonsense", ""); c != 488 {
			t.Errorf("no description: %d", c)
		}
		if c := try("bob", sdp(4000), "Supported: timer\r\nSession-Expires: 30\r\n"); c != 422 {
			t.Errorf("short session timer: %d", c)
		}
	})
}

func TestCallerCancels(t *testing.T) {
	scene(t, func(w *world) {
		f := w.phones()
		defer f.off()
		var ringing *sipmsg.Request
		f.bob.script(func(r *sipmsg.Request) {
			switch r.Method {
			case sipmsg.INVITE:
				ringing = r
				f.bob.reply(r, 180, "", nil)
			case sipmsg.CANCEL:
				f.bob.reply(r, 200, "", nil)
				f.bob.reply(ringing, 487, "", nil)
			}
		})
		a := f.alice.invite("bob", sdp(4000))
		a.open()
		pass(3 * time.Second)
		cancel := *a
		cancel.method, cancel.body, cancel.extra = "CANCEL", "", ""
		f.alice.write(cancel.text(""))
		if r := a.final(); r.StatusCode != 487 && r.StatusCode != 200 {
			t.Errorf("alice: %v", r)
		}
		pass(time.Second)
		if n := len(f.bob.requests(sipmsg.CANCEL)); n != 1 {
			t.Errorf("bob got %d CANCEL", n)
		}
	})
}

func TestAnswerThatCrossesACancelIsHungUp(t *testing.T) {
	scene(t, func(w *world) {
		f := w.phones()
		defer f.off()
		var ringing *sipmsg.Request
		f.bob.script(func(r *sipmsg.Request) {
			switch r.Method {
			case sipmsg.INVITE:
				ringing = r
				f.bob.reply(r, 180, "", nil)
			case sipmsg.CANCEL: // too late: bob has just picked up
				f.bob.reply(ringing, 200, "", []byte(plainSDP(4100, "8")))
				f.bob.reply(r, 200, "", nil)
			case sipmsg.BYE:
				f.bob.reply(r, 200, "", nil)
			}
		})
		a := f.alice.invite("bob", sdp(4000))
		a.open()
		pass(time.Second)
		cancel := *a
		cancel.method, cancel.body, cancel.extra = "CANCEL", "", ""
		f.alice.write(cancel.text(""))
		pass(2 * time.Second)
		if len(f.bob.requests(sipmsg.ACK)) != 1 || len(f.bob.requests(sipmsg.BYE)) != 1 {
			t.Errorf("bob is left in a call: %d ACK, %d BYE", len(f.bob.requests(sipmsg.ACK)),
				len(f.bob.requests(sipmsg.BYE)))
		}
	})
}

func TestNobodyRingsForEver(t *testing.T) {
	scene(t, func(w *world) {
		f := w.phones()
		defer f.off()
		f.bob.script(func(r *sipmsg.Request) {
			switch r.Method {
			case sipmsg.INVITE:
				f.bob.reply(r, 180, "", nil)
			case sipmsg.CANCEL:
				f.bob.reply(r, 200, "", nil)
				f.bob.reply(f.bob.got[0], 487, "", nil)
			}
		})
		a := f.alice.invite("bob", sdp(4000))
		begin := time.Now()
		r := a.do()
		a.ack(r)
		if took := time.Since(begin); r.StatusCode != 408 || took > ringTime+time.Second {
			t.Errorf("%d after %v", r.StatusCode, took)
		}
		pass(40 * time.Second)
	})
}

func TestAnswerWithoutAckIsRepeatedThenHungUp(t *testing.T) {
	for _, over := range []string{"UDP", "TCP"} {
		scene(t, func(w *world) {
			h := w.phoneAt("alice", "127.0.0.1:5070", doorA)
			if over == "TCP" {
				h.off()
				h = w.phoneOver("alice", doorA)
			}
			defer h.off()
			h.register()
			var far *callEnd
			w.ea.set(func() { w.ea.tap = func(c *callEnd) { far = c; c.Answer(talk.PCMA) } })
			a := h.invite("bob", sdp(4000))
			a.open()
			repeats := 0
			begin := time.Now()
			for len(h.requests(sipmsg.BYE)) == 0 && time.Since(begin) < time.Minute {
				pass(100 * time.Millisecond)
				for len(a.answers) > 0 {
					if r := <-a.answers; r.StatusCode == 200 {
						repeats++
					}
				}
			}
			if took := time.Since(begin); took < 31*time.Second || took > 34*time.Second {
				t.Errorf("%s: hung up after %v", over, took)
			}
			if repeats < 8 {
				t.Errorf("%s: the answer came %d times", over, repeats)
			}
			if e := <-far.events; e.Kind != talk.Ended || e.Reason != talk.Failed {
				t.Errorf("%s: the far side was told %+v", over, e)
			}
		})
	}
}

func TestDeadPhoneDoesNotHoldTheCall(t *testing.T) {
	scene(t, func(w *world) {
		f := w.phones()
		defer f.earA.off()
		defer f.earB.off()
		defer f.bob.off()
		if !f.connect() {
			f.alice.off()
			return
		}
		f.alice.off() // crashed
		begin := time.Now()
		for len(f.bob.requests(sipmsg.BYE)) == 0 && time.Since(begin) < 3*time.Minute {
			pass(time.Second)
		}
		if took := time.Since(begin); took > 70*time.Second {
			t.Errorf("bob was left alone for %v", took)
		}
	})
}

func TestFifthCallIsBusy(t *testing.T) {
	scene(t, func(w *world) {
		h := w.phoneAt("alice", "127.0.0.1:5070", doorA)
		defer h.off()
		h.register()
		w.ea.set(func() { w.ea.tap = func(c *callEnd) { c.Answer(talk.PCMA) } })
		for i := range maxCalls + 1 {
			a := h.invite("bob", sdp(4000+2*i))
			r := a.do()
			a.ack(r)
			want := 200
			if i == maxCalls {
				want = 486
			}
			if r.StatusCode != want {
				t.Errorf("call %d: %d", i, r.StatusCode)
			}
		}
		from, to := newCallPair("bob", "x", talk.Codecs())
		w.a.Incoming(t.Context(), to)
		if e := <-from.events; e.Reason != talk.Busy {
			t.Errorf("a call that comes: %+v", e)
		}
	})
}

func TestCallWithoutPhoneIsUnavailable(t *testing.T) {
	scene(t, func(w *world) {
		from, to := newCallPair("bob", "x", talk.Codecs())
		w.a.Incoming(t.Context(), to)
		if e := <-from.events; e.Kind != talk.Ended || e.Reason != talk.Unavailable {
			t.Errorf("got %+v", e)
		}
	})
}
