// What the handle does and refuses.

package keystore

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"sync"
	"testing"

	"filippo.io/edwards25519"
	"golang.org/x/crypto/curve25519"
)

func TestBothFormsAreOneKey(t *testing.T) {
	id := mustCreate(t, cheapVault(t), "a")
	mapped, err := AgreementKeyOf(id.PublicKey())
	if err != nil || mapped != id.AgreementKey() {
		t.Errorf("AgreementKeyOf(PublicKey) is not AgreementKey: %v", err)
	}
}

func TestTwoIdentitiesAgree(t *testing.T) {
	v := cheapVault(t)
	a, b := mustCreate(t, v, "a"), mustCreate(t, v, "b", "a")
	s1, err1 := a.Agree(b.AgreementKey())
	s2, err2 := b.Agree(a.AgreementKey())
	if err1 != nil || err2 != nil || s1 != s2 || s1 == [32]byte{} {
		t.Error("the two sides do not agree", err1, err2)
	}
}

// lowOrder are the u coordinates of small order, canonical and not (RFC 7748, 6.1).
var lowOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

func TestLowOrderPeersAreRefused(t *testing.T) {
	id := mustCreate(t, cheapVault(t), "a")
	for _, h := range lowOrder {
		b, _ := hex.DecodeString(h)
		if _, err := id.Agree([32]byte(b)); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", h, err)
		}
	}
}

// torsion is a point of order 8; what is added to it looks like another key but agrees alike.
const torsion = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"

