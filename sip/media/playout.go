// A steady pace out of frames that come in bursts, late, twice or never. Pure: its clock is the
// call of pull, once per 20 ms.

package media

// Bounds of the play-out buffer, in frames of 20 ms.
const (
	playoutSlots  = 64  // frames kept; a burst longer than this loses its oldest
	playoutStart  = 3   // frames that must wait before the first is played: 60 ms
	playoutMax    = 25  // largest wait after trouble: 500 ms
	playoutWindow = 150 // pulls after which a buffer that never ran low gives up 20 ms: 3 s
)

// PlayCounts says what became of the frames of one call.
type PlayCounts struct {
	Played, Lost, Late, Twice, Skipped uint64
}

// playout orders frames by sequence number and adapts its depth. Running dry stops the pace,
// so that the frames on their way are played later rather than lost: the delay grows by what
// the road needed. A buffer that for a whole window never had fewer than two frames waiting
// skips one: the delay shrinks.
type playout struct {
	slots   [playoutSlots]slot
	next    int64 // sequence that is due, extended beyond 16 bits
	high    int64 // highest sequence held, next-1 when empty
	begun   bool  // next and high mean something
	playing bool  // false while frames are being collected
	depth   int   // frames that must wait before playing starts
	dry     int   // pulls in a row that had nothing to give
	low     int   // fewest frames waiting in this window
	window  int   // pulls in this window
	counts  PlayCounts
}

type slot struct {
	seq     int64
	payload []byte // nil: free, or already played
}

// push takes a frame in any order.
func (b *playout) push(seq uint16, payload []byte) {
	if !b.begun {
		b.restart(int64(seq))
		b.depth, b.begun = playoutStart, true
	}
	at := b.next + int64(int16(seq-uint16(b.next)))
	empty := b.high < b.next
	switch {
	case empty && (b.dry > playoutMax || at >= b.next+playoutSlots):
		b.restart(at) // the first frame after a pause
	case empty && at > b.next:
		b.forgo(at)
	case at < b.next:
		b.late(at)
		return
	case at >= b.next+playoutSlots:
		b.drop(at - playoutSlots + 1)
	}
	s := &b.slots[at%playoutSlots]
	if s.payload != nil && s.seq == at {
		b.counts.Twice++
		return
	}
	*s = slot{at, payload}
	b.high = max(b.high, at)
}

// restart begins anew at a sequence, collecting before playing.
func (b *playout) restart(at int64) {
	if at < 0 || !b.begun {
		at += 1 << 32 // keeps the extended sequence positive
	}
	clear(b.slots[:])
	b.next, b.high, b.playing = at, at-1, false
	b.window, b.low, b.dry = 0, playoutSlots, 0
}

// forgo gives up lost frames whose time has already passed while the buffer was dry.
func (b *playout) forgo(at int64) {
	lost := min(at-b.next, int64(b.dry))
	b.next += lost
	b.counts.Lost += uint64(lost)
}

// late counts a frame that missed its moment, or came again after it was played. After a late
// one more is collected the next time.
func (b *playout) late(at int64) {
	if at >= 0 && b.slots[at%playoutSlots].seq == at {
		b.counts.Twice++
		return
	}
	b.counts.Late++
	if missed := int(b.next - at); missed < playoutMax {
		b.depth = min(playoutMax, max(b.depth, playoutStart+missed))
	}
}

// drop moves the due sequence forward, giving up what is older. A jump costs no more than a
// look at every slot.
func (b *playout) drop(to int64) {
	if to-b.next > playoutSlots {
		for i := range b.slots {
			if b.slots[i].payload != nil {
				b.counts.Skipped++
			}
		}
		clear(b.slots[:])
		b.next = to
	}
	for ; b.next < to; b.next++ {
		if b.take() != nil {
			b.counts.Skipped++
		}
	}
}

// take empties the slot of the due sequence.
func (b *playout) take() []byte {
	s := &b.slots[b.next%playoutSlots]
	if s.payload == nil || s.seq != b.next {
		return nil
	}
	p := s.payload
	s.payload = nil
	return p
}

// pull returns the frame that is due now, nil if there is none. It is called every 20 ms.
func (b *playout) pull() []byte {
	waiting := int(b.high - b.next + 1)
	if b.begun && !b.playing && waiting >= b.depth {
		b.playing = true
	}
	if !b.playing || waiting <= 0 {
		return b.starve(waiting)
	}
	b.dry = 0
	if b.settle(waiting) {
		b.drop(b.next + 1)
	}
	p := b.take()
	b.next++
	if p == nil {
		b.counts.Lost++
		return nil
	}
	b.counts.Played++
	return p
}

// starve is a pull with nothing due. Frames collected too slowly to reach the depth are played
// anyway after that long.
func (b *playout) starve(waiting int) []byte {
	b.dry++
	if b.playing {
		b.low = 0
		return nil // ran dry: wait for the frame that is due
	}
	if waiting > 0 && b.dry > b.depth {
		b.playing = true
	}
	return nil
}

// settle watches a window of pulls and reports when a frame can be given up.
func (b *playout) settle(waiting int) bool {
	b.low = min(b.low, waiting)
	if b.window++; b.window < playoutWindow {
		return false
	}
	spare := b.low > 2
	b.window, b.low = 0, playoutSlots
	b.depth = max(playoutStart, b.depth-1)
	return spare
}
