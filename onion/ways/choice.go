// Package ways opens the way out that a user has chosen. One is chosen by name, and that one is
// opened or none: nothing here tries another.
//
//	tor                        onion services, by a tor process of our own
//	tor-over-vpn:FILE          the same; that tor leaves through the VPN of a wg-quick file
//	vpn:FILE                   addresses, through that VPN
//	socks:ADDRESS:PORT         addresses, by a SOCKS5 proxy
//	device:NAME                addresses, by one network interface
//	direct-reveals-my-address  addresses, without any cover
package ways

import (
	"errors"
	"net/netip"
	"strings"

	"nightjar/onion/exposure"
	"nightjar/onion/native"
)

var (
	// ErrChoice means words that choose no way out.
	ErrChoice = errors.New("not a way out")
	// ErrWord means that direct was asked for by another word than the one that says what it does.
	ErrWord = native.ErrWord
	// ErrHostName means a proxy by name. To ask for its address would tell the network which proxy
	// is about to be used; write the address there.
	ErrHostName = errors.New("the proxy must be an address, its name would have to be asked for")
)

// A Choice is a way out that a user has named.
type Choice struct {
	Way exposure.Way
	Of  string // the file, proxy or interface; empty for tor and direct

	typed string // the user's word for direct
}

// wasTyped reports whether the user typed the word that chooses direct.
func (c Choice) wasTyped() bool { return c.typed == exposure.Direct.String() }

// longest is the size of the longest choice in bytes.
const longest = 4096

// Parse reads what a user has typed. Errors are ErrChoice, ErrWord and ErrHostName.
func Parse(text string) (Choice, error) {
	if len(text) > longest || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' }) {
		return Choice{}, ErrChoice
	}
	word, of, more := strings.Cut(text, ":")
	switch {
	case text == exposure.Tor.String():
		return Choice{Way: exposure.Tor}, nil
	case text == exposure.Direct.String():
		return Choice{Way: exposure.Direct, typed: text}, nil
	case strings.HasPrefix(strings.ToLower(text), "direct"):
		return Choice{}, ErrWord
	case !more || of == "":
		return Choice{}, ErrChoice
	}
	switch word {
	case exposure.VPN.String():
		return Choice{Way: exposure.VPN, Of: of}, nil
	case exposure.TorOverVPN.String():
		return Choice{Way: exposure.TorOverVPN, Of: of}, nil
	case exposure.SOCKS.String():
		return socks(of)
	case exposure.Device.String():
		return device(of)
	}
	return Choice{}, ErrChoice
}

func socks(of string) (Choice, error) {
	a, err := netip.ParseAddrPort(of)
	if err != nil {
		host, _, _ := strings.Cut(of, ":")
		if strings.ContainsFunc(host, func(c rune) bool { return c > '9' }) && host[0] != '[' {
			return Choice{}, ErrHostName
		}
		return Choice{}, ErrChoice
	}
	a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	if a.Port() == 0 || a.Addr().IsUnspecified() || a.Addr().Zone() != "" {
		return Choice{}, ErrChoice
	}
	return Choice{Way: exposure.SOCKS, Of: a.String()}, nil
}

func device(of string) (Choice, error) {
	if len(of) > 15 || of == "." || of == ".." || strings.ContainsAny(of, "/: ") {
		return Choice{}, ErrChoice // as Linux does
	}
	return Choice{Way: exposure.Device, Of: of}, nil
}

// String returns what Parse reads as the same choice.
func (c Choice) String() string {
	if c.Of == "" {
		return c.Way.String()
	}
	return c.Way.String() + ":" + c.Of
}

// Exposes says who learns what on the chosen way, before it is opened.
func (c Choice) Exposes() []exposure.Exposure { return exposure.Of(c.Way) }
