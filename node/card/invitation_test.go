// Claims about invitations and reach records.

package card

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/hex"
	"errors"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

var inbox = [32]byte{7, 7, 7}

const goldenOpenInbox = "8897dc16c4222a80715bf11ab1d3a8f7cf7ad66ea1c44b761e47da4c3c808a6b"

func reach(t testing.TB) Reach {
	return Reach{Service: serviceID(newPerson(t, 9).address()), Port: 443, Auth: [32]byte{5},
		Expires: time.Date(2027, 1, 2, 3, 0, 0, 0, time.UTC), Caps: 3}
}

func invitation(t testing.TB) *Invitation {
	return &Invitation{From: newPerson(t, 2).address(), Name: "Source",
		Greeting: "We met at the fair. سلام", PSK: [32]byte{4, 4}, Reach: reach(t)}
}

// sealed is invitation from person 2 to person 1.
func sealed(t testing.TB, i *Invitation) []byte {
	t.Helper()
	to := newPerson(t, 1)
	b, err := i.Seal(to.address(), to.agreement(t), inbox, newPerson(t, 2).sign)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestInvitationReachesItsOwner(t *testing.T) {
	to := newPerson(t, 1)
	got, err := OpenInvitation(sealed(t, invitation(t)), to.key, to.address(), inbox)
	if err != nil || !reflect.DeepEqual(got, invitation(t)) {
		t.Fatalf("%v: %+v", err, got)
	}
}

func TestInvitationOfOldStillOpens(t *testing.T) {
	text, err := os.ReadFile("testdata/invitation.hex")
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	to := newPerson(t, 1)
	got, err := OpenInvitation(b, to.key, to.address(), inbox)
	if err != nil || !reflect.DeepEqual(got, invitation(t)) {
		t.Fatalf("%v: %+v", err, got)
	}
}

func TestLargestInvitationFitsOneSlot(t *testing.T) {
	i := invitation(t)
	i.Name, i.Greeting = strings.Repeat("n", MaxName), strings.Repeat("g", MaxGreeting)
	to := newPerson(t, 1)
	for _, at := range [][]netip.AddrPort{nil, farAway(maxAt)} {
		if i.Reach = reach(t); at != nil {
			i.Reach = Reach{At: at}
		}
		i.Reach.Caps, i.Reach.Expires = 1<<32-1, time.Unix(1<<40, 0)
		if _, err := OpenInvitation(sealed(t, i), to.key, to.address(), inbox); err != nil {
			t.Fatal(err)
		}
	}
}

// farAway is n addresses of the longest form.
func farAway(n int) (out []netip.AddrPort) {
	for i := range n {
		out = append(out, netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8,
			15: byte(i + 1)}), 65000))
	}
	return out
}

func TestSealedSizeTellsNothing(t *testing.T) {
	long, short := invitation(t), &Invitation{From: newPerson(t, 2).address(), Reach: reach(t)}
	long.Greeting = strings.Repeat("g", MaxGreeting)
	if a, b := len(sealed(t, long)), len(sealed(t, short)); a != SealedSize || b != SealedSize {
		t.Fatalf("%d and %d bytes", a, b)
	}
	// The naive variant seals the words as they are: their length shows.
	naive := func(i *Invitation) int {
		pub, err := hpke.NewDHKEMPublicKey(newPerson(t, 1).key.PublicKey())
		if err != nil {
			t.Fatal(err)
		}
		body := marshal(invitationBody{From: i.From, Greeting: i.Greeting})
		b, err := hpke.Seal(pub, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), nil, body)
		if err != nil {
			t.Fatal(err)
		}
		return len(b)
	}
	if naive(long) == naive(short) {
		t.Fatal("the naive variant hides it too: this test proves nothing")
	}
}

func TestOnlyTheOwnerWithTheInboxSecretOpens(t *testing.T) {
	b, to := sealed(t, invitation(t)), newPerson(t, 1)
	_, err := OpenInvitation(b, newPerson(t, 3).key, to.address(), inbox)
	if !errors.Is(err, ErrInvitation) {
		t.Errorf("with another key: %v", err)
	}
	// The key alone, say of a card that was revoked and its inbox forgotten, opens nothing.
	_, err = OpenInvitation(b, to.key, to.address(), [32]byte{1})
	if !errors.Is(err, ErrInvitation) {
		t.Errorf("with another inbox: %v", err)
	}
	// The naive variant, plain HPKE, opens with the key alone.
	pub, _ := hpke.NewDHKEMPublicKey(to.key.PublicKey())
	priv, _ := hpke.NewDHKEMPrivateKey(to.key)
	naive, _ := hpke.Seal(pub, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), nil, []byte("x"))
	_, err = hpke.Open(priv, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), nil, naive)
	if err != nil {
		t.Error("the naive variant needs the inbox too: this test proves nothing")
	}
}

