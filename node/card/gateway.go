// A gateway as a line of text: what its owner hands to people who are to use it.

package card

import (
	"errors"
	"strconv"
	"strings"
)

// gatewayScheme begins the line of a gateway.
const gatewayScheme = "nightjar-gateway:"

// ErrGateway is returned for a line that is no gateway's.
var ErrGateway = errors.New("not the line of a gateway")

// String is the line of g: "nightjar-gateway:", the service id of 56 characters, ":", the port.
func (g Gateway) String() string {
	return gatewayScheme + g.ID + ":" + strconv.Itoa(int(g.Port))
}

// ParseGateway reads what String wrote, or returns ErrGateway.
func ParseGateway(line string) (Gateway, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(line), gatewayScheme)
	id, port, two := strings.Cut(rest, ":")
	n, err := strconv.ParseUint(port, 10, 16)
	if _, known := serviceKey(id); !ok || !two || err != nil || n == 0 || !known {
		return Gateway{}, ErrGateway
	}
	g := Gateway{ID: id, Port: uint16(n)}
	if g.String() != strings.TrimSpace(line) {
		return Gateway{}, ErrGateway
	}
	return g, nil
}

// SetDoorbell names as the card's doorbell the onion service of an Ed25519 key, at a port.
func (c *Card) SetDoorbell(key [32]byte, port uint16) {
	c.Doorbell = Gateway{ID: serviceID(key), Port: port}
}

// CheckGreeting returns ErrText for a greeting that could not be in an invitation: longer than
// MaxGreeting bytes, not UTF-8, or with control characters. An empty one is fine.
func CheckGreeting(s string) error {
	if !plain(s, MaxGreeting) {
		return ErrText
	}
	return nil
}
