// When records leave: as they come, by a clock, or as thin cover.

package tunnel

import (
	"math/rand/v2"
	"time"
)

const (
	slowest    = 10 * time.Second // mean of a Shape, so that silence is not mistaken for death
	longestGap = 20 * time.Second // of cover, for the same reason
)

// A Shape decides when records leave. Each side has its own, for what it sends. The zero Shape
// sends as it comes: an observer sees when and how much is said. Under the others one record
// leaves at each moment the Shape gives, full or empty, whatever there is to send and whatever
// comes: an observer sees the Shape, and when the session begins and ends. What is to be sent
// waits for its moment, and more than one record of it for more moments.
type Shape struct {
	mean time.Duration
	draw func() float64 // exponential, mean 1; nil: no chance in it
}

// Clock sends one record each every: for calls. Above ten seconds every counts as ten; 0 is the
// zero Shape. It costs 498 bytes each time: at 40 ms 44.8 MB an hour each way.
func Clock(every time.Duration) Shape {
	return Shape{mean: min(max(every, 0), slowest)}
}

// Cover sends records at random moments, mean apart on average, no two more than 20 seconds
// apart (a Poisson process, cut off there). Nobody can tell from the moments of many whom they
// belong to, or that two sessions began together. It is for who chooses to pay for it: 498 bytes
// each time, at 4 s 450 kB an hour each way. Above ten seconds mean counts as ten; 0 is the zero
// Shape.
func Cover(mean time.Duration) Shape {
	return Shape{min(max(mean, 0), slowest), rand.ExpFloat64}
}

// waits reports whether records wait for their moment.
func (s Shape) waits() bool { return s.mean > 0 }

// after is the moment that follows due, which has come. A clock passes over moments that were
// missed, and keeps its beat.
func (s Shape) after(due, now time.Time) time.Time {
	if s.draw != nil {
		next := due.Add(min(time.Duration(s.draw()*float64(s.mean)), longestGap))
		return later(next, now)
	}
	missed := max(now.Sub(due), 0) / s.mean
	return due.Add((missed + 1) * s.mean)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
