// Claims about bundles, hints between contacts, and explanations.
package node

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nightjar/node/book"
	"nightjar/node/bundle"
	"nightjar/node/card"
	"nightjar/node/talk"
)

func TestBundleOpensTheNetworkToANewcomer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		onion := "http://" + desk.Gateways()[0].ID + ".onion"
		const host = "https://relay.example/"
		for _, relay := range []string{onion, host} { // that one is for the user to decide
			if err := desk.AddRelay(relay); err != nil {
				t.Fatal(err)
			}
		}
		if err := desk.AddRelay("http://relay.example/"); !errors.Is(err, card.ErrRelay) {
			t.Error("a relay without TLS is taken")
		}
		if err := desk.change(func(b *book.Book) error { b.AddBridge("obfs4 x"); return nil }); err != nil {
			t.Fatal(err)
		}
		text, err := desk.ExportBundle()
		if err != nil {
			t.Fatal(err)
		}
		got, offers, err := source.ImportBundle(text)
		if err != nil || len(got.Gateways) != 1 || len(got.Relays) != 1 ||
			len(offers.Bridges) != 1 || !slices.Equal(offers.Relays, []string{host}) {
			t.Fatalf("%+v, %+v: %v", got, offers, err)
		}
		way := (&carrier{node: source.Node}).Trip().(*trip)
		if len(source.Gateways()) != 2 || len(way.relays()) != 3 {
			t.Error("it is not used")
		}
		if got, offers, err := source.ImportBundle(text); err != nil ||
			len(got.Gateways)+len(got.Relays) != 0 || len(offers.Bridges) != 1 {
			t.Errorf("the second time it brought %+v: %v", got, err)
		}
		if _, _, err := source.ImportBundle(text[1:]); !errors.Is(err, bundle.ErrBundle) {
			t.Error(err)
		}
		again, err := source.ExportBundle()
		if err != nil || strings.Count(again, "gateway nightjar") != 1 ||
			strings.Contains(again, "\nrelay ") {
			t.Errorf("what others gave is passed on: %v", err)
		}
	})
}

func TestBundleSetsNoBridgeAndEvictsNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk := w.start(0, nil)
		id := desk.Gateways()[0].ID
		in, naive := bundle.Bundle{}, book.Book{}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		given := func(b *book.Book) error {
			b.LearnGateway(card.Gateway{ID: id, Port: 7})
			b.AddNode(netip.MustParseAddrPort("20.1.1.1:7"))
			b.AddRelay("http://" + id + ".onion:7")
			b.AddBridge("the user's own")
			return nil
		}
		must(desk.change(given))
		must(given(&naive))
		for i := range 200 {
			ip := netip.AddrFrom4([4]byte{30, byte(i), 1, 1})
			in.Nodes = append(in.Nodes, netip.AddrPortFrom(ip, 6881))
			naive.AddNode(in.Nodes[i])
		}
		for i := range 32 {
			in.Gateways = append(in.Gateways, card.Gateway{ID: id, Port: uint16(100 + i)})
			in.Bridges = append(in.Bridges, fmt.Sprint("bridge ", i))
			naive.LearnGateway(in.Gateways[i])
			naive.AddBridge(in.Bridges[i])
		}
		for i := range 16 {
			in.Relays = append(in.Relays, fmt.Sprintf("http://%s.onion:%d", id, 100+i))
			naive.AddRelay(in.Relays[i])
		}
		text, err := in.Encode()
		must(err)
		got, offers, err := desk.ImportBundle(text)
		must(err)
		kept := func(b *book.Book) bool {
			return slices.Contains(b.Learned, card.Gateway{ID: id, Port: 7}) &&
				slices.Contains(b.Nodes, netip.MustParseAddrPort("20.1.1.1:7")) &&
				slices.Equal(b.Relays, []string{"http://" + id + ".onion:7"}) &&
				slices.Equal(b.Bridges, []string{"the user's own"})
		}
		desk.look(func(b *book.Book) {
			if !kept(b) {
				t.Errorf("what the user gave is gone: %q, %q", b.Relays, b.Bridges)
			}
		})
		if len(got.Gateways) != 31 || len(got.Nodes) != 63 || len(offers.Bridges) != 32 {
			t.Errorf("%d gateways, %d nodes, %d bridges are said to have come in",
				len(got.Gateways), len(got.Nodes), len(offers.Bridges))
		}
		if kept(&naive) || slices.Contains(naive.Bridges, "the user's own") {
			t.Error("the naive book keeps all as well: this test proves nothing")
		}
	})
}

