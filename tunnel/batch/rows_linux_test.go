// The control messages that the kernel reads and writes.

package batch

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

func TestControlMessagesAreTheKernels(t *testing.T) {
	b := appendSegment(nil, 1232)
	all, err := unix.ParseSocketControlMessage(b)
	if err != nil || len(all) != 1 || all[0].Header.Level != unix.IPPROTO_UDP ||
		all[0].Header.Type != unix.UDP_SEGMENT {
		t.Fatal(all, err)
	}
	if got := binary.NativeEndian.Uint16(all[0].Data); got != 1232 {
		t.Error(got)
	}
}

// joined is what the kernel writes of a row it has joined.
func joined(size uint32) []byte {
	b := appendSegment(nil, 0)
	header := unix.CmsgLen(0)
	binary.NativeEndian.PutUint32(b[header-4:], unix.UDP_GRO)
	binary.NativeEndian.PutUint32(b[header:], size)
	return b
}

func TestSegmentSizeIsFoundAmongOthers(t *testing.T) {
	other := appendSegment(nil, 77)
	if got := segment(append(other, joined(512)...)); got != 512 {
		t.Error(got)
	}
	if got := segment(other); got != 0 {
		t.Error("found", got, "where there is none")
	}
}

func FuzzSegment(f *testing.F) {
	f.Add(joined(256))
	f.Add([]byte{})
	f.Add(make([]byte, 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := segment(b); got < 0 || got > MaxRow {
			t.Error(got)
		}
	})
}
