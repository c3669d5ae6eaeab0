// A node from New to the end of Run, and the book it keeps.

package node

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"nightjar/keystore"
	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/node/meet"
	"nightjar/node/meet/atlas"
	"nightjar/node/road"
	"nightjar/node/talk"
	"nightjar/onion"
)

// Errors a caller can act on.
var (
	ErrSelf       = errors.New("this card is your own")
	ErrExpired    = errors.New("this card has expired")
	ErrNoGateway  = errors.New("no gateway is known")
	ErrNotLinked  = errors.New("the contact is not connected")
	ErrNotRunning = errors.New("the engine is not running")
	ErrBusy       = errors.New("another call with this contact is going on")
	ErrWay        = errors.New("the identity needs one way out, and has none or two")
)

// Meeting is how contacts find each other: *meet.Meeting meets it.
type Meeting interface {
	// Publish puts our reach record where the contact will look; it returns how many nodes hold it.
	Publish(ctx context.Context, root [32]byte, s meet.Side, r card.Reach) (int, error)
	// Find returns the reach record side s published.
	Find(ctx context.Context, root [32]byte, s meet.Side) (card.Reach, error)
	// Leave puts a sealed invitation into an inbox.
	Leave(ctx context.Context, inbox [32]byte, sealed []byte) (int, error)
	// Collect returns the sealed invitations that lie in an inbox.
	Collect(ctx context.Context, inbox [32]byte) ([][]byte, error)
	// Due returns when to call Publish next for side s.
	Due(root [32]byte, s meet.Side) time.Time
}

// Phone is the face of the engine, if there is one: *sip.Phone meets it.
type Phone interface {
	// Deliver shows a text on the phone; it reports whether the phone took it.
	Deliver(contact, text string) bool
	// Incoming rings the phone and handles the call to its end.
	Incoming(ctx context.Context, c talk.Call)
}

// Config is what a Node is made of. All fields are fixed once the Node runs.
type Config struct {
	Identity *keystore.Identity // open; locked by the owner after Run has returned
	Path     onion.Path         // by onion services; closed by the owner after Run has returned
	Packets  onion.Packets      // by addresses, instead of Path; closed by the owner likewise
	Meeting  Meeting            // nil: the DHT, through the gateways in the book or by Packets

	// Derived says that the identity is kept in its owner's head alone: what is agreed with others
	// follows from its keys, so that the same words and the same cards find everything again.
	Derived bool

	// Roots are the authorities whose word is taken for who an https relay is; nil means those of
	// the system. Such relays are asked only over a Path that is an onion.Exit which Exits.
	Roots *x509.CertPool

	// Private lets Packets go to addresses that are not on the Internet as well: for networks that
	// are made for tests. Elsewhere DHT nodes and contacts could have us send to machines beside
	// us.
	Private bool

	// Cover, if not 0, is the mean time between records on a tunnel that says nothing: see
	// tunnel.Cover, also for what it costs.
	Cover time.Duration
}

// Node is one identity at work. Its methods are safe for several goroutines.
type Node struct {
	id    *keystore.Identity
	path  onion.Path     // nil when we go by addresses
	roots *x509.CertPool // Config.Roots
	road  road.Road
	meet  Meeting
	self  card.Address
	head  bool // Config.Derived

	private bool // Config.Private

	cover time.Duration
	feed  feed
	crew  crew

	mu      sync.Mutex
	book    *book.Book
	pairs   map[card.Address]pair
	links   map[card.Address]*link
	keepers map[card.Address]*keeper
	calls   map[talk.ID]*callWith
	rang    map[card.Address]time.Time // when a contact's last call came
	hinted  map[card.Address]time.Time // when a contact was told of gateways
	found   map[card.Address]finding   // where contacts were last
	phone   Phone

	packets onion.Packets // nil when we go by onion services

	atlas *atlas.Atlas // of the DHT, if we walk it

	inboxPoke  chan struct{}
	bellPoke   chan struct{}
	stir       chan struct{} // closed, and replaced, by Check
	shown      chan shown    // texts for the phone
	rosterPoke chan struct{}
}

