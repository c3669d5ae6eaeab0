// Claims about registration, texts, presence and the requests around them.

package sip

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"nightjar/node/talk"

	sipmsg "github.com/emiago/sipgo/sip"
)

func TestDoorOpensOnLoopbackOnly(t *testing.T) {
	for _, at := range []string{"0.0.0.0:5060", "192.168.77.23:5060", "[::]:5060",
		"localhost:5060", "sip.example.net:5060", ":5060", "127.0.0.1", "[fe80::1%lo]:5060"} {
		_, err := New(Config{Listen: at, User: "alice", Password: password}, &fakeEngine{})
		if !errors.Is(err, ErrNotLoopback) {
			t.Errorf("%s: %v", at, err)
		}
	}
}

func TestWeakAccountsAreRefused(t *testing.T) {
	for _, c := range [][2]string{{"", password}, {"Alice", password}, {"a@b", password},
		{"alice", "short"}, {"alice", strings.Repeat("x", 21)},
		{"alice", password + "\r\nX: y"}, {"alice", password + ";x"}} {
		_, err := New(Config{Listen: "127.0.0.1:0", User: c[0], Password: c[1]}, &fakeEngine{})
		if !errors.Is(err, ErrAccount) {
			t.Errorf("%q: %v", c, err)
		}
	}
}

func TestTakenPortIsSaid(t *testing.T) {
	scene(t, func(w *world) {
		_, err := New(Config{Listen: doorA, User: "eve", Password: password, Sockets: w.net},
			&fakeEngine{})
		if !errors.Is(err, ErrListen) {
			t.Errorf("got %v", err)
		}
	})
}

func TestPhoneRegistersOverBothTransports(t *testing.T) {
	scene(t, func(w *world) {
		udp := w.phoneAt("alice", "192.168.77.23:5070", doorA)
		defer udp.off()
		r := udp.register()
		if r.StatusCode != 200 || !strings.Contains(r.Contact().Value(), "expires=300") ||
			!w.a.Registered() {
			t.Errorf("UDP: %v", r)
		}
		tcp := w.phoneOver("bob", doorB)
		if r := tcp.register(); r.StatusCode != 200 || !w.b.Registered() {
			t.Errorf("TCP: %v", r)
		}
		tcp.off()
		pass(time.Second)
		if w.b.Registered() {
			t.Error("a phone whose connection is closed counts as registered")
		}
	})
}

func TestRegistrationRunsOutAndIsTakenBack(t *testing.T) {
	scene(t, func(w *world) {
		h := w.phoneAt("alice", "127.0.0.1:5070", doorA)
		defer h.off()
		h.register()
		pass(299 * time.Second)
		if !w.a.Registered() {
			t.Error("gone too early")
		}
		pass(2 * time.Second)
		if w.a.Registered() {
			t.Error("outlived its time")
		}
		h.register()
		a := h.begin("REGISTER", "sip:"+doorA)
		a.to = "<sip:alice@" + doorA + ">"
		a.extra = "Expires: 0\r\n"
		if r := a.do(); r.StatusCode != 200 || w.a.Registered() || r.Contact() != nil {
			t.Errorf("unregister: %v", r)
		}
	})
}

func TestRegistrationOfAnotherNameIsForbidden(t *testing.T) {
	scene(t, func(w *world) {
		h := w.phoneAt("alice", "127.0.0.1:5070", doorA)
		defer h.off()
		a := h.begin("REGISTER", "sip:"+doorA)
		a.to = "<sip:bob@" + doorA + ">"
		if r := a.do(); r.StatusCode != 403 || w.a.Registered() {
			t.Errorf("got %v", r)
		}
		a = h.begin("REGISTER", "sip:"+doorA)
		a.to, a.extra = "<sip:alice@"+doorA+">", "Expires: 5\r\n"
		if r := a.do(); r.StatusCode != 423 || r.GetHeader("Min-Expires") == nil {
			t.Errorf("five seconds: %v", r)
		}
	})
}

