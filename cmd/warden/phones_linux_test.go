// A phone is heard and answered by an engine that can send to nobody else.

package warden

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// serve plays the phone's side of an engine: it says where it is, repeats what it hears, and tells
// what became of a question to a name service.
func serve(w *Ward) {
	c, err := w.Packet(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.LocalAddr())
	for b := make([]byte, 64); ; {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		said := string(b[:n])
		if at, ask := strings.CutPrefix(said, "ask "); ask {
			_, err := c.WriteTo([]byte("a name?"), net.UDPAddrFromAddrPort(
				netip.MustParseAddrPort(at)))
			said = fmt.Sprint(err)
		}
		if _, err := c.WriteTo([]byte(said), from); err != nil {
			fmt.Println(err)
		}
		if said == "the end" {
			_ = c.Close()
			again, err := w.Packet(c.LocalAddr().(*net.UDPAddr).AddrPort())
			fmt.Println("again:", err)
			if err == nil {
				_ = again.Close()
			}
			return
		}
	}
}

func TestEngineAnswersPhonesAndAsksNoNameService(t *testing.T) {
	cmd := exec.Command("/proc/self/exe", "warden", "phone", stage(t))
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	said.Scan()
	at, err := netip.ParseAddrPort(said.Text())
	if err != nil {
		t.Fatalf("the engine says %q", said.Text())
	}
	talk := func(c net.Conn, say, want string) {
		t.Helper()
		c.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = c.Write([]byte(say))
		b := make([]byte, 64)
		n, err := c.Read(b)
		if err != nil || string(b[:n]) != want {
			t.Errorf("%q is answered %q, %v; want %q", say, b[:n], err, want)
		}
	}
	for round := range maxCallers + 2 { // more than are answered at a time
		phone, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(at))
		if err != nil {
			t.Fatal(err)
		}
		defer phone.Close()
		talk(phone, fmt.Sprint("hello ", round), fmt.Sprint("hello ", round))
		talk(phone, "and again", "and again")
		if round == 0 {
			defer talk(phone, "the end", "the end") // its place was taken since
			talk(phone, "ask 127.0.0.54:53", "operation not permitted")
			talk(phone, "ask 192.0.2.1:53", "operation not permitted")
		}
	}
	t.Cleanup(func() {
		for said.Scan() {
			if said.Text() != "again: <nil>" {
				t.Errorf("the engine says %q", said.Text())
			}
		}
		_ = cmd.Wait()
	})
}
