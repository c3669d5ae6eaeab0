// A name service on loopback is seen, and others are not.

package warden

import (
	"encoding/binary"
	"testing"
)

func TestNameServiceOnLoopbackIsSeen(t *testing.T) {
	const head = "  sl  local_address rem_address   st tx_queue rx_queue\n"
	native := "3500007F" // as a processor of the order of bytes that most have prints it
	if !littleEndian() {
		native = "7F000035"
	}
	for line, want := range map[string]bool{
		"": false,
		" 1: " + native + ":0035 00000000:0000 07":    true,  // 127.0.0.53:53
		" 1: " + native + ":0036 00000000:0000 07":    false, // another port
		" 1: 00000000:0035 00000000:0000 07":          true,  // every address
		" 1: 020200C0:B602 " + native + ":0035 01":    false, // one who asks
		" 1: 020200C0:0035 00000000:0000 07":          false, // 192.0.2.2, not loopback
		" 1: 00000000000000000000000000000000:0035 x": true,  // every address of both kinds
		" 1: xyz:0035 x": false, " 1: :0035": false,
	} {
		if got := answersNames(head + line + "\n"); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }
