// Key presses inside the RTP stream (RFC 4733): reading a phone's, writing ours. Pure.

package media

import (
	"encoding/binary"
	"strings"
)

// keyNames holds the key of each event code 0..15.
const keyNames = "0123456789*#ABCD"

// keyTicks is how many 20 ms packets one key press lasts, keyEnds how often its end is said.
const (
	keyTicks = 6
	keyEnds  = 3
)

// keyReader reports each press once, however many packets repeat it.
type keyReader struct {
	seen bool
	last uint32 // timestamp of the last press
}

// read returns the key of an event packet when it is a new press.
func (k *keyReader) read(ts uint32, payload []byte) (byte, bool) {
	if len(payload) < 4 || payload[0] >= byte(len(keyNames)) {
		return 0, false
	}
	if k.seen && int32(ts-k.last) <= 0 {
		return 0, false
	}
	k.seen, k.last = true, ts
	return keyNames[payload[0]], true
}

// keyWriter makes the packets of one press after the other, one per 20 ms.
type keyWriter struct {
	queue []byte // codes that wait; at most 16, more are refused
	tick  int    // packets sent of the press at the head of the queue
	start uint32 // its timestamp
}

// press queues a key; false when it is no key or too many wait.
func (k *keyWriter) press(key byte) bool {
	code := strings.IndexByte(keyNames, key)
	if code < 0 || len(k.queue) >= 16 {
		return false
	}
	k.queue = append(k.queue, byte(code))
	return true
}

// keyPacket is one event packet: it carries the press's own timestamp.
type keyPacket struct {
	ts      uint32
	first   bool
	payload []byte
}

// next returns the packet that is due at timestamp now, if a press is under way; step is 20 ms
// in units of the event clock.
func (k *keyWriter) next(now, step uint32) (keyPacket, bool) {
	if len(k.queue) == 0 {
		return keyPacket{}, false
	}
	if k.tick == 0 {
		k.start = now
	}
	code := k.queue[0]
	k.tick++
	first := k.tick == 1
	length := uint32(min(k.tick, keyTicks)) * step
	volume := byte(10)
	if k.tick >= keyTicks {
		volume |= 0x80 // end of the event
	}
	if k.tick == keyTicks+keyEnds-1 {
		k.queue, k.tick = k.queue[1:], 0
	}
	p := binary.BigEndian.AppendUint16([]byte{code, volume}, uint16(min(length, 65535)))
	return keyPacket{k.start, first, p}, true
}
