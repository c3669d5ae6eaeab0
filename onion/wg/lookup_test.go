// Names, and what servers answer.

package wg

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
)

func TestNamesAreAskedForInside(t *testing.T) {
	here, there := pair(t)
	at, number := full(netip.AddrPortFrom(there.host.v4, 53))
	u, err := gonet.DialUDP(there.host.stack, &at, nil, number)
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 8)
	go func() {
		for b := make([]byte, 2048); ; {
			n, from, err := u.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:n]) != nil {
				continue
			}
			asked <- m.Questions[0].Name.String()
			m.Response, m.RecursionAvailable = true, true
			head := dnsmessage.ResourceHeader{Name: m.Questions[0].Name, TTL: 5,
				Class: dnsmessage.ClassINET}
			m.Answers = []dnsmessage.Resource{{Header: head,
				Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 9}}}}
			answer, _ := m.Pack()
			u.WriteTo(answer, from)
		}
	}()
	got, err := here.Lookup(limited(t, 5*time.Second), "relay.example")
	if err != nil || len(got) != 1 || got[0] != netip.MustParseAddr("192.0.2.9") {
		t.Fatalf("looked up %v, %v", got, err)
	}
	if name := <-asked; name != "relay.example." {
		t.Errorf("asked for %q", name)
	}
	if _, err := there.Lookup(limited(t, time.Second), "relay.example"); err != ErrName {
		t.Errorf("without servers: %v", err)
	}
	if _, err := here.Lookup(t.Context(), ""); err != ErrName {
		t.Errorf("no name: %v", err)
	}
}

func FuzzAnswer(f *testing.F) {
	q := dnsmessage.Question{Name: dnsmessage.MustNewName("a.example."), Type: dnsmessage.TypeA,
		Class: dnsmessage.ClassINET}
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, Response: true},
		Questions: []dnsmessage.Question{q}, Answers: []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class},
			Body:   &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}}}}
	b, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		found, ok, _ := readAnswer(b, 7, q)
		if len(found) > 64 || !ok && len(b) >= 2 && (b[0] != 0 || b[1] != 7) && len(found) > 0 {
			t.Errorf("%d addresses from %d bytes", len(found), len(b))
		}
	})
}
