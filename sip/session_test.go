// Claims about calls that are on: hold, keys, renegotiation, timers.

package sip

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nightjar/node/talk"

	sipmsg "github.com/emiago/sipgo/sip"
)

// reinvite changes alice's session and acknowledges the answer.
func (f *phones) reinvite(method, body string) *sipmsg.Response {
	a := f.callA.within(method, f.okA)
	if body != "" {
		a.extra, a.body = "Content-Type: application/sdp\r\n", body
	}
	r := a.do()
	f.callA.seq = a.seq
	if method == "INVITE" {
		a.ack(r)
	}
	return r
}

// says reports whether a message's description has the attribute.
func says(m interface{ Body() []byte }, attribute string) bool {
	return strings.Contains(string(m.Body()), "a="+attribute+"\r\n")
}

func TestHoldAndResumeReachTheFarPhone(t *testing.T) {
	for _, method := range []string{"INVITE", "UPDATE"} {
		for want, attribute := range map[string]string{"recvonly": "sendonly",
			"inactive": "inactive"} {
			scene(t, func(w *world) {
				f := w.phones()
				defer f.off()
				if !f.connect() {
					return
				}
				r := f.reinvite(method, sdp(4000, "a="+attribute))
				if r.StatusCode != 200 || !says(r, want) {
					t.Errorf("%s %s: %v", method, attribute, r)
				}
				pass(time.Second)
				invites := f.bob.requests(sipmsg.INVITE)
				if len(invites) != 2 || !says(invites[1], "sendonly") {
					t.Errorf("%s: bob was not told of the hold", method)
				}
				f.reinvite(method, sdp(4000, "a=sendrecv"))
				pass(time.Second)
				if invites = f.bob.requests(sipmsg.INVITE); len(invites) != 3 ||
					!says(invites[2], "sendrecv") {
					t.Errorf("%s: bob was not told of the end of the hold", method)
				}
				if acks := len(f.bob.requests(sipmsg.ACK)); acks != 3 {
					t.Errorf("%s: bob got %d ACK", method, acks)
				}
				f.earB.speak(f.portB, 8, 0x33, 50)
				pass(200 * time.Millisecond)
				if n := f.earA.heard(0x33); n < 48 {
					t.Errorf("%s: after the hold alice heard %d of 50 frames", method, n)
				}
				if l := f.bob.leaks(); len(l) > 0 {
					t.Errorf("bob was told %q", l)
				}
			})
		}
	}
}

func TestSessionCounterRisesAndAddressStays(t *testing.T) {
	scene(t, func(w *world) {
		f := w.phones()
		defer f.off()
		if !f.connect() {
			return
		}
		for i := range 3 {
			r := f.reinvite("INVITE", sdp(4000))
			want := fmt.Sprintf("o=- 1 %d IN IP4 127.0.0.1\r\n", i+2)
			if !strings.Contains(string(r.Body()), want) ||
				rtpPort(t, r.Body()) != f.portA {
				t.Errorf("answer %d:\n%s", i, r.Body())
			}
		}
	})
}

func TestReinviteThatCannotBeIsRefusedAndTheCallGoesOn(t *testing.T) {
	scene(t, func(w *world) {
		f := w.phones()
		defer f.off()
		if !f.connect() {
			return
		}
		other := strings.Replace(sdp(4000), " 8 0 101", " 0", 1) // not the codec of the call
		for name, body := range map[string]string{"codec": other,
			"srtp": strings.Replace(sdp(4000), "RTP/AVP", "RTP/SAVP", 1), "nonsense": "v=1"} {
			if r := f.reinvite("INVITE", body); r.StatusCode != 488 {
				t.Errorf("%s: %v", name, r)
			}
		}
		f.earB.speak(f.portB, 8, 0x33, 50)
		if n := f.earA.heard(0x33); n < 40 {
			t.Errorf("alice heard %d of 50 frames", n)
		}
	})
}

func TestFarSideIsToldWhichCodecsInOurOrder(t *testing.T) {
	for _, formats := range []string{"8 0 9", "9 8 0", "0 9 8"} {
		scene(t, func(w *world) {
			f := w.phones()
			defer f.off()
			a := f.alice.invite("bob", strings.Replace(sdp(4000), " 8 0 101", " "+formats, 1))
			r := a.do()
			a.ack(r)
			if got := fmt.Sprint(w.ea.codecs); got != "[G722 PCMU PCMA]" {
				t.Errorf("%s: the far side was offered %s", formats, got)
			}
		})
	}
}