// New reads the identity's book. It does nothing on the network before Run.
func New(c Config) (n *Node, err error) {
	do(func() { n, err = newNode(c) })
	return n, err
}

func newNode(c Config) (*Node, error) {
	if (c.Path == nil) == (c.Packets == nil) {
		return nil, ErrWay
	}
	state := c.Identity.State()
	defer clear(state)
	bk, err := book.Decode(state)
	if err != nil {
		return nil, fmt.Errorf("read the identity's book: %w", err)
	}
	n := &Node{
		id: c.Identity, path: c.Path, packets: c.Packets, meet: c.Meeting, book: bk,
		self:       card.Address(c.Identity.PublicKey()),
		head:       c.Derived,
		private:    c.Private,
		cover:      c.Cover,
		roots:      c.Roots,
		pairs:      map[card.Address]pair{},
		links:      map[card.Address]*link{},
		keepers:    map[card.Address]*keeper{},
		calls:      map[talk.ID]*callWith{},
		rang:       map[card.Address]time.Time{},
		hinted:     map[card.Address]time.Time{},
		found:      map[card.Address]finding{},
		inboxPoke:  make(chan struct{}, 1),
		bellPoke:   make(chan struct{}, 1),
		stir:       make(chan struct{}),
		shown:      make(chan shown, shownRoom),
		rosterPoke: make(chan struct{}, 1),
	}
	n.road = n.ownRoad()
	if n.meet == nil {
		n.meet = n.ownMeeting()
	}
	return n, nil
}

// SetPhone gives the node its face. It is called once, before Run.
func (n *Node) SetPhone(p Phone) { n.phone = p }

// Run works until ctx ends, and returns when everything it started has ended.
func (n *Node) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	n.crew.start(ctx)
	n.crew.spawn(n.road.Run)
	n.crew.spawn(n.serve)
	n.crew.spawn(n.watchInboxes)
	if n.path != nil {
		n.crew.spawn(n.keepBells)
	}
	n.crew.spawn(n.keepAtlas)
	n.crew.spawn(n.coverTracks)
	n.crew.spawn(n.keepRoster)
	n.crew.spawn(n.showTexts)
	<-ctx.Done()
	n.crew.stop()
	n.saveAtlas()
	n.feed.close()
	return context.Cause(ctx)
}

// errUnchanged is what a change returns that found nothing to do: then nothing is written, since a
// write costs the whole vault and a contact must not be able to make us do it for nothing.
var errUnchanged = errors.New("nothing to change")

// change applies f to the book and stores the result. When this returns nil the change is on disk;
// when it fails nothing has changed.
func (n *Node) change(f func(*book.Book) error) (err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	do(func() { err = n.changeOrNot(f) })
	return err
}

// changeOrNot is change with mu held.
func (n *Node) changeOrNot(f func(*book.Book) error) error {
	before, err := n.book.Encode(keystore.StateLimit)
	if err != nil {
		return err
	}
	defer clear(before)
	if err := n.store(f); errors.Is(err, errUnchanged) {
		return nil
	} else if err != nil {
		again, decodeErr := book.Decode(before)
		if decodeErr != nil {
			return errors.Join(err, decodeErr)
		}
		n.book = again
		return err
	}
	return nil
}

// store is change without the way back. Called with mu held.
func (n *Node) store(f func(*book.Book) error) error {
	if err := f(n.book); err != nil {
		return err
	}
	b, err := n.book.Encode(keystore.StateLimit)
	if err != nil {
		return err
	}
	defer clear(b)
	return n.id.Save(b)
}

// look reads from the book.
func (n *Node) look(f func(*book.Book)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	do(func() { f(n.book) })
}

// pause waits for d, a poke or the end of ctx; it reports whether to go on.
func pause(ctx context.Context, d time.Duration, poke <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-poke:
	case <-t.C:
	}
	return true
}

// stirred returns a channel that closes when Check asks everybody to try again at once.
func (n *Node) stirred() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stir
}

// poke wakes whoever waits on ch; a poke that finds one waiting already is enough.
func poke(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
