// How a contact can be reached: the record that two contacts keep up to date for each other.

package card

import (
	"net/netip"
	"slices"
	"time"
)

// maxAt is how many addresses a Reach can name.
const maxAt = 4

// A Reach says where one contact, and only that contact, can call: at an onion service, at some
// addresses, or nowhere now. Who is reached by a service never shows an address, so that no record
// holds both.
type Reach struct {
	Service string    // v3 onion service id, 56 characters; "" when there is none now
	Port    uint16    // virtual port of the service, 1 to 65535
	Auth    [32]byte  // X25519 private key of the service's client authorization
	Expires time.Time // written in whole hours, rounded up, so that no clock can be read from it
	Caps    uint32    // capabilities, one bit each

	// At is where datagrams reach us, at most four, each once. Then there is no Service, and Auth
	// is zero.
	At []netip.AddrPort
}

// reachBody is Reach on the wire.
type reachBody struct {
	Service []byte   `cbor:"1,keyasint,omitempty"` // 32 bytes
	Port    uint16   `cbor:"2,keyasint,omitempty"`
	Auth    []byte   `cbor:"3,keyasint,omitempty"` // 32 bytes; absent when there is At
	Expires uint32   `cbor:"4,keyasint"`           // hours since 1970, UTC
	Caps    uint32   `cbor:"5,keyasint,omitempty"`
	At      [][]byte `cbor:"6,keyasint,omitempty"` // IPv4 4 or IPv6 16 | port 2
}

// MarshalBinary returns r as deterministic CBOR, about 90 bytes, or ErrReach.
func (r Reach) MarshalBinary() ([]byte, error) {
	b, err := r.body()
	if err != nil {
		return nil, err
	}
	return marshal(b), nil
}

// UnmarshalBinary reads what MarshalBinary wrote, or returns ErrReach.
func (r *Reach) UnmarshalBinary(b []byte) error {
	var body reachBody
	if !unmarshal(b, &body) {
		return ErrReach
	}
	return r.set(body)
}

// Expired reports whether r should no longer be believed.
func (r Reach) Expired(now time.Time) bool { return !now.Before(r.Expires) }

func (r Reach) body() (reachBody, error) {
	hours, ok := whole(r.Expires, time.Hour)
	if !ok || (r.Service == "") != (r.Port == 0) {
		return reachBody{}, ErrReach
	}
	b := reachBody{Port: r.Port, Expires: hours, Caps: r.Caps}
	if len(r.At) == 0 || r.Auth != [32]byte{} {
		b.Auth = r.Auth[:]
	}
	if r.Service != "" {
		k, ok := serviceKey(r.Service)
		if !ok {
			return reachBody{}, ErrReach
		}
		b.Service = k[:]
	}
	for _, a := range r.At {
		b.At = append(b.At, packNode(a))
	}
	return b, new(Reach).set(b) // what we write, all must be able to read
}

func (r *Reach) set(b reachBody) error {
	if n := len(b.Service); n != 0 && n != 32 || (n == 0) != (b.Port == 0) {
		return ErrReach
	}
	*r = Reach{Port: b.Port, Expires: unwhole(b.Expires, time.Hour), Caps: b.Caps}
	if len(b.At) > 0 {
		return r.setAt(b)
	}
	if len(b.Auth) != 32 {
		return ErrReach
	}
	r.Auth = [32]byte(b.Auth)
	if len(b.Service) == 32 {
		r.Service = serviceID([32]byte(b.Service))
	}
	return nil
}

// setAt is set for a record of addresses.
func (r *Reach) setAt(b reachBody) error {
	if len(b.At) > maxAt || len(b.Service) > 0 || len(b.Auth) > 0 {
		return ErrReach
	}
	for _, raw := range b.At {
		a, ok := unpackNode(raw)
		if !ok || a.Addr() == everybody() || slices.Contains(r.At, a) {
			return ErrReach
		}
		r.At = append(r.At, a)
	}
	return nil
}

// everybody is the address of all on one network.
func everybody() netip.Addr { return netip.AddrFrom4([4]byte{255, 255, 255, 255}) }

// whole counts the units from 1970 to t, rounded up; false if t is before 1970 or too far ahead.
func whole(t time.Time, unit time.Duration) (uint32, bool) {
	s, u := t.Unix(), int64(unit/time.Second)
	if t.Nanosecond() > 0 {
		s++
	}
	if s < 0 || s/u >= 1<<32-1 {
		return 0, false
	}
	return uint32((s + u - 1) / u), true
}

func unwhole(n uint32, unit time.Duration) time.Time {
	return time.Unix(int64(n)*int64(unit/time.Second), 0).UTC()
}