func TestLateOfferIsMadeByUs(t *testing.T) {
	scene(t, func(w *world) {
		f := w.phones()
		defer f.off()
		a := f.alice.invite("bob", "")
		r := a.do()
		if r.StatusCode != 200 || rtpPort(t, r.Body()) == 1 {
			t.Fatalf("got %v", r)
		}
		b := *a
		b.method, b.to = "ACK", r.To().Value()
		b.extra, b.body = "Content-Type: application/sdp\r\n", sdp(4000)
		b.branch = "z9hG4bKlate"
		f.alice.write(b.text(""))
		pass(time.Second)
		f.earA.speak(rtpPort(t, r.Body()), 8, 0x44, 50)
		if n := f.earB.heard(0x44); n < 40 {
			t.Errorf("bob heard %d of 50 frames", n)
		}
		f.callA, f.okA = a, r
		if r := f.reinvite("INVITE", ""); r.StatusCode != 200 || rtpPort(t, r.Body()) == 1 {
			t.Errorf("late re-INVITE: %v", r)
		}
	})
}

func TestGlareIsAnsweredWith491AndTriedAgain(t *testing.T) {
	scene(t, func(w *world) {
		f := w.phones()
		defer f.off()
		if !f.connect() {
			return
		}
		var mine []*sipmsg.Request
		var theirs *sipmsg.Response
		f.bob.script(func(r *sipmsg.Request) {
			if r.Method != sipmsg.INVITE {
				return
			}
			mine = append(mine, r)
			if len(mine) > 1 {
				f.bob.reply(r, 200, "", []byte(plainSDP(4100, "8 101")))
				return
			}
			go func() { // bob's own re-INVITE crosses ours
				a := f.bob.begin("INVITE", "sip:nightjar@"+doorB)
				a.callID = f.inviteB.CallID().Value()
				a.from, a.to = f.inviteB.To().Value()+";tag=bob", f.inviteB.From().Value()
				a.extra, a.body = "Content-Type: application/sdp\r\n", plainSDP(4100, "8 101")
				theirs = a.do()
				a.ack(theirs)
				f.bob.reply(r, 491, "", nil)
			}()
		})
		f.reinvite("INVITE", sdp(4000, "a=sendonly"))
		pass(10 * time.Second)
		if theirs == nil || theirs.StatusCode != 491 {
			t.Errorf("bob's re-INVITE: %v", theirs)
		}
		if len(mine) != 2 || !says(mine[1], "sendonly") {
			t.Errorf("ours was tried %d times", len(mine))
		}
	})
}

func TestKeysTravelFromInfoToInfo(t *testing.T) {
	scene(t, func(w *world) {
		f := w.phones()
		defer f.off()
		f.bob.script(func(r *sipmsg.Request) {
			switch r.Method {
			case sipmsg.INVITE: // bob's phone takes no keys in its stream
				f.bob.reply(r, 200, "", []byte(plainSDP(4100, "8")))
			case sipmsg.ACK:
			default:
				f.bob.reply(r, 200, "", nil)
			}
		})
		if !f.connect() {
			return
		}
		press := func(kind, body string) int {
			a := f.callA.within("INFO", f.okA)
			a.extra, a.body = "Content-Type: "+kind+"\r\n", body
			r := a.do()
			f.callA.seq = a.seq
			return r.StatusCode
		}
		for _, body := range []string{"Signal=5\r\nDuration=250\r\n", "Signal= *\r\n", "signal=11"} {
			if c := press("application/dtmf-relay", body); c != 200 {
				t.Errorf("%q: %d", body, c)
			}
		}
		if c := press("application/dtmf", "d"); c != 200 {
			t.Errorf("application/dtmf: %d", c)
		}
		for kind, body := range map[string]string{"application/dtmf-relay": "Signal=55",
			"application/dtmf": "x", "text/plain": "5", "application/media_control+xml": "<x/>"} {
			if c := press(kind, body); c != 415 {
				t.Errorf("%s %q: %d", kind, body, c)
			}
		}
		pass(time.Second)
		var keys []string
		for _, r := range f.bob.requests(sipmsg.INFO) {
			keys = append(keys, strings.Split(string(r.Body()), "\r\n")[0])
		}
		// each goes by itself: only the set is certain
		for _, k := range []string{"Signal=5", "Signal=*", "Signal=#", "Signal=D"} {
			if strings.Count(strings.Join(keys, ","), k) != 1 {
				t.Errorf("bob got %v", keys)
				break
			}
		}
	})
}

func TestKeysTravelFromInfoToStream(t *testing.T) {
	scene(t, func(w *world) {
		f := w.phones()
		defer f.off()
		if !f.connect() {
			return
		}
		info := f.bob.begin("INFO", "sip:nightjar@"+doorB)
		info.callID = f.inviteB.CallID().Value()
		info.from, info.to = f.inviteB.To().Value()+";tag=bob", f.inviteB.From().Value()
		info.extra, info.body = "Content-Type: application/dtmf\r\n", "7"
		info.do()
		pass(time.Second)
		events := 0
		for _, p := range f.earA.got {
			if p.PayloadType == 101 && len(p.Payload) == 4 && p.Payload[0] == 7 {
				events++
			}
		}
		if events < 5 {
			t.Errorf("alice's stream has %d packets of key 7", events)
		}
	})
}

