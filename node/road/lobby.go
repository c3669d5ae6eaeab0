// A lobby: room for those who have come and not yet said what for, which nobody can fill.

package road

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Lobby bounds how many wait in it. Who is one of too many of its kind shows out the oldest of that
// kind; when all places are taken, whoever has been silent for Patience is shown out for the next.
// Its fields are fixed once it is used. It is safe for several goroutines.
type Lobby struct {
	Places   int           // in all
	Share    int           // of one kind of guest; 0: as many as there are places
	Patience time.Duration // with a guest when others wait outside

	mu     sync.Mutex
	guests []*guest // the oldest first
	room   chan struct{}
}

// A guest is one that waits.
type guest struct {
	who   [32]byte
	since time.Time
	out   func()
}

// Enter waits for a place for a guest of the kind who. out is called at most once, when the guest
// has to make room; leave gives the place back, and may be called when it is gone. leave is nil
// when ctx has ended.
func (l *Lobby) Enter(ctx context.Context, who [32]byte, out func()) (leave func()) {
	g := &guest{who: who, out: out}
	for ctx.Err() == nil {
		wait, room := l.place(g)
		if wait < 0 {
			return func() { l.remove(g) }
		}
		pause(ctx, wait, room)
	}
	return nil
}

// place gives g a place, or says how long to wait for one; a wait below 0 means that it has one.
func (l *Lobby) place(g *guest) (wait time.Duration, room <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.room == nil {
		l.room = make(chan struct{}, 1)
	}
	now := time.Now()
	like := func(o *guest) bool { return o.who == g.who }
	n := 0
	for _, o := range l.guests {
		if like(o) {
			n++
		}
	}
	switch {
	case l.Share > 0 && n >= l.Share:
		l.show(slices.IndexFunc(l.guests, like))
	case len(l.guests) >= l.Places:
		if wait = l.guests[0].since.Add(l.Patience).Sub(now); wait > 0 {
			return wait, l.room
		}
		l.show(0)
	}
	g.since = now
	l.guests = append(l.guests, g)
	return -1, nil
}

// show shows the i-th guest out. Called with mu held.
func (l *Lobby) show(i int) {
	out := l.guests[i].out
	l.guests = slices.Delete(l.guests, i, i+1)
	out()
}

// remove takes g out, if it is there.
func (l *Lobby) remove(g *guest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.guests, g); i >= 0 {
		l.guests = slices.Delete(l.guests, i, i+1)
		poke(l.room)
	}
}