func TestFullCardOpensWaysButSetsNoBridge(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		host := "http://" + desk.Gateways()[0].ID + ".onion"
		const line = "obfs4 192.0.2.7:443 cert=abc"
		for _, err := range []error{desk.AddRelay(host), desk.AddRelay("https://relay.example/"),
			desk.AddBridge(line), source.AddRelay(host + ":7"), source.AddBridge("own")} {
			if err != nil {
				t.Fatal(err)
			}
		}
		full := w.newCard(desk, CardOptions{Full: true})
		name, offers, err := source.InviteBy(full, InviteOptions{Name: "desk"})
		if err != nil || name != "desk" || !slices.Equal(offers.Bridges, []string{line}) ||
			!slices.Equal(offers.Relays, []string{"https://relay.example/"}) {
			t.Fatalf("%q, told of %+v: %v", name, offers, err)
		}
		source.look(func(b *book.Book) {
			if !slices.Equal(b.Walkers(), []string{host + ":7", host}) ||
				!slices.Equal(b.Bridges, []string{"own"}) {
				t.Errorf("relays %q, bridges %q", b.Walkers(), b.Bridges)
			}
		})
		ours, err := card.Parse(w.newCard(source, CardOptions{Full: true}))
		if err != nil || !slices.Equal(ours.Relays, []string{host + ":7"}) {
			t.Errorf("our card passes on %q: %v", ours.Relays, err)
		}
		naive := book.Book{Relays: []string{host + ":7"}} // takes a card's relays for the user's
		for i := range 16 {
			naive.AddRelay(fmt.Sprintf("%s:%d", host, 100+i))
		}
		if slices.Contains(naive.Relays, host+":7") {
			t.Error("the naive book evicts nothing: this test proves nothing")
		}
	})
}

func TestContactsTellEachOtherOfGateways(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		// What the card brought is forgotten, and what a third party's card brought stays ours.
		secret := card.Gateway{ID: source.Gateways()[0].ID, Port: 77}
		w.befriend(desk, source)
		<-time.After(time.Minute)
		if n := len(desk.Gateways()); n != 2 {
			t.Errorf("desk knows %d gateways", n)
		}
		if err := source.change(func(b *book.Book) error {
			b.LearnGateway(secret)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		source.stop()
		w.await(desk, EventLost)
		source = w.start(1, nil)
		w.await(desk, EventConnected)
		<-time.After(24 * time.Hour)
		for _, g := range desk.Gateways() {
			if g == secret {
				t.Error("a contact was told whose cards we hold")
			}
		}
	})
}

func TestContactCannotFillTheBookWithHints(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		<-time.After(time.Minute)
		before := len(desk.Gateways())
		l := source.linkTo(desk.Status().Address)
		for i := range 100 {
			b := bundle.Bundle{}
			for j := range 50 {
				ip := netip.AddrFrom4([4]byte{20, byte(i), byte(j), 1})
				b.Nodes = append(b.Nodes, netip.AddrPortFrom(ip, 6881))
			}
			text, err := b.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if err := l.say(talk.Record{Kind: talk.KindHint, Text: text}); err != nil {
				t.Fatal(err)
			}
		}
		<-time.After(time.Minute)
		nodes := 0
		desk.look(func(b *book.Book) { nodes = len(b.Nodes) })
		if nodes > book.HintNodes || len(desk.Gateways()) != before || !desk.Connected("source") {
			t.Errorf("%d nodes", nodes)
		}
	})
}

