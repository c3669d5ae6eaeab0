// Streams that leave the Tor network: for https relays alone, and only where the user said so.

package onion

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"nightjar/onion/socks"
)

// An Exit is a Path that can also leave its network, to hosts that are no onion services. The last
// relay of the circuit sees which host is reached, and the host sees that relay; neither sees who
// asks. Nothing is looked up on this machine.
type Exit interface {
	// DialHost opens a stream to a host by its name, or by its address as text. It ends as soon as
	// ctx does. Isolations are as of Path.Dial. Errors are of type *Error, and wrap ErrNoExits when
	// nobody allowed it, ErrRemote, ErrNoService, ErrPathClosed or ErrTorDied.
	DialHost(ctx context.Context, host string, port uint16, iso Isolation) (net.Conn, error)

	// Exits reports whether DialHost was allowed.
	Exits() bool
}

// Exits reports whether this tor was told that streams may leave the network.
func (t *Tor) Exits() bool { return t.config.Exits }

// DialHost opens a stream to a host that is no onion service, as Exit says. After a minute it gives
// up with ErrNoService.
func (t *Tor) DialHost(ctx context.Context, host string, port uint16, iso Isolation) (
	net.Conn, error) {
	switch {
	case !t.Exits():
		return nil, &Error{"dial", Here, ErrNoExits}
	case !isHost(host) || port == 0:
		return nil, &Error{"dial", Here, ErrRemote}
	case iso == "":
		iso = NewIsolation()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, dialTime, errDialTime)
	defer cancel()
	proc := t.process()
	proc.Expect()
	login := socks.Login{User: string(iso), Password: "exit"}
	c, err := socks.Dial(ctx, proc.DialExit, login, host, port)
	var refusal socks.Refusal
	switch {
	case err == nil:
		return c, nil
	case errors.Is(err, errDialTime):
		return nil, &Error{"dial", Network, ErrNoService}
	case ctx.Err() != nil:
		return nil, &Error{"dial", Network, err}
	case errors.Is(err, socks.ErrRequest):
		return nil, &Error{"dial", Here, ErrRemote}
	case errors.As(err, &refusal):
		return nil, &Error{"dial", Network, ErrNoService}
	}
	return nil, t.fail(proc, "dial", Gate, err)
}

// isHost reports whether text is an address, or a name of at least two labels of letters, digits
// and hyphens (RFC 1123 section 2.1), and names no onion service.
func isHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return !strings.Contains(text, "%")
	}
	labels := strings.Split(text, ".")
	if len(text) > 253 || len(labels) < 2 || strings.EqualFold(labels[len(labels)-1], "onion") {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(strings.ToLower(l), lettersDigitsHyphen) != "" {
			return false
		}
	}
	return true
}

const lettersDigitsHyphen = "abcdefghijklmnopqrstuvwxyz0123456789-"
