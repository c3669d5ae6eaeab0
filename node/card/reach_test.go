// Claims about reach records that name addresses.

package card

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"
)

// goldenAt is the record of atReach, as docs/protocol-meeting.md has it.
const goldenAt = "a2041a00079fe3068246cb0071090fa05220010db80000000000000000000000017530"

func spot(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func atReach() Reach {
	return Reach{Expires: time.Date(2027, 1, 2, 3, 0, 0, 0, time.UTC),
		At: []netip.AddrPort{spot("203.0.113.9:4000"), spot("[2001:db8::1]:30000")}}
}

func TestRecordOfAddressesIsAsWritten(t *testing.T) {
	b, err := atReach().MarshalBinary()
	if err != nil || hex.EncodeToString(b) != goldenAt {
		t.Fatalf("%v: %x", err, b)
	}
	var got Reach
	if err := got.UnmarshalBinary(b); err != nil || !reflect.DeepEqual(got, atReach()) {
		t.Fatalf("%v: %+v", err, got)
	}
}

func TestRecordHasOneKindOfPlace(t *testing.T) {
	at := atReach().At
	for name, change := range map[string]func(*Reach){
		"a service beside": func(r *Reach) { r.Service, r.Port = reach(t).Service, 1 },
		"an authorization": func(r *Reach) { r.Auth[0] = 1 },
		"too many":         func(r *Reach) { r.At = farAway(maxAt + 1) },
		"twice":            func(r *Reach) { r.At = append(at, at[0]) },
		"no port":          func(r *Reach) { r.At = []netip.AddrPort{spot("203.0.113.9:0")} },
		"to many":          func(r *Reach) { r.At = []netip.AddrPort{spot("224.0.0.1:1")} },
		"to everybody":     func(r *Reach) { r.At = []netip.AddrPort{spot("255.255.255.255:1")} },
		"nowhere":          func(r *Reach) { r.At = []netip.AddrPort{spot("0.0.0.0:1")} },
		"none":             func(r *Reach) { r.At = make([]netip.AddrPort, 1) },
	} {
		r := atReach()
		change(&r)
		if _, err := r.MarshalBinary(); !errors.Is(err, ErrReach) {
			t.Errorf("%s is written: %v", name, err)
		}
		var raw [][]byte
		for _, a := range r.At {
			raw = append(raw, packNode(a))
		}
		body := reachBody{Port: r.Port, Expires: 1, At: raw}
		if r.Auth[0] != 0 {
			body.Auth = r.Auth[:]
		}
		if k, ok := serviceKey(r.Service); ok {
			body.Service = k[:]
		}
		if err := new(Reach).UnmarshalBinary(marshal(body)); !errors.Is(err, ErrReach) {
			t.Errorf("%s is read: %v", name, err)
		}
	}
	bare := reachBody{Expires: 1}
	if err := new(Reach).UnmarshalBinary(marshal(bare)); !errors.Is(err, ErrReach) {
		t.Errorf("a record of nothing is read: %v", err)
	}
	mapped := reachBody{Expires: 1, At: [][]byte{append(netip.MustParseAddr(
		"::ffff:203.0.113.9").AsSlice(), 1, 1)}}
	if err := new(Reach).UnmarshalBinary(marshal(mapped)); !errors.Is(err, ErrReach) {
		t.Errorf("an address in the longer of two forms is read: %v", err)
	}
}
