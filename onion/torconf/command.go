// Control commands (control-spec sections 3.27 to 3.31).

package torconf

import (
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// ErrCommand means text that would not stay one command.
var ErrCommand = errors.New("not one control command")

// The bounds of a service.
const (
	// MaxClients is how many clients a service can let in: more do not fit its descriptor.
	MaxClients = 256
	// maxStreams is how many streams one client circuit may have at a time.
	maxStreams = 16
)

// CheckCommand refuses text that is more than one line, or that tor would read otherwise.
func CheckCommand(text string) error {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return ErrCommand
		}
	}
	return nil
}

// AddOnion returns the command that publishes a service: key is its expanded Ed25519 key (64
// bytes), target the socket that gets its streams, "unix:/name" or "127.0.0.1:1234". Tor keeps the
// key in memory only.
func AddOnion(key []byte, port uint16, target string, clients [][32]byte) (string, error) {
	if len(key) != 64 || port == 0 || len(clients) > MaxClients ||
		strings.ContainsAny(target, " ,") {
		return "", ErrCommand
	}
	flags := "DiscardPK"
	if len(clients) > 0 {
		flags += ",V3Auth"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "ADD_ONION ED25519-V3:%s Flags=%s MaxStreams=%d PoWDefensesEnabled=1",
		base64.StdEncoding.EncodeToString(key), flags, maxStreams)
	fmt.Fprintf(&b, " Port=%d,%s", port, target)
	for _, c := range clients {
		b.WriteString(" ClientAuthV3=")
		b.WriteString(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(c[:]))
	}
	return b.String(), CheckCommand(b.String())
}

// AddAuth returns the command that gives tor the key with which it may reach a service.
func AddAuth(id string, key [32]byte) string {
	return "ONION_CLIENT_AUTH_ADD " + id + " x25519:" + base64.StdEncoding.EncodeToString(key[:])
}

// RemoveAuth returns the command that takes the key back.
func RemoveAuth(id string) string { return "ONION_CLIENT_AUTH_REMOVE " + id }

// Fetch returns the command that has the descriptor of a service fetched anew.
func Fetch(id string) string { return "HSFETCH " + id }

// DelOnion returns the command that ends a service.
func DelOnion(id string) string { return "DEL_ONION " + id }
