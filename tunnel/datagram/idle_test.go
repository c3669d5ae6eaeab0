// What idle sessions cost.

package datagram

import (
	"crypto/rand"
	"runtime"
	"testing"
	"time"

	"nightjar/tunnel"
	"nightjar/tunnel/handshake"
	"nightjar/tunnel/proof"
)

// idle makes a session of each side with a contact of its own, without a network between.
func idle(t *testing.T, ea, eb *Endpoint) {
	var root, psk [32]byte
	rand.Read(root[:])
	rand.Read(psk[:])
	aKey, bKey := proof.NewKey(t), proof.NewKey(t)
	a := tunnel.Peer{Static: aKey.AgreementKey(), Root: root, PSK: psk}
	b := tunnel.Peer{Static: bKey.AgreementKey(), Root: root, PSK: psk}
	epoch := handshake.Epoch(time.Now())
	in, first, err := handshake.Start(aKey, b, epoch)
	if err != nil {
		t.Fatal(err)
	}
	far, reply, err := handshake.Answer(bKey, []tunnel.Peer{a}, epoch, new(handshake.Memory), first)
	if err != nil {
		t.Fatal(err)
	}
	near, err := in.Finish(reply)
	if err != nil {
		t.Fatal(err)
	}
	for e, s := range map[*Endpoint]*handshake.Session{ea: near, eb: far} {
		if _, err := newConn(e, s, place(9)); err != nil {
			t.Fatal(err)
		}
	}
}

// thousandIdle makes so many sessions, and looks at the heap that each takes.
func thousandIdle(t *testing.T, c *contacts, sessions int) {
	inUse := func() (heap, stack int) {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc), int(m.StackInuse)
	}
	heap, stack := inUse()
	for range sessions / 2 {
		idle(t, c.ea, c.eb)
	}
	heapNow, stackNow := inUse()
	each := (heapNow - heap) / sessions
	t.Log(each, "bytes of heap and", (stackNow-stack)/sessions, "of stack each")
	if each > 16<<10 {
		t.Error(each, "bytes of heap each")
	}
}