func TestInvitationCannotBePassedOn(t *testing.T) {
	first, second := newPerson(t, 1), newPerson(t, 3)
	plaintext, err := open(sealed(t, invitation(t)), first.key, inbox)
	if err != nil {
		t.Fatal(err)
	}
	passed, err := seal(second.agreement(t), inbox, plaintext)
	if err != nil {
		t.Fatal(err)
	}
	_, err = OpenInvitation(passed, second.key, second.address(), inbox)
	if !errors.Is(err, ErrSignature) {
		t.Fatalf("the recipient passed it on: %v", err)
	}
	// The naive variant signs for nobody in particular: to whom it may concern.
	i := invitation(t)
	body, _ := i.Reach.body()
	cbor := marshal(invitationBody{i.From, i.Name, i.Greeting, i.PSK, body})
	sig, _ := newPerson(t, 2).sign(invitationBytes(Address{}, cbor))
	naive := make([]byte, plainSize)
	naive[0], naive[1] = byte(len(cbor)>>8), byte(len(cbor))
	copy(naive[2+copy(naive[2:], cbor):], sig[:])
	if _, err := parseInvitation(naive, Address{}); err != nil {
		t.Fatal("the naive variant resists: this test proves nothing")
	}
}

func TestEveryFlippedBitOfAnInvitationIsRefused(t *testing.T) {
	b, to := sealed(t, invitation(t)), newPerson(t, 1)
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 0x80 >> (i % 8)
		_, err := OpenInvitation(bad, to.key, to.address(), inbox)
		if !errors.Is(err, ErrInvitation) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	for _, n := range []int{0, 1, 31, 32, 48, SealedSize - 1} {
		_, err := OpenInvitation(b[:n], to.key, to.address(), inbox)
		if !errors.Is(err, ErrInvitation) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}

func TestInvitationRefusesWhatItCannotMean(t *testing.T) {
	to := newPerson(t, 1)
	for name, c := range map[string]struct {
		spoil func(*Invitation)
		want  error
	}{
		"long greeting":   {func(i *Invitation) { i.Greeting = strings.Repeat("a", MaxGreeting+1) }, ErrText},
		"line break":      {func(i *Invitation) { i.Greeting = "a\nb" }, ErrText},
		"long name":       {func(i *Invitation) { i.Name = strings.Repeat("a", MaxName+1) }, ErrText},
		"another's name":  {func(i *Invitation) { i.From = newPerson(t, 3).address() }, ErrSignature},
		"port, no id":     {func(i *Invitation) { i.Reach.Service = "" }, ErrReach},
		"id, no port":     {func(i *Invitation) { i.Reach.Port = 0 }, ErrReach},
		"id of no length": {func(i *Invitation) { i.Reach.Service = "abc" }, ErrReach},
		"before 1970":     {func(i *Invitation) { i.Reach.Expires = time.Time{} }, ErrReach},
	} {
		i := invitation(t)
		c.spoil(i)
		_, err := i.Seal(to.address(), to.agreement(t), inbox, newPerson(t, 2).sign)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := invitation(t).Seal(to.address(), [32]byte{}, inbox, newPerson(t, 2).sign)
	if err == nil {
		t.Error("sealed to a key of low order")
	}
}

func TestEncapsulatedKeyOfLowOrderIsRefused(t *testing.T) {
	to := newPerson(t, 1)
	b := sealed(t, invitation(t))
	clear(b[:encSize])
	if _, err := OpenInvitation(b, to.key, to.address(), inbox); !errors.Is(err, ErrInvitation) {
		t.Fatal(err)
	}
}

func TestOpenInboxIsTheSameForAll(t *testing.T) {
	got := OpenInbox(newPerson(t, 1).address())
	if hex.EncodeToString(got[:]) != goldenOpenInbox {
		t.Fatalf("got %x", got)
	}
	if got == OpenInbox(newPerson(t, 2).address()) {
		t.Fatal("two addresses share an inbox")
	}
}

func TestReachTellsNoClock(t *testing.T) {
	r := reach(t)
	r.Expires = r.Expires.Add(17*time.Minute + 3*time.Second)
	b, err := r.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var got Reach
	err = got.UnmarshalBinary(b)
	if err != nil || !got.Expires.Equal(reach(t).Expires.Add(time.Hour)) {
		t.Fatalf("%v: %v", err, got.Expires)
	}
	if got.Expired(r.Expires) || !got.Expired(got.Expires) {
		t.Fatal("expired at the wrong time")
	}
}

func FuzzReach(f *testing.F) {
	b, _ := reach(f).MarshalBinary()
	f.Add(b)
	for _, at := range [][]netip.AddrPort{nil, {spot("203.0.113.9:4000")}, farAway(maxAt)} {
		b, _ = Reach{Expires: time.Unix(3600, 0), At: at}.MarshalBinary()
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Reach
		if r.UnmarshalBinary(b) != nil {
			return
		}
		if again, err := r.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%v: not what was parsed", err)
		}
	})
}

func FuzzOpenInvitation(f *testing.F) {
	to := newPerson(f, 1)
	b := sealed(f, invitation(f))
	plaintext, _ := open(b, to.key, inbox)
	f.Add(b, plaintext)
	f.Fuzz(func(t *testing.T, b, plaintext []byte) {
		if _, err := OpenInvitation(b, ecdh.KeyExchanger(to.key), to.address(), inbox); err == nil {
			if _, err := open(b, to.key, inbox); err != nil {
				t.Fatal(err)
			}
		}
		i, err := parseInvitation(plaintext, to.address())
		if err != nil {
			return
		}
		w, err := i.Reach.body()
		again := marshal(invitationBody{i.From, i.Name, i.Greeting, i.PSK, w})
		if err != nil || !bytes.Equal(again, plaintext[2:2+len(again)]) {
			t.Fatalf("%v: not what was parsed", err)
		}
	})
}
