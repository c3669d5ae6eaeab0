// The streams of a gateway, and who has to go when there is no room for another. Nobody can be told
// from anybody else here, so that a flood can be met by manners alone: who keeps silent goes first,
// then who has nothing more to ask, then who has been here for long.

package lend

import (
	"sync"
	"sync/atomic"
	"time"
)

// When a guest of a full house may have to go.
const (
	silentTime = 3 * time.Second  // without a first word: about two round trips of the path
	quietTime  = 20 * time.Second // since the last: a relay may walk for so long
	turnTime   = time.Minute      // since it came: longer than any walk
	maxLeaving = 256              // who were shown out and are still at the door
)

// A guest is one stream.
type guest struct {
	begun time.Time
	heard atomic.Int64 // nanoseconds from begun to its last word; 0 is none yet
	out   func()       // ends it; it may take a while
	shown bool         // out; belongs to the hall
}

// hears notes a word of a guest.
func (g *guest) hears(now time.Time) { g.heard.Store(max(1, int64(now.Sub(g.begun)))) }

// due says how long ago a guest could have been shown out, negative if it cannot yet. Of several
// kinds of guests the silent come before the quiet, and these before the others.
func (g *guest) due(now time.Time) (kind int, since time.Duration) {
	heard, here := time.Duration(g.heard.Load()), now.Sub(g.begun)
	switch {
	case heard == 0:
		return 2, here - silentTime
	case here-heard > quietTime:
		return 1, here - heard - quietTime
	}
	return 0, here - turnTime
}

// A hall holds at most maxLent guests.
type hall struct {
	manners func(guests map[*guest]bool, now time.Time) *guest // who has to go; nil for nobody

	mu      sync.Mutex
	guests  map[*guest]bool
	leaving int
}

func newHall() *hall { return &hall{manners: politest, guests: map[*guest]bool{}} }

// politest returns the guest that is to make room, or nil.
func politest(guests map[*guest]bool, now time.Time) (out *guest) {
	var best int
	var longest time.Duration
	for g := range guests {
		kind, since := g.due(now)
		if since > 0 && (out == nil || kind > best || kind == best && since > longest) {
			out, best, longest = g, kind, since
		}
	}
	return out
}

// enter lets a guest in, in the place of another if need be, and reports whether there was room.
func (h *hall) enter(g *guest, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.guests) >= maxLent {
		old := h.manners(h.guests, now)
		if old == nil || h.leaving >= maxLeaving {
			return false
		}
		delete(h.guests, old)
		h.leaving++
		old.shown = true
		old.out()
	}
	h.guests[g] = true
	return true
}

// leave forgets a guest whose stream has ended.
func (h *hall) leave(g *guest) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if g.shown {
		h.leaving--
	}
	delete(h.guests, g)
}

// count is how many guests there are.
func (h *hall) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.guests)
}
