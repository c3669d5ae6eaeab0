// Claims about what the SIP library cannot do here.

package stack

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"nightjar/sip/gate"

	"github.com/emiago/sipgo/sip"
)

func TestLibraryCannotDialOrLookUp(t *testing.T) {
	at := netip.MustParseAddrPort("127.0.0.1:5060")
	s, err := New(at, gate.New("alice", "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U"))
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"192.0.2.1:5060", "127.0.0.1:9", "leak.example.net:5060"} {
		d := s.Calling("bob", "alice", Peer{Transport: "TCP", Target: URI("bob", at)})
		r := d.Request(sip.OPTIONS)
		via := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "TCP",
			Host: "127.0.0.1", Port: 5060}
		via.Params.Add("branch", sip.RFC3261BranchMagicCookie+Token())
		r.PrependHeader(via)
		r.SetBody(nil)
		r.SetTransport("TCP")
		r.SetDestination(to)
		// past our own check, straight into the library
		if _, err := s.client.TransactionRequest(t.Context(), r, asItIs); !errors.Is(err,
			errClosed) && to != "leak.example.net:5060" || err == nil {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func TestTargetDecidesNothing(t *testing.T) {
	at := netip.MustParseAddrPort("127.0.0.1:5060")
	leak := sip.Uri{Scheme: "sip", User: "alice", Host: "leak.example.net", Port: 5099}
	s := &Stack{at: at}
	r := s.Calling("bob", "alice", Peer{Target: leak}).Request(sip.MESSAGE)
	if r.Destination() != "leak.example.net:5099" {
		t.Fatalf("the naive way goes to %s: this test proves nothing", r.Destination())
	}
	r.SetDestination("127.0.0.1:5070")
	if r.Destination() != "127.0.0.1:5070" || r.Recipient.Host != "leak.example.net" {
		t.Errorf("destination %s", r.Destination())
	}
}

func TestNothingIsSentToAnAddressThatNeverSpoke(t *testing.T) {
	at := netip.MustParseAddrPort("127.0.0.1:5060")
	s, err := New(at, gate.New("alice", "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U"))
	if err != nil {
		t.Fatal(err)
	}
	for _, transport := range []string{"UDP", "TCP", "TLS", "WS", "nonsense"} {
		p := Peer{Source: netip.MustParseAddrPort("127.0.0.1:5070"), Transport: transport,
			Target: URI("alice", at)}
		d := s.Calling("bob", "alice", p)
		if _, err := s.Do(context.Background(), d.Request(sip.MESSAGE), p); !errors.Is(err,
			ErrGone) {
			t.Errorf("%s: %v", transport, err)
		}
		if err := s.Write(d.Request(sip.ACK), p); !errors.Is(err, ErrGone) {
			t.Errorf("%s: ACK: %v", transport, err)
		}
	}
}
