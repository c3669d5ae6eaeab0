// Claims about what an identity remembers.
package book

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"nightjar/node/card"
	"nightjar/node/talk"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// full is a book with something in every field.
func full(t testing.TB) *Book {
	t.Helper()
	b := &Book{Name: "Newsdesk", Service: 3, Open: true, PathData: []byte("guards")}
	must(t, b.Issue(Issued{Inbox: [32]byte{1}, Expires: noon.Add(time.Hour)}, noon))
	b.AddGateway(card.Gateway{ID: strings.Repeat("a", 56), Port: 1})
	b.AddNode(netip.MustParseAddrPort("192.0.2.7:6881"))
	must(t, b.Add(Contact{Name: "source", Address: card.Address{1}, Standing: Accepted,
		PSK: [32]byte{7}, Hint: []byte{1}, Greeting: "hello", Inbox: [32]byte{2}, Left: true,
		Met: true, Asked: 491_000}))
	must(t, b.Add(Contact{Name: "asker", Address: card.Address{2}, Standing: Asking}))
	must(t, b.Add(Contact{Name: "other", Address: card.Address{3}, Standing: Asking,
		PSK: [32]byte{9}}))
	must(t, b.Refuse("other"))
	must(t, b.Queue("source", talk.ID{1}, "out", noon))
	b.LearnGateway(card.Gateway{ID: strings.Repeat("b", 56), Port: 1})
	if fresh, err := b.Receive("source", talk.ID{2}, "in", noon); err != nil || !fresh {
		t.Fatal("a text was not stored")
	}
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestBookSurvivesTheVault(t *testing.T) {
	first, err := full(t).Encode(1 << 20)
	must(t, err)
	read, err := Decode(first)
	must(t, err)
	second, err := read.Encode(1 << 20)
	must(t, err)
	if !bytes.Equal(first, second) {
		t.Error("what was read is not what was written")
	}
	if _, err := read.Contact("source"); err != nil || !read.Settled([32]byte{9}) {
		t.Error("something was forgotten")
	}
}

func TestForeignAndDamagedBooksAreToldApart(t *testing.T) {
	b, err := full(t).Encode(1 << 20)
	must(t, err)
	if _, err := Decode(append([]byte{9}, b[1:]...)); !errors.Is(err, ErrVersion) {
		t.Errorf("another version: %v", err)
	}
	if _, err := Decode(b[:len(b)/2]); !errors.Is(err, ErrDamaged) {
		t.Errorf("half a book: %v", err)
	}
}

func TestNothingUnsentOrUnreadIsForgotten(t *testing.T) {
	b := full(t)
	for i := range 50 {
		id := talk.ID{3, byte(i)}
		must(t, b.Queue("source", id, strings.Repeat("x", 1000), noon))
		b.Advance("source", id, talk.Delivered)
	}
	if _, err := b.Encode(20_000); err != nil {
		t.Fatal(err)
	}
	if len(b.Pending("source")) != 1 || len(b.Messages) > 25 {
		t.Errorf("%d messages kept, %d pending", len(b.Messages), len(b.Pending("source")))
	}
	for i := range 50 {
		must(t, b.Queue("source", talk.ID{4, byte(i)}, strings.Repeat("x", 1000), noon))
	}
	before := len(b.Pending("source"))
	if _, err := b.Encode(20_000); !errors.Is(err, ErrFull) {
		t.Errorf("a book that is too full: %v", err)
	}
	if len(b.Pending("source")) != before {
		t.Error("an unsent message was forgotten")
	}
}

func TestEveryContactHasASeatOfItsOwn(t *testing.T) {
	b := &Book{}
	seats := map[uint16]bool{}
	for i := range MaxContacts {
		c := Contact{Name: fmt.Sprint("c", i), Address: card.Address{byte(i), 1}}
		must(t, b.Add(c))
		seats[b.Contacts[i].Seat] = true
	}
	if len(seats) != MaxContacts {
		t.Errorf("%d seats for %d contacts", len(seats), MaxContacts)
	}
	err := b.Add(Contact{Name: "one-more", Address: card.Address{9, 9}})
	if !errors.Is(err, ErrTooMany) {
		t.Errorf("one too many: %v", err)
	}
}

func TestRemovalMovesTheServiceOn(t *testing.T) {
	b := full(t)
	before := b.Service
	must(t, b.Remove("asker"))
	if b.Service != before {
		t.Error("somebody who never had a seat moved the service")
	}
	must(t, b.Remove("source"))
	if b.Service == before || len(b.Messages) != 0 {
		t.Error("a removed contact still knows the service, or is remembered")
	}
}

func TestNamesAreFitForPhonesAndShells(t *testing.T) {
	for _, bad := range []string{"", "-x", "Upper", "a b", "ü", strings.Repeat("a", 33), "a/b"} {
		if CheckName(bad) == nil {
			t.Errorf("%q is a name", bad)
		}
	}
	b := full(t)
	for _, wish := range []string{"", "Source", "Ünïcode", "--", "\x1b[2J", "asker"} {
		name := b.FreeName(wish)
		if CheckName(name) != nil {
			t.Errorf("%q became %q", wish, name)
		}
		if _, err := b.Contact(name); err == nil {
			t.Errorf("%q became a name that is taken", wish)
		}
	}
}

func TestMutualInvitationsAgreeOnOneKey(t *testing.T) {
	a := Contact{Standing: Invited, PSK: [32]byte{1}}
	b := Contact{Standing: Invited, PSK: [32]byte{2}}
	pskA, pskB := a.PSK, b.PSK
	if !a.Meet(pskB, nil) || !b.Meet(pskA, nil) || a.PSK != b.PSK {
		t.Error("two who invited each other do not share a key")
	}
	if a.Meet(pskB, nil) {
		t.Error("an accepted contact was changed by an invitation")
	}
}

func TestStateOfAMessageOnlyGrows(t *testing.T) {
	b := full(t)
	if !b.Advance("source", talk.ID{1}, talk.Delivered) {
		t.Fatal("not delivered")
	}
	if b.Advance("source", talk.ID{1}, talk.Sent) || b.Advance("asker", talk.ID{1}, talk.Read) {
		t.Error("a state went back, or a stranger's acknowledgement counted")
	}
}

func TestStrangersCannotFillTheHouse(t *testing.T) {
	b := &Book{}
	ask := func(i, card byte) error {
		return b.Add(Contact{Name: b.FreeName(""), Address: [32]byte{i, 9, card},
			Standing: Asking, Inbox: [32]byte{card}, PSK: [32]byte{i, card}})
	}
	var last error
	for i := range byte(200) {
		last = ask(i, 1)
	}
	if !errors.Is(last, ErrAsking) || len(b.Contacts) != maxAskingCard {
		t.Fatalf("%d ask by one card: %v", len(b.Contacts), last)
	}
	must(t, ask(0, 2)) // the holder of another card is not shut out
	for i := range MaxContacts - 1 {
		must(t, b.Add(Contact{Name: fmt.Sprint("c", i), Address: card.Address{byte(i), 1}}))
	}
	must(t, b.Accept("someone", ""))
	if err := b.Accept("someone-2", ""); !errors.Is(err, ErrTooMany) {
		t.Errorf("one too many: %v", err)
	}
}

func TestFloodOfOneContactLeavesRoomForOthers(t *testing.T) {
	b := full(t)
	must(t, b.Add(Contact{Name: "friend", Address: card.Address{7}, Standing: Accepted}))
	var flood error
	for i := 0; flood == nil; i++ {
		_, flood = b.Receive("source", talk.ID{1, byte(i), byte(i >> 8)}, "x", noon)
	}
	if _, err := b.Encode(1 << 17); !errors.Is(flood, ErrUnread) || err != nil {
		t.Errorf("the flood ended with %v, %v", flood, err)
	}
	if fresh, err := b.Receive("friend", talk.ID{9}, "hello", noon); err != nil || !fresh {
		t.Errorf("a friend's text: %v", err)
	}
	b.MarkRead("source")
	if fresh, err := b.Receive("source", talk.ID{9}, "x", noon); err != nil || !fresh {
		t.Errorf("after reading: %v", err)
	}
	if _, err := b.Receive("nobody", talk.ID{9}, "x", noon); !errors.Is(err, ErrUnknown) {
		t.Errorf("a text of somebody who was removed: %v", err)
	}
}

func TestRemovedContactDoesNotAskByItsOldInvitation(t *testing.T) {
	b := full(t)
	must(t, b.Remove("source"))
	if !b.Settled([32]byte{7}) {
		t.Error("the invitation of a removed contact would be shown again")
	}
}

func TestCardsOfOthersDoNotPushOutTheUsersGateways(t *testing.T) {
	gateway := func(i int) card.Gateway {
		return card.Gateway{ID: strings.Repeat("a", 56), Port: uint16(i + 1)}
	}
	b := &Book{}
	b.AddGateway(gateway(0))
	for i := range 3 * MaxGateways {
		b.LearnGateway(gateway(i))
	}
	if len(b.Gateways) != 1 || len(b.Roads()) != MaxGateways+1 || b.Roads()[0] != gateway(0) {
		t.Errorf("%d own, %d in all", len(b.Gateways), len(b.Roads()))
	}
}

func TestCardsAreBounded(t *testing.T) {
	b := &Book{}
	for i := range maxCards {
		must(t, b.Issue(Issued{Inbox: [32]byte{byte(i)}, Expires: noon.Add(time.Hour)}, noon))
	}
	more := Issued{Inbox: [32]byte{99}, Expires: noon.Add(time.Hour)}
	if err := b.Issue(more, noon); !errors.Is(err, ErrCards) {
		t.Errorf("one too many: %v", err)
	}
	must(t, b.Issue(Issued{Expires: noon.Add(3 * time.Hour)}, noon.Add(2*time.Hour)))
}

func FuzzBook(f *testing.F) {
	b, err := full(f).Encode(1 << 20)
	must(f, err)
	f.Add(b)
	f.Add([]byte{version, 0xa0})
	f.Fuzz(func(t *testing.T, b []byte) {
		bk, err := Decode(b)
		if err != nil {
			return
		}
		out, err := bk.Encode(1 << 24)
		if err != nil {
			t.Fatal("what was read cannot be written")
		}
		if _, err := Decode(out); err != nil {
			t.Fatal("what was written cannot be read")
		}
	})
}

func TestOnlyWhatWasShownBecomesRead(t *testing.T) {
	b := full(t)
	b.Receive("source", talk.ID{8}, "shown", noon)
	if !b.MarkThese([]talk.ID{{8}, {1}}) || b.MarkThese([]talk.ID{{8}}) {
		t.Error("marking tells wrongly whether there was anything to mark")
	}
	states := map[talk.ID]talk.State{}
	for _, e := range b.Messages {
		states[e.Message.ID] = e.Message.State
	}
	want := map[talk.ID]talk.State{{1}: talk.Queued, {2}: talk.Unread, {8}: talk.Read}
	for id, s := range want {
		if states[id] != s {
			t.Errorf("message %d is %v, want %v", id[0], states[id], s)
		}
	}
}
