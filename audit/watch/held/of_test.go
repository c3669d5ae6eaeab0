// What a process holds is told from what others do.

package held

import (
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAProcessHoldsItsOwnSocketsAndNoOthers(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	holds := func(pid int) bool {
		t.Helper()
		list, err := Of(pid)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			if s.Proto == unix.IPPROTO_UDP && s.Local.String() == c.LocalAddr().String() {
				return true
			}
		}
		return false
	}
	if !holds(os.Getpid()) {
		t.Error("a socket of ours is not found")
	}
	if holds(os.Getppid()) {
		t.Error("a socket of ours is taken for our parent's")
	}
}
