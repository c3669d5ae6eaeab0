// The client's end never fails under a DHT, and never makes it wait.

package lend

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/onion/frame"
	"nightjar/onion/pipe"
)

func TestLossIsHiddenAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pipe.New()
		c := NewPacketConn(near)
		read := make(chan error, 1)
		go func() {
			_, _, err := c.ReadFrom(make([]byte, 100))
			read <- err
		}()
		far.Close()
		<-c.Lost()
		if n, err := c.WriteTo([]byte("query"), udpAddr("1.2.3.4:6881")); n != 5 || err != nil {
			t.Errorf("a write showed the loss: %d, %v", n, err)
		}
		if _, err := c.Nodes(t.Context()); !errors.Is(err, ErrLost) {
			t.Errorf("nodes of a lost gateway: %v", err)
		}
		day := time.NewTimer(24 * time.Hour)
		select {
		case err := <-read:
			t.Errorf("a read showed the loss: %v", err)
		case <-day.C:
		}
		c.Close()
		if err := <-read; !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after close: %v", err)
		}
	})
}

func TestWriteNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, _ := net.Pipe() // nobody reads at the other end
		c := NewPacketConn(near)
		defer c.Close()
		begun := time.Now()
		for range 10 * packetQueue {
			if n, err := c.WriteTo(make([]byte, 1500), udpAddr("1.2.3.4:6881")); n != 1500 || err != nil {
				t.Fatal(n, err)
			}
		}
		if time.Since(begun) != 0 {
			t.Error("a write waited")
		}
	})
}

func TestWriteKeepsNoHoldOfTheCallersBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pipe.New()
		c := NewPacketConn(near)
		defer c.Close()
		b := []byte("query")
		c.WriteTo(b, udpAddr("1.2.3.4:6881"))
		copy(b, "XXXXX")
		f, err := frame.Read(far, make([]byte, frame.MaxFrame))
		if err != nil || string(f.Payload) != "query" {
			t.Errorf("sent %q, %v", f.Payload, err)
		}
	})
}

func TestFloodOfRepliesIsLostNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pipe.New()
		c := NewPacketConn(near)
		defer c.Close()
		b, _ := frame.Frame{Node: node("1.2.3.4:6881"), Payload: []byte("r")}.Append(nil)
		for range 10 * packetQueue {
			far.Write(b)
		}
		synctest.Wait()
		if len(c.in) != packetQueue {
			t.Errorf("%d datagrams wait", len(c.in))
		}
	})
}

func TestHostileGatewayIsLostNotBelieved(t *testing.T) {
	for _, answer := range [][]byte{
		{255, 255},
		{0, 7, 0, 0, 0, 0, 0, 0, 1}, // nodes of one byte
		{0, 12, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0},                    // a node with port 0
		append([]byte{0, 108, 0, 0, 0, 0, 0, 0}, make([]byte, 102)...), // 17 nodes
	} {
		synctest.Test(t, func(t *testing.T) {
			near, far := pipe.New()
			c := NewPacketConn(near)
			defer c.Close()
			far.Write(answer)
			if nodes, err := c.Nodes(t.Context()); !errors.Is(err, ErrLost) {
				t.Errorf("answer %x: %v, %v", answer, nodes, err)
			}
		})
	}
}

func TestOnlyWhatTheGatewayCarries(t *testing.T) {
	near, _ := pipe.New()
	c := NewPacketConn(near)
	defer c.Close()
	for _, to := range []net.Addr{
		&net.TCPAddr{IP: net.IP{1, 2, 3, 4}, Port: 1}, &net.UDPAddr{IP: net.IPv6loopback, Port: 1},
		&net.UDPAddr{IP: net.IP{1, 2, 3, 4}}, &net.UDPAddr{Port: 1},
	} {
		if _, err := c.WriteTo([]byte("x"), to); !errors.Is(err, ErrDatagram) {
			t.Errorf("%v: %v", to, err)
		}
	}
	if _, err := c.WriteTo(make([]byte, 1501), udpAddr("1.2.3.4:5")); !errors.Is(err, ErrDatagram) {
		t.Errorf("1501 bytes: %v", err)
	}
}
