//go:build e2e

// A vault of which every secret is known, and the people whom its identities know.

package memory

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/flynn/noise"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/chacha20poly1305"

	"nightjar/keystore"
	"nightjar/keystore/words"
	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/talk"
)

// person is one identity, all of whose secrets the parent knows.
type person struct {
	master, seed, root []byte
	scalar             []byte
	password           []byte
	address            card.Address
	agreement          [32]byte
	book               book.Book
	known              secrets // keys and what leads to keys
	words              secrets // names and texts
	sealed             []byte  // an invitation that lies in an inbox
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// letters are n random ones that may stand in a name.
func letters(n int) string {
	text := strings.ToLower(base32.StdEncoding.EncodeToString(random(n)))
	return text[:n]
}

func derive(secret []byte, info string) []byte {
	return must(hkdf.Key(sha256.New, secret, nil, info, 32))
}

// newPerson draws an identity (docs/vault.md, Keys).
func newPerson(name string) *person {
	p := &person{master: random(words.SecretSize), password: []byte("pw-" + letters(32)),
		known: secrets{}, words: secrets{}}
	p.seed = derive(p.master, "nightjar identity seed v1")
	p.root = derive(p.master, "nightjar identity root v1")
	h := sha512.Sum512(p.seed)
	p.scalar = h[:32]
	p.address = card.Address(ed25519.NewKeyFromSeed(p.seed)[32:])
	p.agreement = [32]byte(must(ecdh.X25519().NewPrivateKey(p.scalar)).PublicKey().Bytes())
	for what, b := range map[string][]byte{"master": p.master, "seed": p.seed, "root": p.root,
		"scalar": p.scalar, "signing prefix": h[32:], "password": p.password,
		"service seed": p.derived("nightjar service", make([]byte, 4))} {
		p.known[name+" "+what] = b
	}
	for seat := range 4 {
		p.known[fmt.Sprint(name, " client key ", seat)] =
			p.derived("nightjar service client", []byte{0, 0, 0, 0, 0, byte(seat)})
	}
	return p
}

// derived is what Derive gives (docs/vault.md).
func (p *person) derived(label string, context []byte) []byte {
	info := binary.BigEndian.AppendUint16([]byte("nightjar derive v1"), uint16(len(label)))
	return derive(p.root, string(append(append(info, label...), context...)))
}

// settle puts the person with its book into the vault, and notes what its password leads to.
func (p *person) settle(name, path string, keep ...*keystore.Password) {
	phrase := must(keystore.NewPassword(words.AppendPhrase(nil, p.master)))
	state := must(p.book.Encode(keystore.StateLimit))
	pw := must(keystore.NewPassword(bytes.Clone(p.password)))
	id := must(keystore.Restore(path, phrase, state, pw, keep...))
	if card.Address(id.PublicKey()) != p.address {
		panic("another identity was restored")
	}
	id.Lock()
	salt := must(os.ReadFile(path))[:32]
	p.known[name+" h0"] = firstHash(p.password, salt)
	kek := argon2.IDKey(p.password, salt, 3, 256<<10, 4, 32)
	p.known[name+" kek"] = kek
	p.known[name+" slot key"] = slotKey(must(os.ReadFile(path)), kek)
}

// slotKey is the one of sixteen that opens.
func slotKey(file, kek []byte) []byte {
	const label, size = "nightjar vault v1", 256 << 10
	for i := range 16 {
		key := derive(kek, label+" slot"+string([]byte{byte(i)}))
		slot := file[32+i*size:][:size]
		aead := must(chacha20poly1305.NewX(key))
		ad := append([]byte(label), byte(i))
		if _, err := aead.Open(nil, slot[:24], slot[24:], ad); err == nil {
			return key
		}
	}
	panic("no slot opens")
}

// firstHash is what Argon2 makes of a password first: H0 of RFC 9106, 3.2.
func firstHash(password, salt []byte) []byte {
	u32 := binary.LittleEndian.AppendUint32
	var b []byte
	for _, n := range []uint32{4, 32, 256 << 10, 3, 0x13, 2, uint32(len(password))} {
		b = u32(b, n)
	}
	b = append(u32(append(b, password...), uint32(len(salt))), salt...)
	h := blake2b.Sum512(u32(u32(b, 0), 0))
	return h[:]
}

// meet makes a contact of p, whose far end the parent plays. Messages to it wait in p's book.
func (p *person) meet(name string, initiator bool, texts int) *mirror {
	seed := random(32)
	h := sha512.Sum512(seed)
	address := card.Address(ed25519.NewKeyFromSeed(seed)[32:])
	public := must(ecdh.X25519().NewPrivateKey(h[:32])).PublicKey().Bytes()
	m := &mirror{name: name, self: noise.DHKey{Private: h[:32], Public: public},
		peer: p.agreement, psk: [32]byte(random(32)), known: p.known, initiator: initiator,
		renewed: make(chan struct{})}
	shared := must(noise.DH25519.DH(h[:32], p.agreement[:]))
	a, b := p.address, address
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	root := must(hkdf.Key(sha256.New, shared, m.psk[:],
		"nightjar pair v1"+string(a[:])+string(b[:]), 32))
	m.root = [32]byte(root)
	m.known[name+" statics"] = shared
	m.known[name+" root"] = root
	m.known[name+" psk"] = m.psk[:]
	petname := letters(20)
	p.words[name+" petname"] = []byte(petname)
	check(p.book.Add(book.Contact{Name: petname, Address: address, Standing: book.Accepted,
		PSK: m.psk, Met: true}))
	for i := range texts {
		text := letters(60)
		p.words[fmt.Sprint(name, " waiting text ", i)] = []byte(text)
		check(p.book.Queue(petname, talk.ID(random(16)), text, time.Now()))
	}
	return m
}

// invited leaves an invitation of a stranger in an inbox of p.
func (p *person) invited(name string) {
	inbox := [32]byte(random(32))
	p.book.AddGateway(card.Gateway{ID: strings.Repeat("a", 56), Port: 1}) // else nobody looks
	check(p.book.Issue(book.Issued{Inbox: inbox, Expires: time.Now().Add(time.Hour)}, time.Now()))
	key := ed25519.NewKeyFromSeed(random(32))
	inv := card.Invitation{From: card.Address(key[32:]), Name: letters(16), Greeting: letters(60),
		PSK: [32]byte(random(32)), Reach: card.Reach{Expires: time.Now().Add(time.Hour)}}
	sign := func(b []byte) ([64]byte, error) { return [64]byte(ed25519.Sign(key, b)), nil }
	p.sealed = must(inv.Seal(p.address, p.agreement, inbox, sign))
	p.known[name+" inbox"] = inbox[:]
	p.known[name+" invitation psk"] = inv.PSK[:]
	p.known[name+" invitation agreement"] = must(noise.DH25519.DH(p.scalar, p.sealed[:32]))
	p.words[name+" invitation name"] = []byte(inv.Name)
	p.words[name+" invitation greeting"] = []byte(inv.Greeting)
}
