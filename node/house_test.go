// The stage for tests of a node: identities of a real vault, paths and meetings in memory.
package node

import (
	"context"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/keystore"
	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/meet"
	"nightjar/node/road"
	"nightjar/node/talk"
	"nightjar/onion"
	"nightjar/onion/inet"
)

// vaults are the identities of the tests: made once, since opening a vault costs 256 MiB and half
// a second, and emptied for each test.
var vaults = sync.OnceValues(func() ([]*keystore.Identity, error) {
	dir, err := os.MkdirTemp("", "node")
	if err != nil {
		return nil, err
	}
	vaultDir = dir
	var ids []*keystore.Identity
	for _, name := range []string{"desk", "source", "third"} {
		pw, err := keystore.NewPassword([]byte(name))
		if err != nil {
			return nil, err
		}
		id, err := keystore.Create(filepath.Join(dir, name), pw)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
})

// vaultDir is where they are.
var vaultDir string

// dht is a DHT without nodes: what is stored can be found, by whoever knows where.
type dht struct {
	mu      sync.Mutex
	slots   map[string]card.Reach
	inboxes map[[32]byte][][]byte
	puts    map[meet.Side]int
}

func newDHT() *dht {
	return &dht{slots: map[string]card.Reach{}, inboxes: map[[32]byte][][]byte{},
		puts: map[meet.Side]int{}}
}

func slot(root [32]byte, s meet.Side) string { return string(root[:]) + string(rune(s)) }

func (d *dht) Publish(_ context.Context, root [32]byte, s meet.Side, r card.Reach) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.slots[slot(root, s)] = r
	d.puts[s]++
	return 8, nil
}

func (d *dht) Find(_ context.Context, root [32]byte, s meet.Side) (card.Reach, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, ok := d.slots[slot(root, s)]
	if !ok {
		return r, meet.ErrNotFound
	}
	return r, nil
}

func (d *dht) Leave(_ context.Context, inbox [32]byte, sealed []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inboxes[inbox] = append(d.inboxes[inbox], sealed)
	return 8, nil
}

func (d *dht) Collect(_ context.Context, inbox [32]byte) ([][]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([][]byte(nil), d.inboxes[inbox]...), nil
}

func (d *dht) Due([32]byte, meet.Side) time.Time { return meet.Next(time.Now()) }

// publishers is how many sides of pairs have published anything.
func (d *dht) publishers() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.puts)
}

// world is one test's networks and the people on them. They meet by onion services, or by
// addresses where there is an internet.
type world struct {
	t     *testing.T
	net   *onion.Memory
	inet  *inet.Internet
	nodes []netip.AddrPort // of the DHT: they tell who asks its address
	dht   *dht

	road func(road.Road) road.Road // another in the place of each
}

// person is somebody with a running node.
type person struct {
	*Node
	id   *keystore.Identity
	way  *inet.Way // if it goes by addresses
	stop func()
	feed <-chan Event
}

// onBothWays runs a test twice: by onion services and by addresses.
func onBothWays(t *testing.T, f func(t *testing.T, w *world)) {
	t.Run("services", func(t *testing.T) { inWorld(t, f) })
	t.Run("addresses", func(t *testing.T) { onInternet(t, f) })
}

// onInternet is inWorld for people who go by addresses.
func onInternet(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	inWorld(t, func(t *testing.T, w *world) {
		w.inet = inet.New()
		for range 4 {
			w.nodes = append(w.nodes, witness(t, w.inet))
		}
		f(t, w)
	})
}

// inWorld runs a test under fake time; people it starts are stopped at its end.
func inWorld(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	ids, err := vaults()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if err := id.Save(nil); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		f(t, &world{t: t, net: onion.NewMemory(), dht: newDHT()})
	})
}

// start lets the i-th identity work. Its phone may be nil.
func (w *world) start(i int, phone Phone) *person { return w.open(i, phone, false) }

// open is start for an identity that may be kept in its owner's head.
func (w *world) open(i int, phone Phone, derived bool) *person {
	w.t.Helper()
	if w.inet != nil {
		return w.settle(i, phone, inet.Open)
	}
	ids, err := vaults()
	if err != nil {
		w.t.Fatal(err)
	}
	path := w.net.Path()
	n, err := New(Config{Identity: ids[i], Path: path, Meeting: w.dht, Derived: derived})
	if err != nil {
		w.t.Fatal(err)
	}
	if phone != nil {
		n.SetPhone(phone)
	}
	g, err := path.Publish(w.t.Context(), onion.Service{Seed: [32]byte{byte(i + 1)}, Port: 1})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := n.AddGateway(card.Gateway{ID: g.ID(), Port: 1}); err != nil {
		w.t.Fatal(err)
	}
	if w.road != nil {
		n.road = w.road(n.road)
	}
	return w.run(&person{Node: n, id: ids[i]}, path)
}

// run lets somebody work until stop.
func (w *world) run(p *person, way io.Closer) *person {
	p.feed, _ = p.Watch()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = p.Run(ctx) }()
	p.stop = sync.OnceFunc(func() { cancel(); <-done; _ = way.Close() })
	w.t.Cleanup(p.stop)
	return p
}

// await reads p's events until one of this kind comes.
func (w *world) await(p *person, kind EventKind) Event {
	w.t.Helper()
	for e := range p.feed {
		if e.Kind == kind {
			return e
		}
	}
	w.t.Fatalf("the node ended before %q", kind)
	return Event{}
}

// invite lets source add desk's card, and returns what desk calls source.
func (w *world) invite(desk, source *person) string {
	w.t.Helper()
	line, err := desk.Card(false)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := source.Invite(line, "desk", "about the harbour"); err != nil {
		w.t.Fatal(err)
	}
	w.await(source, EventInvited)
	desk.Check()
	return w.await(desk, EventInvitation).Contact
}

// befriend brings two people in touch: desk calls the other "source".
func (w *world) befriend(desk, source *person) {
	w.t.Helper()
	if err := desk.Accept(w.invite(desk, source), "source"); err != nil {
		w.t.Fatal(err)
	}
	w.await(desk, EventConnected)
	w.await(source, EventConnected)
}

// state is how far p's only message with a contact has come.
func (p *person) state(contact string) (states []talk.State) {
	p.look(func(b *book.Book) {
		for _, e := range b.Messages {
			if e.With == contact {
				states = append(states, e.Message.State)
			}
		}
	})
	return states
}