func TestRequestsInsideACallAreAnswered(t *testing.T) {
	scene(t, func(w *world) {
		f := w.phones()
		defer f.off()
		if !f.connect() {
			return
		}
		for method, want := range map[string]int{"OPTIONS": 200, "REFER": 603, "SUBSCRIBE": 489,
			"NOTIFY": 405, "UPDATE": 200, "INFO": 200} {
			if r := f.reinvite(method, ""); r.StatusCode != want {
				t.Errorf("%s: %d, want %d", method, r.StatusCode, want)
			}
		}
		m := f.callA.within("MESSAGE", f.okA)
		m.extra, m.body = "Content-Type: text/plain\r\n", "by the way"
		if r := m.do(); r.StatusCode != 202 || len(w.ea.texts) != 1 {
			t.Errorf("MESSAGE: %v %q", r, w.ea.texts)
		}
		stale := f.callA.within("INFO", f.okA)
		stale.seq = 1
		if r := stale.do(); r.StatusCode != 500 {
			t.Errorf("a request of the past: %v", r)
		}
		stranger := f.callA.within("INFO", f.okA)
		stranger.from, stranger.seq = "<sip:alice@127.0.0.1>;tag=guess", 90
		if r := stranger.do(); r.StatusCode != 481 {
			t.Errorf("a wrong tag: %v", r)
		}
	})
}

func TestSessionTimerIsKept(t *testing.T) {
	scene(t, func(w *world) {
		f := w.phones()
		defer f.off()
		f.callA = f.alice.invite("bob", sdp(4000))
		f.callA.extra += "Supported: timer, replaces\r\nSession-Expires: 120;refresher=uac\r\n"
		f.okA = f.callA.do()
		f.callA.ack(f.okA)
		h := f.okA.GetHeader("Session-Expires")
		if h == nil || h.Value() != "120;refresher=uac" || f.okA.GetHeader("Require") == nil {
			t.Fatalf("got %v", f.okA)
		}
		pass(100 * time.Second)
		a := f.callA.within("UPDATE", f.okA)
		a.extra = "Supported: timer\r\nSession-Expires: 120;refresher=uac\r\n"
		if r := a.do(); r.StatusCode != 200 || r.GetHeader("Session-Expires") == nil {
			t.Errorf("refresh: %v", r)
		}
		pass(100 * time.Second)
		if len(f.alice.requests(sipmsg.BYE)) != 0 {
			t.Error("hung up though the phone refreshed")
		}
		pass(30 * time.Second)
		if len(f.alice.requests(sipmsg.BYE)) != 1 || len(f.bob.requests(sipmsg.BYE)) != 1 {
			t.Error("the phone's silence was not noticed")
		}
	})
}

func TestPhoneThatComesBackOverAnotherConnectionKeepsItsCall(t *testing.T) {
	scene(t, func(w *world) {
		f := w.phones()
		defer f.off()
		if !f.connect() {
			return
		}
		f.bob.off()
		pass(time.Second)
		again := w.phoneOver("bob", doorB)
		defer again.off()
		again.register()
		pass(40 * time.Second)
		if len(f.alice.requests(sipmsg.BYE)) != 0 {
			t.Error("alice was hung up")
		}
		f.callA.within("BYE", f.okA).do()
		pass(time.Second)
		if len(again.requests(sipmsg.BYE)) != 1 {
			t.Error("bob was not told that alice left")
		}
	})
}

func TestFarSideThatLeavesBeforeTheAckIsNotForgotten(t *testing.T) {
	scene(t, func(w *world) {
		h := w.phoneAt("alice", "127.0.0.1:5070", doorA)
		defer h.off()
		h.register()
		w.ea.set(func() {
			w.ea.tap = func(c *callEnd) { c.Answer(talk.PCMA); c.End(talk.Hangup) }
		})
		a := h.invite("bob", sdp(4000))
		r := a.do()
		pass(5 * time.Second)
		if len(h.requests(sipmsg.BYE)) != 0 {
			t.Error("BYE came before the ACK")
		}
		a.ack(r)
		pass(time.Second)
		if len(h.requests(sipmsg.BYE)) != 1 {
			t.Error("no BYE after the ACK")
		}
	})
}

func TestFarSideCannotMakeThePhoneSpeakAForeignCodec(t *testing.T) {
	scene(t, func(w *world) {
		h := w.phoneAt("alice", "127.0.0.1:5070", doorA)
		defer h.off()
		h.register()
		w.ea.set(func() {
			w.ea.tap = func(c *callEnd) {
				c.offer = append(c.offer, talk.Opus) // a hostile engine: it was not offered
				c.Answer(talk.Opus)
			}
		})
		a := h.invite("bob", sdp(4000))
		r := a.do()
		a.ack(r)
		if r.StatusCode != 500 {
			t.Errorf("got %v", r)
		}
	})
}