func TestAgreementKeyOfRefusesEverySecondSpelling(t *testing.T) {
	raw, _ := hex.DecodeString(torsion)
	small, err := new(edwards25519.Point).SetBytes(raw)
	if err != nil {
		t.Fatal(err)
	}
	bad := map[string][]byte{"order 8": raw, "zero": edwards25519.NewIdentityPoint().Bytes()}
	for i, p := 0, new(edwards25519.Point).Set(small); i < 6; i++ {
		p.Add(p, small)
		bad["small "+string(rune('1'+i))] = p.Bytes()
	}
	mixed := new(edwards25519.Point).Add(edwards25519.NewGeneratorPoint(), small)
	bad["mixed order"] = mixed.Bytes()
	bad["not canonical"] = bytes.Repeat([]byte{0xff}, 32) // y = p+18, sign set
	bad["no point"] = append([]byte{2}, make([]byte, 31)...)
	for name, b := range bad {
		if _, err := AgreementKeyOf([32]byte(b)); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The naive map takes the mixed point, and gives it the agreements of the clean one.
	scalar := bytes.Repeat([]byte{0x48}, 32)
	s1, err1 := curve25519.X25519(scalar, mixed.BytesMontgomery())
	s2, err2 := curve25519.X25519(scalar, edwards25519.NewGeneratorPoint().BytesMontgomery())
	if err1 != nil || err2 != nil || !bytes.Equal(s1, s2) {
		t.Error("the naive map no longer shows why this is refused")
	}
}

func TestAgreementKeyOfMatchesThePrivateSide(t *testing.T) {
	for range 50 {
		public, private, _ := ed25519.GenerateKey(rand.Reader)
		h := sha512.Sum512(private.Seed())
		want, _ := curve25519.X25519(h[:32], curve25519.Basepoint)
		got, err := AgreementKeyOf([32]byte(public))
		if err != nil || !bytes.Equal(got[:], want) {
			t.Fatalf("%x: %v", public, err)
		}
	}
}

func TestHPKEOpensWithTheHandle(t *testing.T) {
	id := mustCreate(t, cheapVault(t), "a")
	key, err := hpke.NewDHKEMPrivateKey(id.Exchanger())
	if err != nil {
		t.Fatal(err)
	}
	kdf, aead := hpke.HKDFSHA256(), hpke.ChaCha20Poly1305()
	sealed, err := hpke.Seal(key.PublicKey(), kdf, aead, []byte("info"), []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := hpke.Open(key, kdf, aead, []byte("info"), sealed)
	if err != nil || string(plain) != "hello" {
		t.Errorf("%q, %v", plain, err)
	}
	id.Lock()
	if _, err := hpke.Open(key, kdf, aead, []byte("info"), sealed); err == nil {
		t.Error("a locked identity opened a sealed message")
	}
}

func TestExchangerRefusesOtherCurves(t *testing.T) {
	id := mustCreate(t, cheapVault(t), "a")
	p, _ := ecdh.P256().GenerateKey(rand.Reader)
	if _, err := id.Exchanger().ECDH(p.PublicKey()); !errors.Is(err, ErrKey) {
		t.Error(err)
	}
}

func TestDerivedKeysDependOnAllTheyAreGiven(t *testing.T) {
	v := cheapVault(t)
	a, b := mustCreate(t, v, "a"), mustCreate(t, v, "b", "a")
	seen := map[[32]byte]string{}
	for name, d := range map[string]func() ([32]byte, error){
		"a":       func() ([32]byte, error) { return a.Derive("x", []byte("y")) },
		"label":   func() ([32]byte, error) { return a.Derive("xx", []byte("y")) },
		"shifted": func() ([32]byte, error) { return a.Derive("xy", nil) },
		"context": func() ([32]byte, error) { return a.Derive("x", []byte("z")) },
		"other":   func() ([32]byte, error) { return b.Derive("x", []byte("y")) },
	} {
		k, err := d()
		if err != nil {
			t.Fatal(err)
		}
		if other, dup := seen[k]; dup {
			t.Errorf("%s and %s derive the same key", name, other)
		}
		seen[k] = name
	}
	if _, err := a.Derive(string(make([]byte, 1<<16)), nil); err == nil {
		t.Error("a label without a length was taken")
	}
}

func TestALockedIdentityDoesNothing(t *testing.T) {
	id := mustCreate(t, cheapVault(t), "a")
	peer := id.AgreementKey()
	x := id.Exchanger()
	id.Lock()
	id.Lock()
	_, signing := id.Sign(nil)
	_, agreeing := id.Agree(peer)
	_, deriving := id.Derive("x", nil)
	_, exchanging := x.ECDH(x.PublicKey())
	for name, err := range map[string]error{"sign": signing, "agree": agreeing,
		"derive": deriving, "exchange": exchanging, "save": id.Save(nil), "burn": id.Burn(),
		"change password": id.ChangePassword(password(t, "b"))} {
		if !errors.Is(err, ErrLocked) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if id.State() != nil {
		t.Error("a locked identity has a state")
	}
}

// Lock waits for calls under way: memory is not taken from under them.
func TestLockDuringWorkIsSafe(t *testing.T) {
	v := cheapVault(t)
	for range 5 {
		id := mustCreate(t, v, "a")
		peer := id.AgreementKey()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					_, err1 := id.Sign([]byte("m"))
					_, err2 := id.Agree(peer)
					_ = id.State()
					if err1 != nil || err2 != nil {
						return
					}
				}
			})
		}
		_ = id.Save([]byte("busy"))
		id.Lock()
		wg.Wait()
		mustOpen(t, v, "a").Burn()
	}
}

// The signing key must reach crypto/ed25519 from the Go heap: from locked memory it would end
// the process, which no test can catch. It is enough that signing survives at all.
func TestSignaturesAreThoseOfTheStandardLibrary(t *testing.T) {
	v := cheapVault(t)
	id := mustCreate(t, v, "a")
	seed := bytes.Clone(keysOf(id.keys).seed)
	for n := range 40 {
		msg := bytes.Repeat([]byte{7}, n*n)
		sig, err := id.Sign(msg)
		if err != nil || !bytes.Equal(sig[:], ed25519.Sign(ed25519.NewKeyFromSeed(seed), msg)) {
			t.Fatal(n, err)
		}
	}
}
