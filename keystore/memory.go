// Memory for secrets: small arenas that are locked, guarded and out of core dumps.

package keystore

import (
	"errors"
	"strings"

	"github.com/awnumar/memcall"
	"github.com/awnumar/memguard"

	"nightjar/keystore/host"
)

var errNoMemory = errors.New("no memory outside the heap")

// lockMargin is how much more than asked must be lockable before memguard is called. memguard
// destroys every other secret of the process when it meets the limit itself, and can hang; the
// margin covers arenas that are made at the same moment.
const lockMargin = 16 << 10

// arena is memory for secrets, outside the Go heap, freed only by destroy. It is locked into
// RAM between guard pages where the system allows it; else it is plain memory outside dumps.
//
// Its bytes must never reach crypto/ed25519, whose cache ends the process when it is given
// memory that is not of the Go heap: copy them onto the heap inside do first.
//
// The indirection is for printing: fmt follows one unexported pointer, when a verb does not fit
// it, and would show the bytes.
type arena struct{ *block }

type block struct {
	mem   []byte
	n     int // bytes in use
	guard *memguard.LockedBuffer
}

// newArena returns n zero bytes.
func newArena(n int) (*arena, error) {
	if canLock(n + lockMargin) {
		g := memguard.NewBuffer(n)
		return &arena{&block{mem: g.Bytes(), n: n, guard: g}}, nil
	}
	mem, err := memcall.Alloc(n)
	if err != nil {
		return nil, errNoMemory // memcall's texts hold addresses
	}
	_ = memcall.Lock(mem) // even where that fails, it keeps the memory out of dumps
	return &arena{&block{mem: mem, n: n}}, nil
}

// bytes returns the bytes in use. They fault after destroy: the owner keeps them to itself.
func (a *arena) bytes() []byte {
	if a == nil {
		return nil
	}
	return a.mem[:a.n]
}

// destroy wipes and frees the arena. A second call does nothing.
func (a *arena) destroy() {
	if a == nil || a.mem == nil {
		return
	}
	if a.guard != nil {
		a.guard.Destroy()
	} else {
		_ = memcall.Free(a.mem) // wipes it first
	}
	a.mem, a.n, a.guard = nil, 0, nil
}

// canLock reports whether n more bytes can be locked into memory now.
func canLock(n int) bool {
	mem, err := memcall.Alloc(n)
	if err != nil {
		return false
	}
	defer func() { _ = memcall.Free(mem) }()
	return memcall.Lock(mem) == nil
}

// Harden closes this process to others as far as the system allows: no core dumps, no reading
// of its memory by programs of the same user. It returns, in words for the user, what remains
// open. Call it first thing, but after anything that writes to the process's own /proc files
// (such as the maps of a user namespace): those belong to root from here on.
func Harden() []string {
	open := host.CloseProcess()
	if !canLock(64 << 10) {
		open = append(open, "memory cannot be locked, so keys may be written to swap: "+
			"raise the limit (ulimit -l) to 1024 or more")
	}
	return append(open, swapWarning(host.Swaps())...)
}

// swapWarning reads the kernel's list of swap areas: one line of headings, then one line each.
func swapWarning(list []byte, err error) []string {
	switch {
	case err != nil:
		return []string{"could not find out whether swap is on"}
	case strings.Count(strings.TrimSpace(string(list)), "\n") > 0:
		return []string{"swap is on: what is open may be written to disk, messages above all; " +
			"turn it off (swapoff -a) or encrypt it"}
	}
	return nil
}
