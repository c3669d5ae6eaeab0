// Whole rows at once, on Linux: UDP_SEGMENT cuts what is sent, UDP_GRO joins what has come.

package batch

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// controlSize is room for the control message: a header of three words, and its data padded.
const controlSize = 64

// A rows is whether the kernel takes rows, and the room for their control messages.
type rows struct {
	cuts atomic.Bool // the kernel cuts rows

	sending sync.Mutex
	out, in [controlSize]byte
}

// prepare asks the kernel what it can.
func (r *rows) prepare(c *net.UDPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		_, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT)
		r.cuts.Store(err == nil)
		unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_GRO, 1)
		// Beyond what the system lets everybody have; only the administrator may.
		unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffered)
		unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, buffered)
	})
}

func (r *rows) sends() bool { return r.cuts.Load() }

// send sends a row. again reports that the kernel or the device refused the row as such; it is to
// be sent one by one, like all after it.
func (r *rows) send(c *net.UDPConn, row []byte, size int, to netip.AddrPort) (bool, error) {
	r.sending.Lock()
	defer r.sending.Unlock()
	control := appendSegment(r.out[:0], size)
	_, _, err := c.WriteMsgUDPAddrPort(row, control, to)
	number, ok := errnoOf(err)
	if ok && (number == syscall.EIO || number == syscall.EINVAL || number == syscall.EMSGSIZE) {
		r.cuts.Store(false)
		return true, nil
	}
	return false, err
}

func errnoOf(err error) (syscall.Errno, bool) {
	if err == nil {
		return 0, false
	}
	number, ok := named(err).(syscall.Errno)
	return number, ok
}

func (r *rows) receive(c *net.UDPConn, b []byte) (n, size int, from netip.AddrPort, err error) {
	n, controls, _, from, err := c.ReadMsgUDPAddrPort(b, r.in[:])
	if size = segment(r.in[:controls]); size <= 0 || size > n {
		size = n
	}
	return n, size, from, err
}

// appendSegment appends the control message that says how long each datagram of a row is.
func appendSegment(b []byte, size int) []byte {
	header := unix.CmsgLen(0)
	b = appendWord(b, unix.CmsgLen(2))
	b = binary.NativeEndian.AppendUint32(b, unix.IPPROTO_UDP)
	b = binary.NativeEndian.AppendUint32(b, unix.UDP_SEGMENT)
	b = append(b, make([]byte, max(0, header-len(b)))...)
	b = binary.NativeEndian.AppendUint16(b, uint16(size))
	return append(b, make([]byte, unix.CmsgSpace(2)-len(b))...)
}

// segment finds what the kernel says of the length of each datagram of a row, or 0.
func segment(b []byte) int {
	header := unix.CmsgLen(0)
	word := header - 8
	for len(b) >= header+4 {
		length := int(uint16(binary.NativeEndian.Uint32(b))) // the low half, or all of it
		if word == 8 && bigEndian() {
			length = int(uint16(binary.NativeEndian.Uint32(b[4:])))
		}
		level := binary.NativeEndian.Uint32(b[word:])
		kind := binary.NativeEndian.Uint32(b[word+4:])
		if level == unix.IPPROTO_UDP && kind == unix.UDP_GRO {
			return int(min(binary.NativeEndian.Uint32(b[header:]), MaxRow))
		}
		step := (max(length, header) + word - 1) / word * word
		b = b[min(step, len(b)):]
	}
	return 0
}

// appendWord appends a length as wide as the system's.
func appendWord(b []byte, n int) []byte {
	if unix.CmsgLen(0) == 16 {
		return binary.NativeEndian.AppendUint64(b, uint64(n))
	}
	return binary.NativeEndian.AppendUint32(b, uint32(n))
}

func bigEndian() bool { return binary.NativeEndian.Uint16([]byte{0, 1}) == 1 }
