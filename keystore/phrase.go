// Identities in words: the phrase to write down, and the codename to learn by heart.

package keystore

import (
	"fmt"

	"nightjar/keystore/words"
)

// WordsError says what is wrong with a phrase or a codename that was typed: which word, by its
// place, is not in the list; that there are too many or too few; or that they do not belong
// together. It never says what was typed.
type WordsError = words.Error

// codenameID begins the salt of every codename; zeros follow. There is no file that could hold a
// salt of its own: a codename's 82 bits stand in for that.
const codenameID = "nightjar codename v1"

// Phrase returns the identity's keys as eleven words to write down. Whoever has them is the
// identity: they need no password. They hold nothing of its state.
func (id *Identity) Phrase() (*Password, error) {
	return newWords(func(dst []byte) (text []byte, err error) {
		err = id.with(func(k keys) error {
			text = words.AppendPhrase(dst, k.master)
			return nil
		})
		return text, err
	})
}

// NewCodename draws the seven words of a new identity that needs no file: see Codename.
func NewCodename() (*Password, error) {
	return newWords(func(dst []byte) (text []byte, err error) {
		do(func() { text = words.AppendCodename(dst) })
		return text, nil
	})
}

// newWords returns the words that write appends to an empty slice of locked memory.
func newWords(write func(dst []byte) ([]byte, error)) (*Password, error) {
	a, err := newArena(words.MaxSize)
	if err != nil {
		return nil, fmt.Errorf("write words: %w", err)
	}
	text, err := write(a.mem[:0])
	if err != nil {
		a.destroy()
		return nil, err
	}
	a.n = len(text)
	return &Password{Secret{a}}, nil
}

// CheckPhrase returns nil or a *WordsError. One of 16384 phrases with a mistake passes.
func CheckPhrase(phrase *Password) error {
	text, err := phrase.text()
	if err != nil {
		return err
	}
	do(func() {
		var master [masterSize]byte
		err = words.ParsePhrase(master[:], text)
	})
	return err
}

// CheckCodename returns nil or a *WordsError. One of 256 codenames with a mistake passes.
func CheckCodename(codename *Password) error {
	canon, err := canonical(codename)
	if err != nil {
		return err
	}
	canon.Destroy()
	return nil
}

// SameWords reports whether both are the same words of the list, whatever their case and what
// stands in between; false for what is no words, or was destroyed.
func (p *Password) SameWords(q *Password) (same bool) {
	a, err1 := p.text()
	b, err2 := q.text()
	if err1 != nil || err2 != nil {
		return false
	}
	do(func() { same = words.Equal(a, b) })
	return same
}

// canonical returns a codename as it is hashed.
func canonical(codename *Password) (*Password, error) {
	text, err := codename.text()
	if err != nil {
		return nil, err
	}
	return newWords(func(dst []byte) (canon []byte, err error) {
		do(func() { canon, err = words.ParseCodename(dst, text) })
		return canon, err
	})
}

// masterOf returns the master secret that follows from a codename.
func (c cost) masterOf(codename *Password) (*arena, error) {
	canon, err := canonical(codename)
	if err != nil {
		return nil, err
	}
	defer canon.Destroy()
	defer collect()
	salt := make([]byte, saltSize)
	copy(salt, codenameID)
	return newMaster(func(m []byte) error {
		k := make([]byte, keySize)
		c.kek(k, canon.a.bytes(), salt)
		copy(m, k)
		clear(k)
		return nil
	})
}