func TestHintsOverManyLinksWriteOnceAndEvictNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		w.befriend(desk, source)
		<-time.After(time.Minute)
		from := source.Status().Address
		tell := func(i int) bool { // over a link of its own
			g := card.Gateway{ID: desk.Gateways()[0].ID, Port: uint16(500 + i)}
			text, err := (&bundle.Bundle{Gateways: []card.Gateway{g}}).Encode()
			if err != nil {
				t.Fatal(err)
			}
			before := vaultFile(t)
			desk.takeHint(from, &link{}, talk.Record{Kind: talk.KindHint, Text: text})
			return !os.SameFile(before, vaultFile(t))
		}
		known := desk.Gateways()
		<-time.After(24 * time.Hour)
		if !tell(0) {
			t.Fatal("a hint is not taken: this test proves nothing")
		}
		for i := range 200 {
			if tell(i) {
				t.Fatalf("hint %d of one hour made us write the vault", i)
			}
		}
		for i := range 50 {
			<-time.After(hintEvery + time.Hour)
			tell(i)
		}
		after := desk.Gateways()
		if len(after) > len(known)+book.HintGateways || !slices.Equal(after[:len(known)], known) {
			t.Errorf("%d gateways became %d", len(known), len(after))
		}
	})
}

// vaultFile is the desk's vault as it is: every write makes a new file.
func vaultFile(t *testing.T) os.FileInfo {
	t.Helper()
	info, err := os.Stat(filepath.Join(vaultDir, "desk"))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestExplanationNamesEveryStepAndNobody(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		desk, source := w.start(0, nil), w.start(1, nil)
		name := w.invite(desk, source)
		asking, err := desk.Explain(name)
		if err != nil || len(asking) != 2 {
			t.Fatalf("%d steps for somebody who asks: %v", len(asking), err)
		}
		invited, err := source.Explain("desk")
		if err != nil || len(invited) != 6 {
			t.Fatalf("%d steps for somebody invited: %v", len(invited), err)
		}
		if err := desk.Accept(name, "source"); err != nil {
			t.Fatal(err)
		}
		for p, name := range map[*person]string{desk: "source", source: "desk"} {
			w.await(p, EventConnected)
			steps, err := p.Explain(name)
			if err != nil || len(steps) != 5 {
				t.Errorf("%d steps: %v", len(steps), err)
			}
			for _, s := range steps {
				for _, v := range s.Sees {
					if s.What == "" || v.Who == "" || v.Learns == "" {
						t.Errorf("an empty word: %+v", v)
					}
				}
				for _, g := range p.Gateways() {
					if strings.Contains(s.What, g.ID) {
						t.Error("a step names a service")
					}
				}
			}
		}
		if _, err := desk.Explain("nobody"); !errors.Is(err, book.ErrUnknown) {
			t.Error(err)
		}
	})
}

// told is a meeting that knows how it stands.
type told struct {
	*dht
	size  int
	ahead time.Duration
}

func (m told) Size() int                 { return m.size }
func (m told) ClockAhead() time.Duration { return m.ahead }

func TestSmallNetworkAndWrongClockAreSaid(t *testing.T) {
	for _, c := range []struct {
		told told
		want []string
	}{
		{told{}, nil},
		{told{size: 3_000_000, ahead: 20 * time.Minute}, nil},
		{told{size: 600}, []string{"only about 600 nodes"}},
		{told{size: 3_000_000, ahead: -5 * time.Hour}, []string{"5h0m0s behind"}},
		{told{size: 9, ahead: time.Hour}, []string{"about 9 nodes", "1h0m0s ahead"}},
	} {
		size, warnings := (&Node{meet: c.told}).health()
		if size != c.told.size || len(warnings) != len(c.want) {
			t.Errorf("%+v: %d, %q", c.told, size, warnings)
			continue
		}
		for i, w := range c.want {
			if !strings.Contains(warnings[i], w) {
				t.Errorf("%q does not say %q", warnings[i], w)
			}
		}
	}
}
