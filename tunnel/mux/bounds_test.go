// What a far side can make this one hold: a bounded number of bytes, whatever it opens and sends.

package mux

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
)

// A far side whose streams were all read well for a while, and then no more, has them filled.
func TestAllStreamsTogetherHoldABoundedNumberOfBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		var there [MaxStreams]*Stream
		for i := range there {
			var here *Stream
			here, there[i] = open(t, a, b)
			go here.Write(make([]byte, 4<<20))
			io.CopyN(io.Discard, there[i], 2<<20)
		}
		synctest.Wait()
		held, windows, naive := 0, uint32(0), 0
		for _, s := range there {
			held += s.in.size
			windows += s.window
			naive += lastWindow // what each would have, had it not to share
		}
		const most = MaxStreams*firstWindow + allWindows
		if held > most || windows > most {
			t.Error("held", held, "windows", windows, "at most", most)
		}
		if windows < most-lastWindow || naive <= most {
			t.Error("the test would not notice windows without a bound")
		}
		a.Close(net.ErrClosed)
		b.Close(net.ErrClosed)
	})
}

func TestRoomOfFinishedStreamsIsUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		for range 3 * allWindows / lastWindow {
			here, there := open(t, a, b)
			go func() {
				here.Write(make([]byte, 3<<20))
				here.Close()
			}()
			io.Copy(io.Discard, there)
			there.Close()
			if there.window != lastWindow {
				t.Fatal("window", there.window)
			}
			synctest.Wait()
		}
		if b.grown != 0 || a.grown != 0 {
			t.Error("room lost:", a.grown, b.grown)
		}
	})
}
