// Claims about a doorbell that many lean on.

package node

import (
	"context"
	"net"
	"testing"
	"time"

	"nightjar/node/card"
	"nightjar/onion"
)

// leaning has a doorbell flooded with streams, each of which says what it is told, and returns the
// share of twenty honest visitors who are heard.
func leaning(t *testing.T, every time.Duration, say []byte, naive bool) (share float64) {
	inWorld(t, func(t *testing.T, w *world) {
		desk := w.start(0, nil)
		path := w.net.Path()
		defer path.Close()
		l, err := path.Publish(t.Context(), onion.Service{Seed: [32]byte{77}, Port: bellPort})
		if err != nil {
			t.Fatal(err)
		}
		b := newBell()
		if naive {
			b.hurry = ringTime
		}
		<-time.After(time.Second) // until it works
		answer := func(ctx context.Context) { desk.answerBell(ctx, l, [32]byte{1}, b) }
		if !desk.crew.spawn(answer) {
			t.Fatal("the engine does not work")
		}
		to := onion.Remote{ID: l.ID(), Port: bellPort}
		var flood []net.Conn
		stop := time.Now().Add(40 * time.Second)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for ; time.Now().Before(stop); <-time.After(every) {
				if c, err := dialSoon(t.Context(), path, to); err == nil {
					go func() { _, _ = c.Write(say) }()
					flood = append(flood, c)
				}
			}
		}()
		heard, bell := 0, card.Gateway{ID: l.ID(), Port: bellPort}
		<-time.After(20 * time.Second)
		for range 20 {
			if desk.ring(t.Context(), bell, make([]byte, card.SealedSize)) == nil {
				heard++
			}
		}
		<-done
		for _, c := range flood {
			_ = c.Close()
		}
		share = float64(heard) / 20
	})
	return share
}

func dialSoon(ctx context.Context, p onion.Path, to onion.Remote) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return p.Dial(ctx, to, "")
}

func TestDoorbellIsHeardThoughManyLeanOnIt(t *testing.T) {
	for name, say := range map[string][]byte{"silent": nil,
		"junk": make([]byte, card.SealedSize), "half": make([]byte, 100)} {
		got := leaning(t, 200*time.Millisecond, say, false)
		t.Logf("%s: %.0f %% are heard", name, 100*got)
		if got < 0.5 {
			t.Errorf("%s: %.2f are heard", name, got)
		}
	}
	if got := leaning(t, 200*time.Millisecond, nil, true); got > 0.3 {
		t.Errorf("a patient doorbell hears %.2f as well: this test proves nothing", got)
	}
}
