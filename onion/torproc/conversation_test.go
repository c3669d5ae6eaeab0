// Talking with tor holds where bine alone does not.

package torproc

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cretz/bine/control"

	"nightjar/onion/torconf"
)

// tor answers each command with what f returns.
func tor(t *testing.T, f func(command string) string) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close() })
	go func() {
		lines := bufio.NewScanner(theirs)
		for lines.Scan() {
			io.WriteString(theirs, f(lines.Text()))
		}
		theirs.Close()
	}()
	return ours
}

func ignore(control.Event) {}

func TestPercentReachesTorAsItIs(t *testing.T) {
	const command = "GETINFO %s%d%n"
	var got string
	note := func(c string) string { got = c; return "250 OK\r\n" }
	c := converse(tor(t, note), time.Minute, ignore)
	defer c.close()
	if _, err := c.ask(command); err != nil || got != command {
		t.Errorf("tor got %q, %v", got, err)
	}
	naive := control.NewConn(textproto.NewConn(tor(t, note))).SendRequest
	if naive(command); got == command {
		t.Error("bine alone passes it too: this test proves nothing")
	}
}

func TestOneCommandStaysOne(t *testing.T) {
	asked := make(chan string, 10)
	note := func(c string) string { asked <- c; return "250 OK\r\n" }
	c := converse(tor(t, note), time.Minute, ignore)
	defer c.close()
	const attack = "GETINFO a\r\nSETCONF ControlPort=9051"
	if _, err := c.ask(attack); !errors.Is(err, torconf.ErrCommand) || len(asked) != 0 {
		t.Errorf("tor got %d commands, %v", len(asked), err)
	}
	go control.NewConn(textproto.NewConn(tor(t, note))).SendRequest("%s", attack)
	if first, second := <-asked, <-asked; second != "SETCONF ControlPort=9051" {
		t.Errorf("bine alone sent %q, %q: this test proves nothing", first, second)
	}
}

// TestBurstOfEventsDoesNotStopTheTalk sends what publishing a service does, and a hundred times
// more. bine's own EventWait has room for ten events and then stops for ever, or ends the program
// by sending on a channel that it has closed.
func TestBurstOfEventsDoesNotStopTheTalk(t *testing.T) {
	const burst = 3000
	events := strings.Repeat("650 HS_DESC UPLOADED x UNKNOWN $A~a\r\n", burst)
	answer := func(c string) string {
		if strings.HasPrefix(c, "GETINFO") {
			return events + "250-version=1\r\n250 OK\r\n" + events
		}
		return "250 OK\r\n"
	}
	heard := make(chan int, 2*burst)
	n := 0
	c := converse(tor(t, answer), time.Minute, func(control.Event) { n++; heard <- n })
	defer c.close()
	if err := c.listen(control.EventCodeHSDesc); err != nil {
		t.Fatal(err)
	}
	if v, err := c.info("version"); v != "1" || err != nil {
		t.Errorf("answer %q, %v", v, err)
	}
	for got := range heard {
		if got == 2*burst {
			break
		}
	}
	naive := control.NewConn(textproto.NewConn(tor(t, answer)))
	naive.AddEventListener(make(chan control.Event, 10), control.EventCodeHSDesc)
	stuck := make(chan error, 1)
	go func() {
		_, err := naive.GetInfo("version")
		stuck <- err
	}()
	select {
	case err := <-stuck:
		t.Errorf("bine alone came through: this test proves nothing (%v)", err)
	case <-time.After(300 * time.Millisecond):
	}
}

// TestManyMayAskAtOnce would lock up with bine alone: a second command can hold the lock that the
// first one needs to read its answer.
func TestManyMayAskAtOnce(t *testing.T) {
	c := converse(tor(t, func(s string) string {
		key := strings.TrimPrefix(s, "GETINFO ")
		return "250-" + key + "=" + key + "\r\n250 OK\r\n"
	}), time.Minute, ignore)
	defer c.close()
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			for j := range 50 {
				key := fmt.Sprintf("key/%d/%d", i, j)
				if v, err := c.info(key); v != key || err != nil {
					t.Errorf("asked %s, got %q, %v", key, v, err)
				}
			}
		})
	}
	all.Wait()
}

func TestRefusalIsNotRepeatedInWords(t *testing.T) {
	c := converse(tor(t, func(string) string { return "552 Unknown thing \"secret\"\r\n" }),
		time.Minute, ignore)
	defer c.close()
	_, err := c.ask("GETINFO secret")
	if !errors.Is(err, ErrCommand) || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v", err)
	}
}

func TestRegisteredKeyIsSuccess(t *testing.T) {
	registeredKey := func(string) string { return "252 Registered client and decrypted desc\r\n" }
	c := converse(tor(t, registeredKey), time.Minute, ignore)
	defer c.close()
	if _, err := c.ask("ONION_CLIENT_AUTH_ADD"); err != nil {
		t.Errorf("error %v", err)
	}
	naive := control.NewConn(textproto.NewConn(tor(t, registeredKey)))
	if _, err := naive.SendRequest("ONION_CLIENT_AUTH_ADD"); err == nil {
		t.Error("bine alone knows it too: this test proves nothing")
	}
}

func TestDeafTorIsGivenUp(t *testing.T) {
	c := converse(tor(t, func(string) string { return "" }), 50*time.Millisecond, ignore)
	defer c.close()
	if _, err := c.ask("GETINFO version"); !errors.Is(err, ErrDied) {
		t.Errorf("error %v", err)
	}
	<-c.lost
}

func TestNonsenseEndsTheTalk(t *testing.T) {
	for _, nonsense := range []string{"x\r\n", "250?OK\r\n", "9\r\n", "250-a\r\n251 b\r\n"} {
		c := converse(tor(t, func(string) string { return nonsense }), time.Second, ignore)
		if _, err := c.ask("GETINFO version"); err == nil {
			t.Errorf("%q was an answer", nonsense)
		}
		c.close()
	}
}

func TestKeysAreNeverWrittenToALog(t *testing.T) {
	c := converse(tor(t, func(string) string { return "250 OK\r\n" }), time.Minute, ignore)
	defer c.close()
	if c.ctl.DebugWriter != nil {
		t.Error("bine would write each command, also those with keys")
	}
}
