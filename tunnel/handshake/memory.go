// What a responder remembers of first messages, so that a recorded one gets no second answer.

package handshake

import (
	"crypto/sha256"
	"sync"
)

// perLink bounds how many first messages one contact may send in one epoch: one each ten seconds.
// It is also the contact's budget of handshakes; what exceeds it is met with silence.
const perLink = epochSeconds / 10

// A Memory is what a side that is called keeps: the marks of its contacts, and the nonces of the
// first messages that were answered in the epochs that are still taken. The zero Memory is empty
// and ready. Contacts do not share room in it: none can learn from
// it, or crowd it, for another. Its size is at most perLink nonces a contact and epoch.
type Memory struct {
	mu      sync.Mutex
	callers callers
	epochs  map[uint64]map[linkID]map[nonceID]struct{}
}

type (
	linkID  [16]byte
	nonceID [16]byte
)

// admit reports whether a first message is new, and remembers it. Only messages that opened come
// here, so strangers cannot fill it. now is the current epoch, epoch and key are those that the
// message opened with: there is one such key for each contact and epoch.
func (m *Memory) admit(now, epoch uint64, key [32]byte, wire []byte) bool {
	digest := sha256.Sum256(key[:])
	id, nonce := linkID(digest[:16]), nonceID(wire[:16])
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(now)
	if m.epochs[epoch] == nil {
		m.epochs[epoch] = make(map[linkID]map[nonceID]struct{})
	}
	seen := m.epochs[epoch][id]
	if _, again := seen[nonce]; again || len(seen) >= perLink {
		return false
	}
	if seen == nil {
		seen = make(map[nonceID]struct{})
		m.epochs[epoch][id] = seen
	}
	seen[nonce] = struct{}{}
	return true
}

// forget drops the epochs that are no longer taken. Called with the lock held.
func (m *Memory) forget(now uint64) {
	if m.epochs == nil {
		m.epochs = make(map[uint64]map[linkID]map[nonceID]struct{})
	}
	for e := range m.epochs {
		if e+1 < now {
			delete(m.epochs, e)
		}
	}
}