func TestWrongPasswordNeverOpensTheOtherAccount(t *testing.T) {
	scene(t, func(w *world) {
		h := w.phoneAt("alice", "127.0.0.1:5070", doorA)
		defer h.off()
		h.register()
		eve := w.phoneAt("alice", "127.0.0.1:6666", doorA)
		defer eve.off()
		eve.pass = strings.Repeat("x", 32)
		codes := map[int]int{}
		for range 40 {
			a := eve.begin("REGISTER", "sip:"+doorA)
			a.to = "<sip:alice@" + doorA + ">"
			codes[a.do().StatusCode]++
			pass(time.Second)
		}
		if codes[401] == 0 || codes[403] < 15 || len(codes) != 2 {
			t.Errorf("answers %v", codes)
		}
		// bob's right password does not open alice's door
		bob := w.phoneAt("bob", "127.0.0.1:6667", doorA)
		defer bob.off()
		if r := bob.begin("MESSAGE", "sip:bob@"+doorA).do(); r.StatusCode != 407 &&
			r.StatusCode != 403 {
			t.Errorf("bob at alice's door: %v", r)
		}
		w.b.Deliver("x", "y")
		w.a.Deliver("bob", "for alice only")
		if len(eve.requests(sipmsg.MESSAGE)) != 0 || len(h.requests(sipmsg.MESSAGE)) != 1 {
			t.Error("a text went to somebody else")
		}
	})
}

func TestTextsGoBothWaysAndNothingElseDoes(t *testing.T) {
	for _, over := range []string{"UDP", "TCP"} {
		scene(t, func(w *world) {
			alice, bob := w.phoneAt("alice", "192.168.77.23:5070", doorA),
				w.phoneOver("bob", doorB)
			if over == "TCP" {
				alice.off()
				alice = w.phoneOver("alice", doorA)
			}
			defer alice.off()
			defer bob.off()
			alice.register()
			bob.register()
			a := alice.begin("MESSAGE", "sip:BOB@"+doorA)
			a.extra, a.body = "Content-Type: text/plain\r\n", "hellö\r\nbob"
			if r := a.do(); r.StatusCode != 202 {
				t.Fatalf("%s: %v", over, r)
			}
			got := bob.requests(sipmsg.MESSAGE)
			if len(got) != 1 || string(got[0].Body()) != "hellö\r\nbob" ||
				got[0].From().Address.User != "alice" {
				t.Fatalf("%s: bob got %v", over, got)
			}
			if l := bob.leaks(); len(l) > 0 {
				t.Errorf("%s: bob was told %q", over, l)
			}
		})
	}
}

func TestDeliverTellsTheTruth(t *testing.T) {
	scene(t, func(w *world) {
		if w.a.Deliver("bob", "hello") {
			t.Error("delivered to no phone")
		}
		h := w.phoneAt("alice", "127.0.0.1:5070", doorA)
		h.register()
		if !w.a.Deliver("bob", "hello") {
			t.Error("the phone took it")
		}
		h.script(func(r *sipmsg.Request) { h.reply(r, 415, "", nil) })
		if w.a.Deliver("bob", "hello") {
			t.Error("the phone refused it")
		}
		for _, bad := range []string{"", strings.Repeat("x", talk.MaxText+1), "\xff", "a\x00"} {
			if w.a.Deliver("bob", bad) {
				t.Errorf("%.10q was delivered", bad)
			}
		}
		h.off()
		begin := time.Now()
		if w.a.Deliver("bob", "hello") || time.Since(begin) > deliverTime {
			t.Errorf("delivered to a dead phone, or waited %v", time.Since(begin))
		}
	})
}

