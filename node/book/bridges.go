// How the path enters its network: bridges, and the way that worked last.

package book

import (
	"errors"
	"slices"
)

// ErrBridge means a bridge line that is not in the book.
var ErrBridge = errors.New("no such bridge is known")

// AddBridge remembers a tor bridge line the user gave; beyond 32 the oldest is forgotten.
func (b *Book) AddBridge(line string) { b.Bridges = remember(b.Bridges, line, maxBridges) }

// RemoveBridge forgets a bridge line; ErrBridge if there is none.
func (b *Book) RemoveBridge(line string) error {
	i := slices.Index(b.Bridges, line)
	if i < 0 {
		return ErrBridge
	}
	b.Bridges = slices.Delete(b.Bridges, i, i+1)
	if b.Entry == line {
		b.Entry = ""
	}
	return nil
}
