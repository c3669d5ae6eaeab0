// A card: everything a stranger needs to reach its owner, as one line of text that fits a QR code.

package card

import (
	"crypto/ed25519"
	"crypto/sha256"
	"net/netip"
	"strings"
	"time"
)

const (
	cardVersion = 1
	cardScheme  = "nightjar:"
	cardDomain  = "nightjar card v1\x00"
	sumSize     = 4
	maxText     = 2 * MaxCard // characters, more than any card has
)

// A Card opens the way to one identity. One card can open a closed network: it may carry all that
// is needed to get to the DHT.
type Card struct {
	Address  Address
	Name     string           // suggestion for a petname, at most MaxName bytes
	Inbox    [32]byte         // secret of the inbox; holders can leave and overwrite invitations
	Uses     uint             // how often the owner will accept this card; 0 means many times
	Expires  time.Time        // written in whole minutes, rounded up; zero means never
	Doorbell Gateway          // onion service that takes invitations; zero means none
	Gateways []Gateway        // ways into the DHT, at most 8
	Nodes    []netip.AddrPort // DHT nodes, at most 16
	Bridges  []string         // tor bridge lines, at most 8
	Relays   []string         // pkarr relays, https URLs, at most 8
}

// A Gateway is an onion service: its v3 id of 56 characters, and the port.
type Gateway struct {
	ID   string
	Port uint16
}

// Encode returns the card as a "nightjar:" URI in lower case; in upper case it is the same card and
// makes a smaller QR code. The sign function must belong to c.Address (else ErrSignature). It
// returns ErrSize, ErrText, ErrAddress or ErrCard when a field cannot be in a
// card.
func (c *Card) Encode(sign func([]byte) ([64]byte, error)) (string, error) {
	body, err := c.body()
	if err != nil {
		return "", err
	}
	b := append([]byte{cardVersion}, marshal(body)...)
	if len(b)+ed25519.SignatureSize+sumSize > MaxCard {
		return "", ErrSize
	}
	sig, err := sign(append([]byte(cardDomain), b...))
	if err != nil {
		return "", err
	}
	if !verify(c.Address, cardDomain, b, sig[:]) {
		return "", ErrSignature
	}
	b = append(b, sig[:]...)
	sum := sha256.Sum256(b)
	return cardScheme + letters.EncodeToString(append(b, sum[:sumSize]...)), nil
}

// Parse reads a card and checks everything but its expiry. Case, line breaks and spaces do not
// matter. It returns ErrCard, ErrVersion, ErrSignature, ErrSize, ErrAddress or ErrText.
func Parse(uri string) (*Card, error) {
	if len(uri) > 2*maxText {
		return nil, ErrSize
	}
	text := strings.ToLower(strings.Join(strings.Fields(uri), ""))
	text, ok := strings.CutPrefix(text, cardScheme)
	if !ok {
		return nil, ErrCard
	}
	if letters.DecodedLen(len(text)) > MaxCard {
		return nil, ErrSize
	}
	b, err := letters.DecodeString(text)
	if err != nil || len(b) < 1+ed25519.SignatureSize+sumSize || letters.EncodeToString(b) != text {
		return nil, ErrCard
	}
	b, sum := b[:len(b)-sumSize], b[len(b)-sumSize:]
	if want := sha256.Sum256(b); string(want[:sumSize]) != string(sum) {
		return nil, ErrCard
	}
	if b[0] != cardVersion {
		return nil, ErrVersion
	}
	return parseSigned(b[:len(b)-ed25519.SignatureSize], b[len(b)-ed25519.SignatureSize:])
}

func parseSigned(b, sig []byte) (*Card, error) {
	var body cardBody
	if !unmarshal(b[1:], &body) {
		return nil, ErrCard
	}
	c, err := body.card()
	if err != nil {
		return nil, err
	}
	if !verify(c.Address, cardDomain, b, sig) {
		return nil, ErrSignature
	}
	return c, nil
}

// Expired reports whether the owner no longer looks for answers to this card.
func (c *Card) Expired(now time.Time) bool {
	return !c.Expires.IsZero() && !now.Before(c.Expires)
}

// verify is Ed25519 over domain and message.
func verify(a Address, domain string, msg, sig []byte) bool {
	return ed25519.Verify(a[:], append([]byte(domain), msg...), sig)
}