func TestBadTextsAreRefusedWithTheRightCode(t *testing.T) {
	plain := "Content-Type: text/plain\r\n"
	cases := []struct {
		to, extra, body string
		code            int
	}{
		{"eve", plain, "x", 404}, {"bob", "", "x", 415},
		{"bob", "Content-Type: application/im-iscomposing+xml\r\n", "x", 415},
		{"bob", "Content-Type: message/cpim\r\n", "x", 415},
		{"bob", "Content-Type: multipart/mixed;boundary=x\r\n", "x", 415},
		{"bob", plain + "Content-Encoding: gzip\r\n", "x", 415},
		{"bob", "Content-Type: text/plain;charset=iso-8859-1\r\n", "x", 415},
		{"bob", "c: text/plain; charset=UTF-8\r\n", "x", 202},
		{"bob", plain, strings.Repeat("x", talk.MaxText+1), 413},
		{"bob", plain, strings.Repeat("x", talk.MaxText), 202},
		{"bob", plain, "", 400}, {"bob", plain, "a\x00b", 400}, {"bob", plain, "\xff", 400},
	}
	scene(t, func(w *world) {
		h := w.phoneAt("alice", "127.0.0.1:5070", doorA)
		defer h.off()
		h.register()
		for i, c := range cases {
			a := h.begin("MESSAGE", "sip:"+c.to+"@"+doorA)
			a.extra, a.body = c.extra, c.body
			if r := a.do(); r.StatusCode != c.code {
				t.Errorf("case %d: %d, want %d", i, r.StatusCode, c.code)
			}
		}
		w.ea.set(func() { w.ea.refuse = errTurn })
		a := h.begin("MESSAGE", "sip:bob@"+doorA)
		a.extra, a.body = plain, "x"
		if r := a.do(); r.StatusCode != 480 {
			t.Errorf("a text that is not queued: %d", r.StatusCode)
		}
	})
}

func TestHostileHostsCauseNoLookupAndNoPacket(t *testing.T) {
	scene(t, func(w *world) {
		h := w.phoneAt("alice", "127.0.0.1:5070", doorA)
		defer h.off()
		h.contact = "<sip:alice@leak.example.net:5099;maddr=192.0.2.9;transport=udp>"
		reg := h.begin("REGISTER", "sip:"+doorA)
		reg.to = "<sip:alice@" + doorA + ">"
		reg.extra = "Route: <sip:192.0.2.8;lr>\r\nPath: <sip:192.0.2.7;lr>\r\n"
		if r := reg.do(); r.StatusCode != 200 {
			t.Fatal(r)
		}
		if !w.a.Deliver("bob", "hello") {
			t.Error("the text did not come to where the phone is")
		}
		w.ea.set(func() { w.ea.tap = func(far *callEnd) { far.Answer(talk.PCMA) } })
		a := h.invite("bob", sdp(4000))
		a.extra += "Record-Route: <sip:192.0.2.6;lr>\r\nRoute: <sip:leak.example.net;lr>\r\n"
		r := a.do()
		a.ack(r)
		pass(time.Second)
		if r.StatusCode != 200 || r.GetHeader("Record-Route") != nil {
			t.Errorf("the call: %v", r)
		}
		if bye := a.within("BYE", r).do(); bye.StatusCode != 200 {
			t.Errorf("BYE: %v", bye)
		}
		sub := h.begin("SUBSCRIBE", "sip:bob@"+doorA)
		sub.extra = "Event: presence\r\n"
		sub.do()
		if len(h.requests(sipmsg.NOTIFY)) != 1 {
			t.Error("the NOTIFY did not come to where the phone is")
		}
		pass(time.Second)
		for at := range w.net.Strays() { // the phone's own media ports are closed in this test
			if at != addr("127.0.0.1:4000") && at != addr("127.0.0.1:4001") {
				t.Errorf("a packet went to %v", at)
			}
		}
	})
}

