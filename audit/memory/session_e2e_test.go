//go:build e2e

// The child: two identities of one vault at work in one process, of which one is locked.

package memory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"nightjar/keystore"
	"nightjar/node"
	"nightjar/node/card"
	"nightjar/node/meet"
	"nightjar/onion"
	"nightjar/tunnel/record"
)

// Files that the child gets: one end each of a contact's carrier. The first calls the identity
// that is locked, the second is called by it; the third calls the one that stays open.
const (
	calling = 3 + iota
	called
	other
)

// carrier is the connection behind one of those files.
func carrier(fd uintptr) net.Conn {
	f := os.NewFile(fd, "carrier")
	defer f.Close()
	return must(net.FileConn(f))
}

// road is a path on which a contact waits outside, and another can be reached.
type road struct {
	in, out chan net.Conn
	gone    chan struct{}
	close   func()
}

func newRoad(in, out []net.Conn) *road {
	r := &road{in: make(chan net.Conn, 1), out: make(chan net.Conn, 1), gone: make(chan struct{})}
	r.close = sync.OnceFunc(func() { close(r.gone) })
	for _, c := range in {
		r.in <- c
	}
	for _, c := range out {
		r.out <- c
	}
	return r
}

func (r *road) Dial(context.Context, onion.Remote, onion.Isolation) (net.Conn, error) {
	select {
	case c := <-r.out:
		return c, nil
	default:
		return nil, onion.ErrNoService
	}
}

func (r *road) Publish(context.Context, onion.Service) (onion.Listener, error) {
	up := make(chan struct{})
	close(up)
	return service{r, up}, nil
}

func (r *road) Exposes() []onion.Exposure { return nil }
func (r *road) Close() error              { r.close(); return nil }

// service is where the contact outside comes in.
type service struct {
	*road
	up chan struct{}
}

func (s service) ID() string                 { return strings.Repeat("b", 55) + "d" }
func (s service) Published() <-chan struct{} { return s.up }
func (s service) Addr() net.Addr             { return nil }

func (s service) Accept() (net.Conn, error) {
	select {
	case c := <-s.in:
		return c, nil
	case <-s.gone:
		return nil, net.ErrClosed
	}
}

// place is a DHT in which one contact has said where it is, and one invitation lies.
type place struct {
	reachable string // SHA-256 of the pair's root, in hexadecimal
	sealed    []byte
}

func (p place) Publish(context.Context, [32]byte, meet.Side, card.Reach) (int, error) {
	return 8, nil
}

func (p place) Find(_ context.Context, root [32]byte, _ meet.Side) (r card.Reach, err error) {
	record.Erasing(func() {
		sum := sha256.Sum256(root[:])
		if hex.EncodeToString(sum[:]) != p.reachable {
			err = meet.ErrNotFound
		}
	})
	r.Service, r.Port = strings.Repeat("b", 55)+"d", 1
	return r, err
}

func (p place) Leave(context.Context, [32]byte, []byte) (int, error) { return 8, nil }

func (p place) Collect(context.Context, [32]byte) ([][]byte, error) {
	return [][]byte{slices.Clone(p.sealed)}, nil
}

func (p place) Due([32]byte, meet.Side) time.Time { return time.Now().Add(time.Hour) }

// working is an identity at work.
type working struct {
	id   *keystore.Identity
	node *node.Node
	end  func()
}

// start opens an identity and lets it work.
func start(vault string, pw *keystore.Password, p place, path onion.Path) *working {
	id := must(keystore.Open(vault, pw))
	pw.Destroy()
	w := &working{id: id, node: must(node.New(node.Config{Identity: id, Path: path, Meeting: p}))}
	events, stop := w.node.Watch()
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { _ = w.node.Run(ctx) })
	group.Go(func() {
		for range events {
		}
	})
	w.end = func() { cancel(); _ = path.Close(); stop(); group.Wait() }
	return w
}

// lock ends the work and locks the identity. An embedder does no more.
func (w *working) lock() {
	w.end()
	id := w.id
	*w = working{}
	id.Lock()
}

// child is the session.
func child(args []string) {
	vault, reachable, sealed := args[0], args[1], must(hex.DecodeString(args[2]))
	first, second := must(keystore.ReadPassword(0)), must(keystore.ReadPassword(0))
	a := start(vault, first, place{reachable, sealed},
		newRoad([]net.Conn{carrier(calling)}, []net.Conn{carrier(called)}))
	b := start(vault, second, place{},
		newRoad([]net.Conn{carrier(other)}, nil))
	turn("open")
	record.Erasing(func() {
		must(a.id.Sign([]byte("signed")))
		read := must(a.node.Messages("", true))
		if len(read) == 0 {
			panic("nothing came")
		}
	})
	a.lock()
	turn("locked")
	if len(must(b.node.Messages("", false))) == 0 {
		panic("the other identity does not work")
	}
}

// turn says how far the session is and waits for the parent.
func turn(where string) {
	fmt.Println(where)
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		panic(errors.New("the parent is gone"))
	}
}
