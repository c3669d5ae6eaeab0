// The pipe keeps the contract of net.Conn, and the fake clock's.

package pipe

import (
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"
)

func TestPipeIsAConn(t *testing.T) {
	nettest.TestConn(t, func() (a, b net.Conn, stop func(), err error) {
		a, b = New()
		return a, b, func() { a.Close(); b.Close() }, nil
	})
}

func TestBothSidesMayWriteAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := New()
		defer a.Close()
		defer b.Close()
		for _, c := range []net.Conn{a, b} {
			if _, err := c.Write(make([]byte, Buffer)); err != nil {
				t.Fatal(err)
			}
		}
		a.SetWriteDeadline(time.Now().Add(time.Hour))
		if n, err := a.Write([]byte{1}); n != 0 || err != os.ErrDeadlineExceeded {
			t.Errorf("a full buffer took %d bytes: %v", n, err)
		}
	})
}

func TestWhatWasWrittenIsReadAfterClose(t *testing.T) {
	a, b := New()
	a.Write([]byte("last words"))
	a.Close()
	if got, err := io.ReadAll(b); string(got) != "last words" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := b.Write([]byte{1}); err == nil {
		t.Error("a write to nobody succeeded")
	}
}
