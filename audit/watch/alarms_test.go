// False alarms that audits of packets are known for, and that must not be raised; and beside each
// what looks like it and is none.

package watch

import (
	"net"
	"testing"
	"time"

	"nightjar/audit/watch/held"
)

// What a kernel with IPv6 says when an interface comes up has no owner.
func TestKernelsTalkOfNeighboursIsNoLeakAndALookAlikeIs(t *testing.T) {
	flow := func(kind byte, from, to string, options bool) Flow {
		return Flow{Interface: "eth0", Proto: ICMPv6, Type: kind, Options: options,
			From: at("[" + from + "]:0"), To: at("[" + to + "]:0")}
	}
	for _, c := range []struct {
		f    Flow
		want Verdict
	}{
		{flow(133, "fe80::1", "ff02::2", false), Kernel},
		{flow(133, "fe80::1", "ff02::1", false), Stray},
		{flow(133, "2001:db8::77", "ff02::2", false), Stray},
		{flow(135, "::", "ff02::1:ff00:77", false), Kernel},
		{flow(135, "fe80::1", "ff02::1:ff00:77", false), Kernel},
		{flow(135, "fe80::1", "ff02::1:fe00:77", false), Stray},
		{flow(135, "fe80::1", "ff05::1:ff00:77", false), Stray},
		{flow(143, "fe80::1", "ff02::16", true), Kernel},
		{flow(143, "fe80::1", "ff02::16", false), Stray},
		{flow(128, "fe80::1", "ff02::1", false), Stray}, // an echo
	} {
		if got := rules().Judge(c.f); got != c.want {
			t.Errorf("%+v: %s, want %s", c.f, got, c.want)
		}
	}
}

// What a kernel sends to end a connection comes from a socket that no process has any more.
func TestConnectionsLastWordsBelongToWhoeverBeganIt(t *testing.T) {
	key := flowKey{link: 1, proto: TCP, from: at("127.0.0.1:4000"), to: at("127.0.0.2:9001")}
	tor := Owner{Role: "tor"}
	batch := []seen{{key: key, packet: Packet{Proto: TCP, Type: flagACK}, size: 40}}
	r := &Recorder{procs: newProcesses(func(Process) Owner { return Owner{} }),
		known: map[flowKey]*ends{key: {owner: tor, at: time.Now().Add(-time.Hour)}},
		links: map[int]string{1: "lo"}}
	r.resolve(batch)
	if got := r.known[key].owner; got != tor {
		t.Errorf("it is %s's", got)
	}
	reset := key
	reset.kind = flagRST
	r.resolve([]seen{{key: reset, packet: Packet{Proto: TCP, Type: flagRST}, size: 40}})
	if got := r.known[reset].owner; got != tor {
		t.Errorf("its reset is %s's", got)
	}
	// A new connection between the same two is nobody's until its socket is found.
	batch[0].packet.Type = flagSYN
	r.resolve(batch)
	if got := r.known[key].owner; got == tor {
		t.Error("another connection is taken for the one before")
	}
}

// An ICMP error holds the beginning of what it answers, a question to a name service for example.
func TestErrorThatQuotesAPacketIsNotThatPacket(t *testing.T) {
	quoted := encode(Packet{Proto: UDP, From: at("127.0.0.1:4000"), To: at("192.0.2.53:53")})
	b := append(encode(Packet{Proto: ICMP, From: at("127.0.0.2:0"), To: at("127.0.0.1:0"),
		Type: 3}), append(make([]byte, 4), quoted...)...)
	p, ok := Parse(b)
	if !ok || p.Proto != ICMP || p.To != at("127.0.0.1:0") {
		t.Fatalf("read as %+v", p)
	}
	f := Flow{Interface: "lo", Proto: p.Proto, Type: p.Type, From: p.From, To: p.To}
	if v := rules().Judge(f); v != Kernel {
		t.Error(v)
	}
	if f.Type = 8; rules().Judge(f) != Stray {
		t.Error("an echo of nobody's is let pass")
	}
}

// The recorder's own packets are not those that it is there to see.
func TestRecordersOwnPulseIsNotRecorded(t *testing.T) {
	pulse, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer pulse.Close()
	own := flowKey{link: 1, proto: UDP, from: addrPort(pulse.LocalAddr()), to: pulseAt()}
	other := own
	other.from = at("127.0.0.1:9")
	r := &Recorder{pulse: pulse, flows: map[flowKey]*Flow{}, more: make(chan struct{}),
		known: map[flowKey]*ends{own: {}, other: {}}, links: map[int]string{1: "lo"}}
	r.count([]seen{{key: own, size: 29}, {key: other, size: 29}})
	if r.flows[own] != nil || r.heard != 1 {
		t.Error("the pulse is counted")
	}
	if r.flows[other] == nil {
		t.Error("what another sends there is not")
	}
}

// A name service of the machine itself is asked on loopback, and passes the question on.
func TestQuestionOnLoopbackIsALeak(t *testing.T) {
	f := Flow{Interface: "lo", Proto: UDP, From: at("127.0.0.1:4000"), To: held.NameService(),
		Owner: Owner{Role: "engine"}, Peer: Owner{Role: "resolver"}}
	r := rules()
	r.Loopback = true // even where all of loopback is let be
	if v := r.Judge(f); v != Name {
		t.Error(v)
	}
	if f.To = at("127.0.0.53:54"); r.Judge(f) != Fine {
		t.Error("loopback is not let be")
	}
}
