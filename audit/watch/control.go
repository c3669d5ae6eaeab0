// The recorder's own proof: packets that must be recorded, or else nothing that it says counts.

package watch

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// ErrUnproven means that the recorder did not see what was sent for it to see.
var ErrUnproven = errors.New("the recorder does not see what it must see")

// control is one packet of the proof.
type control struct {
	network, to string
	proto       byte
}

// controls are sent by Provoke. The addresses are those set aside for documents.
func controls() []control {
	return []control{
		{"udp4", "198.51.100.1:9", UDP},
		{"udp4", "192.0.2.53:53", UDP},
		{"udp4", "127.0.0.53:53", UDP},
		{"tcp4", "198.51.100.2:443", TCP},
		{"udp6", "[2001:db8:1::1]:9", UDP},
		{"udp4", "224.0.0.251:5353", UDP},
	}
}

// provokeTime is how long Provoke keeps its sockets, to be looked up.
const provokeTime = 400 * time.Millisecond

// Provoke sends the packets of the proof. IPv6 may be missing.
func Provoke() error {
	d := net.Dialer{Timeout: provokeTime}
	for _, c := range controls() {
		conn, err := d.Dial(c.network, c.to)
		if err != nil {
			continue // TCP is never answered; what was sent is what counts
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("recorded?")); err != nil && c.network == "udp4" {
			return err
		}
	}
	<-time.After(provokeTime)
	return nil
}

// Proven checks that flows hold the packets of Provoke, that owner is who sent them, and that the
// rules find fault with each.
func Proven(flows []Flow, owner Owner, rules Rules, ipv6 bool) error {
	for _, c := range controls() {
		to := netip.MustParseAddrPort(c.to)
		if to.Addr().Is6() && !ipv6 {
			continue
		}
		seen := false
		for _, f := range flows {
			v := rules.Judge(f)
			seen = seen || f.Proto == c.proto && f.To == to && f.Owner == owner &&
				(v == Stray || v == Name)
		}
		if !seen {
			return fmt.Errorf("%w: %s to port %d", ErrUnproven, c.network, to.Port())
		}
	}
	return nil
}
