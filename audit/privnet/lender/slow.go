// A path that takes its time.

package lender

import (
	"net"
	"time"

	"nightjar/onion/pipe"
)

// chunk is a part of a stream on its way.
type chunk struct {
	b   []byte
	due time.Time
}

// slow returns a stream that is far away by delay, one way. It ends when either end does.
func slow(far net.Conn, delay time.Duration) net.Conn {
	near, mid := pipe.New()
	for _, way := range [][2]net.Conn{{mid, far}, {far, mid}} {
		line := make(chan chunk, 1024)
		go func() {
			defer close(line)
			for {
				b := make([]byte, 16<<10)
				n, err := way[0].Read(b)
				if n > 0 {
					line <- chunk{b[:n], time.Now().Add(delay)}
				}
				if err != nil {
					return
				}
			}
		}()
		go func() {
			defer way[1].Close()
			for c := range line {
				<-time.After(time.Until(c.due))
				_, _ = way[1].Write(c.b) // when it fails the reader of the other way ends
			}
		}()
	}
	return near
}