func TestPresenceIsToldAndNotTaken(t *testing.T) {
	scene(t, func(w *world) {
		h := w.phoneAt("alice", "127.0.0.1:5070", doorA)
		defer h.off()
		h.register()
		sub := h.begin("SUBSCRIBE", "sip:bob@"+doorA)
		sub.extra = "Event: presence\r\nExpires: 300\r\nAccept: application/pidf+xml\r\n"
		if r := sub.do(); r.StatusCode != 200 || r.GetHeader("Expires").Value() != "300" {
			t.Fatalf("SUBSCRIBE: %v", r)
		}
		state := func() string {
			n := h.requests(sipmsg.NOTIFY)
			last := string(n[len(n)-1].Body())
			return fmt.Sprint(len(n), strings.Contains(last, "<basic>open</basic>"),
				strings.Contains(last, "<basic>closed</basic>"))
		}
		pass(time.Second)
		if got := state(); got != "1 false true" {
			t.Errorf("at first: %s", got)
		}
		w.ea.set(func() { w.ea.online = true })
		pass(2 * lookEvery)
		if got := state(); got != "2 true false" {
			t.Errorf("when bob comes: %s", got)
		}
		pub := h.begin("PUBLISH", "sip:alice@"+doorA)
		pub.extra = "Event: presence\r\nContent-Type: application/pidf+xml\r\n"
		pub.body = "<canary/>"
		if r := pub.do(); r.StatusCode != 200 || r.GetHeader("SIP-ETag") == nil {
			t.Errorf("PUBLISH: %v", r)
		}
		pass(301 * time.Second)
		w.ea.set(func() { w.ea.online = false })
		pass(2 * lookEvery)
		if got := state(); got != "2 true false" {
			t.Errorf("after the subscription ran out: %s", got)
		}
		for _, event := range []string{"message-summary", "reg", "dialog", ""} {
			s := h.begin("SUBSCRIBE", "sip:bob@"+doorA)
			s.extra = "Event: " + event + "\r\n"
			if r := s.do(); r.StatusCode != 489 {
				t.Errorf("event %q: %v", event, r)
			}
		}
	})
}

func TestOtherRequestsAreAnsweredPlainly(t *testing.T) {
	scene(t, func(w *world) {
		h := w.phoneAt("alice", "127.0.0.1:5070", doorA)
		defer h.off()
		h.register()
		want := map[string]int{"OPTIONS": 200, "REFER": 603, "BYE": 481, "INFO": 481,
			"UPDATE": 481, "NOTIFY": 481, "PRACK": 405, "FOO": 405}
		for method, code := range want {
			r := h.begin(method, "sip:bob@"+doorA).do()
			if r.StatusCode != code {
				t.Errorf("%s: %d, want %d", method, r.StatusCode, code)
			}
			for _, name := range []string{"Server", "User-Agent", "Date", "Organization"} {
				if r.GetHeader(name) != nil {
					t.Errorf("%s: the answer has %s", method, name)
				}
			}
		}
		req := h.begin("OPTIONS", "sip:bob@"+doorA)
		req.extra = "Require: 100rel, precondition\r\n"
		if r := req.do(); r.StatusCode != 420 || r.GetHeader("Unsupported") == nil {
			t.Errorf("Require: %v", r)
		}
	})
}

func TestRunEndsEverythingItStarted(t *testing.T) {
	scene(t, func(w *world) { // the bubble fails if a goroutine is left
		h := w.phoneAt("alice", "127.0.0.1:5070", doorA)
		defer h.off()
		h.register()
		w.ea.set(func() { w.ea.tap = func(far *callEnd) { far.Answer(talk.PCMA) } })
		a := h.invite("bob", sdp(4000))
		a.ack(a.do())
		pass(time.Second)
	})
	p, err := New(Config{Listen: "127.0.0.1:0", User: "alice", Password: password}, &fakeEngine{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := p.Run(ctx); err != nil {
		t.Errorf("Run: %v", err)
	}
	q, err := New(Config{Listen: p.Addr().String(), User: "alice", Password: password},
		&fakeEngine{})
	if err != nil {
		t.Fatalf("the port is not given back: %v", err)
	}
	q.Run(ctx)
}

func TestSetupFitsWhatTheDoorAsksFor(t *testing.T) {
	a := Setup(Config{User: "alice", Password: password})
	for name, want := range map[string][]string{
		"baresip": {"<sip:alice@127.0.0.1:5060;transport=tcp>", "auth_user=alice",
			"auth_pass=" + password},
		"linphone": {"username=alice", "passwd=" + password, "realm=nightjar",
			"reg_proxy=<sip:127.0.0.1:5060;transport=tcp>"},
	} {
		for _, w := range want {
			if !strings.Contains(a.Paste[name], w) {
				t.Errorf("%s: no %q in\n%s", name, w, a.Paste[name])
			}
		}
	}
	if len(a.Settings) < 8 || len(Setup(Config{Listen: "0.0.0.0:1"}).Settings) != 0 {
		t.Errorf("settings %v", a.Settings)
	}
}
