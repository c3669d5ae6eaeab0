// Claims about key presses in the stream.

package media

import "testing"

func TestEveryKeyArrivesOnce(t *testing.T) {
	var w keyWriter
	for i := range len(keyNames) {
		if !w.press(keyNames[i]) {
			t.Fatalf("key %c was refused", keyNames[i])
		}
	}
	if w.press('1') {
		t.Error("a 17th key was queued")
	}
	var r keyReader
	var got []byte
	packets := 0
	for now := uint32(0xFFFFFF00); ; now += 160 {
		p, ok := w.next(now, 160)
		if !ok {
			break
		}
		packets++
		for range 2 { // the network may double packets
			if key, ok := r.read(p.ts, p.payload); ok {
				got = append(got, key)
			}
		}
	}
	if string(got) != keyNames {
		t.Errorf("got %q", got)
	}
	if want := len(keyNames) * (keyTicks + keyEnds - 1); packets != want {
		t.Errorf("%d packets, want %d", packets, want)
	}
}

func TestPressGrowsAndEndsThreeTimes(t *testing.T) {
	var w keyWriter
	w.press('5')
	ends := 0
	for i := range keyTicks + keyEnds - 1 {
		p, ok := w.next(1000+uint32(i)*160, 160)
		if !ok || p.ts != 1000 || p.first != (i == 0) || p.payload[0] != 5 {
			t.Fatalf("packet %d: %+v %v", i, p, ok)
		}
		length := int(p.payload[2])<<8 | int(p.payload[3])
		if want := min(i+1, keyTicks) * 160; length != want {
			t.Errorf("packet %d lasts %d", i, length)
		}
		if p.payload[1]&0x80 != 0 {
			ends++
		}
	}
	if ends != keyEnds {
		t.Errorf("the end was said %d times", ends)
	}
}

func TestForeignEventsAreNoKeys(t *testing.T) {
	var r keyReader
	for _, p := range [][]byte{nil, {1, 2, 3}, {16, 0, 0, 1}, {255, 0, 0, 1}} {
		if key, ok := r.read(1, p); ok {
			t.Errorf("%v was taken for %c", p, key)
		}
	}
	if (&keyWriter{}).press('x') {
		t.Error("x is a key")
	}
}
