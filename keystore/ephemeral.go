// Identities that are nowhere but in memory. They touch no file, and are gone after Lock.

package keystore

import (
	"crypto/rand"
	"fmt"
)

// Ephemeral makes a new identity in memory, with an empty state. Save keeps its state there,
// sealed as on disk; a password it has none, so ChangePassword returns ErrNoVault. Phrase and
// Export carry it over into a vault.
func Ephemeral() (*Identity, error) {
	master, err := newMaster(drawn)
	if err != nil {
		return nil, err
	}
	defer master.destroy()
	return standard().ephemeral(newcomer{master: master})
}

// Codename opens the identity that follows from a codename, in memory, with an empty state: the
// same keys each time, on any machine. It returns a *WordsError for words that are no codename.
// It costs one derivation.
func Codename(codename *Password) (*Identity, error) {
	return standard().codename(codename)
}

func (c cost) codename(codename *Password) (*Identity, error) {
	master, err := c.masterOf(codename)
	if err != nil {
		return nil, err
	}
	defer master.destroy()
	return c.ephemeral(newcomer{master: master})
}

// ImportEphemeral opens an identity that Export wrote, in memory. What is saved stays there.
func ImportEphemeral(sealed []byte, its *Password) (*Identity, error) {
	return standard().importEphemeral(sealed, its)
}

func (c cost) importEphemeral(sealed []byte, its *Password) (*Identity, error) {
	n, err := openExport(c, sealed, its)
	if err != nil {
		return nil, err
	}
	defer n.master.destroy()
	defer clear(n.state)
	return c.ephemeral(n)
}

// ephemeral opens a newcomer in memory, in a slot whose key was drawn at random.
func (c cost) ephemeral(n newcomer) (*Identity, error) {
	a, err := newArena(keysSize)
	if err != nil {
		return nil, fmt.Errorf("make identity: %w", err)
	}
	sealed := make([]byte, slotSize)
	do(func() {
		key, k := make([]byte, keySize), keysOf(a)
		rand.Read(key)
		k.fill(n.master.bytes(), key)
		k.seal(sealed, 0, n.state)
		clear(key)
	})
	return newIdentity(vault{cost: c, volatile: true}, nil, 0, sealed, a), nil
}
