// The ids that packets are found by.

package packet

import "nightjar/tunnel/mark"

// IDs are the ids of one direction under one epoch's keys: as many as there are changes of
// address, and none a second time. Who lacks the secret cannot tell which belong together.
type IDs struct{ key mark.Key }

// NewIDs is the ids that a secret gives.
func NewIDs(secret [32]byte) IDs { return IDs{mark.NewKey(secret)} }

// At is the id of that number, from 0.
func (i IDs) At(n uint64) uint64 { return i.key.Of(n, 0) }
