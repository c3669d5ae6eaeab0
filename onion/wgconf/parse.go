// Lines of a file, and what their values must be.

package wgconf

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Parse reads a file of at most MaxFile bytes. Errors are of type *Error, wrapping ErrCommand,
// ErrHostName, ErrUnknown, ErrTwice, ErrMissing or ErrValue.
func Parse(file []byte) (c *Config, err error) {
	do(func() { c, err = parse(file) })
	return c, err
}

// Endpoint reads a file as Parse does, and keeps nothing of it but where its VPN is: for a process
// that is to know no keys. The caller wipes the file.
func Endpoint(file []byte) (to netip.AddrPort, err error) {
	do(func() {
		var c *Config
		if c, err = parse(file); err == nil {
			to = c.Endpoint
			c.Wipe()
		}
	})
	return to, err
}

func parse(file []byte) (*Config, error) {
	if len(file) > MaxFile {
		return nil, &Error{0, ErrValue}
	}
	k := &keys{}
	r := &reader{config: &Config{keys: func() *keys { return k }}, seen: map[string]bool{}}
	n := 0
	for line := range bytes.Lines(file) {
		n++
		if err := r.line(string(line)); err != nil {
			return nil, &Error{n, err}
		}
	}
	if err := r.config.check(); err != nil {
		return nil, &Error{0, err}
	}
	return r.config, nil
}

// A reader is in the middle of a file.
type reader struct {
	config  *Config
	section string
	seen    map[string]bool // sections, and keys with their section, that cannot come again
}

func (r *reader) line(line string) error {
	line, _, _ = strings.Cut(line, "#")
	line = strings.Trim(line, " \t\r\n")
	if strings.ContainsFunc(line, func(c rune) bool { return c != '\t' && (c < ' ' || c > '~') }) {
		return ErrValue
	}
	if line == "" {
		return nil
	}
	if line[0] == '[' {
		r.section = strings.ToLower(line)
		if r.section != "[interface]" && r.section != "[peer]" {
			return ErrUnknown
		}
		return r.once(r.section)
	}
	name, value, ok := strings.Cut(line, "=")
	name, value = strings.ToLower(strings.Trim(name, " \t")), strings.Trim(value, " \t")
	if !ok || r.section == "" {
		return ErrUnknown
	}
	if err := r.key(r.section+name, value); err != nil {
		return err
	}
	if strings.HasSuffix(name, "address") || name == "dns" || name == "allowedips" {
		return nil // these add up
	}
	return r.once(r.section + name)
}

// once refuses what comes a second time.
func (r *reader) once(what string) error {
	if r.seen[what] {
		return ErrTwice
	}
	r.seen[what] = true
	return nil
}

// key takes a value; name is the section and the key in lower case.
func (r *reader) key(name, value string) error {
	c := r.config
	switch name {
	case "[interface]preup", "[interface]postup", "[interface]predown", "[interface]postdown":
		return ErrCommand
	case "[interface]privatekey":
		c.keys().hasPrivate = true
		return readKey(value, &c.keys().private)
	case "[interface]address":
		return readList(value, maxAddresses, &c.Addresses, readAddress)
	case "[interface]dns":
		return readList(value, maxServers, &c.Servers, readServer)
	case "[interface]mtu":
		return readNumber(value, lowestMTU, maxMTU, &c.MTU)
	case "[interface]listenport":
		return readNumber(value, 0, 65535, new(int))
	case "[interface]table", "[interface]fwmark":
		return readWord(value)
	case "[interface]saveconfig":
		if value != "true" && value != "false" {
			return ErrValue
		}
		return nil
	case "[peer]publickey":
		c.keys().hasPublic = true
		return readKey(value, &c.keys().public)
	case "[peer]presharedkey":
		c.keys().hasShared = true
		return readKey(value, &c.keys().preshared)
	case "[peer]endpoint":
		return readEndpoint(value, &c.Endpoint)
	case "[peer]allowedips":
		return readList(value, maxAllowed, &c.Allowed, readPrefix)
	case "[peer]persistentkeepalive":
		if value == "off" {
			return nil
		}
		return readNumber(value, 0, 65535, &c.Keepalive)
	}
	return ErrUnknown
}

// readKey reads 32 bytes in base64.
func readKey(value string, key *[32]byte) error {
	b, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil || len(b) != len(key) || *(*[32]byte)(b) == ([32]byte{}) {
		return ErrValue
	}
	copy(key[:], b)
	clear(b)
	return nil
}

func readNumber(value string, low, high int, to *int) error {
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil || int(n) < low || int(n) > high {
		return ErrValue
	}
	*to = int(n)
	return nil
}

// readWord reads a number or a word of the system's, which nothing here uses.
func readWord(value string) error {
	word := func(c rune) bool { return c == '_' || c == '-' || c == '.' || alnum(c) }
	if value == "" || len(value) > 32 || strings.IndexFunc(value, func(c rune) bool {
		return !word(c)
	}) >= 0 {
		return ErrValue
	}
	return nil
}

func alnum(c rune) bool { return '0' <= c && c <= '9' || alpha(c) }

func alpha(c rune) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// readEndpoint reads an address of one host, with a port.
func readEndpoint(value string, to *netip.AddrPort) error {
	a, err := netip.ParseAddrPort(value)
	if err != nil {
		host, _, port := strings.Cut(value, ":")
		if port && host != "" && host[0] != '[' && strings.ContainsFunc(host, alpha) {
			return ErrHostName
		}
		return ErrValue
	}
	ip := a.Addr().Unmap()
	if a.Port() == 0 || ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" {
		return ErrValue
	}
	*to = netip.AddrPortFrom(ip, a.Port())
	return nil
}

// readList reads values with commas between them, and adds those that are new.
func readList[T comparable](value string, most int, to *[]T, read func(string) (T, bool, error),
) error {
	for item := range strings.SplitSeq(value, ",") {
		one, use, err := read(strings.Trim(item, " \t"))
		if err != nil {
			return err
		}
		if use && !slices.Contains(*to, one) {
			*to = append(*to, one)
		}
		if len(*to) > most {
			return ErrValue
		}
	}
	return nil
}

// readAddress reads an address of this end. The size of its network has no meaning here.
func readAddress(value string) (netip.Addr, bool, error) {
	p, _, err := readPrefix(value)
	if err != nil {
		return netip.Addr{}, false, err
	}
	a := p.Addr()
	if host, _, ok := strings.Cut(value, "/"); ok {
		a = netip.MustParseAddr(host) // readPrefix has read it
	}
	if a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() {
		return netip.Addr{}, false, ErrValue
	}
	return a, true, nil
}

// readServer reads a DNS server. Domains to search in stand here too; nothing here searches.
func readServer(value string) (netip.Addr, bool, error) {
	a, err := netip.ParseAddr(value)
	if err == nil && a.Zone() == "" && !a.Is4In6() && !a.IsUnspecified() {
		return a, true, nil
	}
	if err == nil || readWord(value) != nil {
		return a, false, ErrValue
	}
	return a, false, nil
}

// readPrefix reads a network, or an address as the network of it alone.
func readPrefix(value string) (netip.Prefix, bool, error) {
	if !strings.Contains(value, "/") {
		a, err := netip.ParseAddr(value)
		if err != nil || a.Zone() != "" || a.Is4In6() {
			return netip.Prefix{}, false, ErrValue
		}
		return netip.PrefixFrom(a, a.BitLen()), true, nil
	}
	p, err := netip.ParsePrefix(value)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, false, ErrValue
	}
	return p.Masked(), true, nil
}
