// What a configuration looks like: as a file, and as the words that set a WireGuard device.

package wgconf

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Append appends the configuration as a file that Parse reads as the same.
func (c *Config) Append(b []byte) []byte {
	do(func() { b = c.file(b) })
	return b
}

func (c *Config) file(b []byte) []byte {
	line := func(name, value string) { b = append(b, name+" = "+value+"\n"...) }
	b = append(b, "[Interface]\n"...)
	line("PrivateKey", base64.StdEncoding.EncodeToString(c.keys().private[:]))
	line("Address", list(c.Addresses))
	if len(c.Servers) > 0 {
		line("DNS", list(c.Servers))
	}
	line("MTU", strconv.Itoa(c.MTU))
	b = append(b, "\n[Peer]\n"...)
	line("PublicKey", base64.StdEncoding.EncodeToString(c.keys().public[:]))
	if c.keys().hasShared {
		line("PresharedKey", base64.StdEncoding.EncodeToString(c.keys().preshared[:]))
	}
	line("Endpoint", c.Endpoint.String())
	line("AllowedIPs", list(c.Allowed))
	if c.Keepalive > 0 {
		line("PersistentKeepalive", strconv.Itoa(c.Keepalive))
	}
	return b
}

func list[T fmt.Stringer](values []T) string {
	var all []string
	for _, v := range values {
		all = append(all, v.String())
	}
	return strings.Join(all, ", ")
}

// Set calls set with the words that WireGuard's cross-platform interface takes to set a device.
// They hold the keys, and are erased afterwards as far as the toolchain can.
func (c *Config) Set(set func(words string) error) (err error) {
	do(func() { err = set(c.words()) })
	return err
}

func (c *Config) words() string {
	var b strings.Builder
	word := func(name, value string) { b.WriteString(name + "=" + value + "\n") }
	word("private_key", hex.EncodeToString(c.keys().private[:]))
	word("replace_peers", "true")
	word("public_key", hex.EncodeToString(c.keys().public[:]))
	if c.keys().hasShared {
		word("preshared_key", hex.EncodeToString(c.keys().preshared[:]))
	}
	word("endpoint", c.Endpoint.String())
	word("persistent_keepalive_interval", strconv.Itoa(c.Keepalive))
	for _, p := range c.Allowed {
		word("allowed_ip", p.String())
	}
	return b.String()
}
