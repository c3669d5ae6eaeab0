// No error and no address says where a connection leads.

package quiet

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestErrorsHoldNoAddress(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "secret-name")
	_, failed := net.Dial("unix", socket)
	if !strings.Contains(failed.Error(), "secret-name") {
		t.Fatal("the naive error holds no address: this test proves nothing")
	}
	for _, err := range []error{failed, fmt.Errorf("wrapped: %w", failed), errors.New("secret-name")} {
		if text := Error(err).Error(); strings.Contains(text, "secret-name") {
			t.Errorf("error text %q", text)
		}
	}
	if !errors.Is(Error(failed), syscall.ENOENT) {
		t.Errorf("the cause is gone: %v", Error(failed))
	}
	if Error(nil) != nil {
		t.Error("nothing became an error")
	}
}

func TestConnHoldsNoAddress(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "secret-name")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	raw, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	c := Conn(raw)
	if got := c.RemoteAddr().String() + c.LocalAddr().String(); strings.Contains(got, "secret-name") {
		t.Errorf("addresses %q", got)
	}
	c.SetReadDeadline(time.Now().Add(-time.Second))
	if _, err := c.Read(make([]byte, 1)); err != os.ErrDeadlineExceeded {
		t.Errorf("read past the deadline: %v", err)
	}
	c.Close()
	if _, err := c.Write([]byte{1}); err != net.ErrClosed {
		t.Errorf("write after close: %v", err)
	}
}

// late is an error as sockets make them that are not the system's.
type late struct{}

func (late) Error() string { return "secret-name: i/o timeout" }
func (late) Timeout() bool { return true }

func TestForeignDeadlineIsADeadline(t *testing.T) {
	err := fmt.Errorf("read: %w", late{})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the naive error is known already: this test proves nothing")
	}
	if got := Error(err); got != os.ErrDeadlineExceeded {
		t.Errorf("a deadline became %v", got)
	}
}

func TestPacketsHoldNoAddressInErrors(t *testing.T) {
	raw, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, to := Packets(raw), raw.LocalAddr()
	if c.LocalAddr() != to {
		t.Error("the holder cannot see its own address")
	}
	raw.Close()
	_, naive := raw.WriteTo([]byte("x"), to)
	if !strings.Contains(naive.Error(), "127.0.0.1") {
		t.Fatal("the naive error holds no address: this test proves nothing")
	}
	_, written := c.WriteTo([]byte("x"), to)
	_, _, read := c.ReadFrom(make([]byte, 1))
	for _, err := range []error{written, read, c.Close(), c.SetDeadline(time.Now()),
		c.SetReadDeadline(time.Now()), c.SetWriteDeadline(time.Now())} {
		if err != net.ErrClosed {
			t.Errorf("after close: %v", err)
		}
	}
}
