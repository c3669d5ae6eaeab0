// Package words turns the secret of an identity into words that a person can write down, and
// draws words that a person can learn. It is pure but for the draw: it holds nothing, and knows
// nothing of identities, files or memory that is locked.
//
// The words are those of the EFF's large list (7776 words, 12.92 bits each), in the order of the
// list. A phrase is 11 of them, the digits of one number in base 7776, highest first:
//
//	bits  128     14
//	      secret  the first bits of SHA-256("nightjar phrase v1" | secret)
//
// A codename is 7 of them, drawn again until the first byte of SHA-256("nightjar codename v1" |
// codename) is 0. Words that are typed may be in any case, with any white space or hyphens in
// between; what is hashed and written has small letters and one space between words.
//
// Every function works on secrets: call it where they are erased, with memory that is.
package words

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

const (
	// SecretSize is how many bytes a phrase stands for.
	SecretSize = 16
	// MaxSize is the longest text that is written here, in bytes.
	MaxSize = phraseWords*(maxWord+1) - 1

	phraseWords   = 11
	codenameWords = 7

	phraseLabel   = "nightjar phrase v1"
	codenameLabel = "nightjar codename v1"
)

// Error says what is wrong with words that were typed, and never which words they were.
type Error struct {
	Word       int // the place, from 1, of the first word that is not in the list; 0 if all are
	Have, Want int // how many words there are (up to the first unknown), and should be
}

// Error tells the fault and the place, in words for the user.
func (e *Error) Error() string {
	switch {
	case e.Word > 0:
		return fmt.Sprintf("word %d is not in the list", e.Word)
	case e.Have != e.Want:
		return fmt.Sprintf("there are %d words, and should be %d", e.Have, e.Want)
	}
	return "these words do not belong together: one is another, or in another place"
}

// AppendPhrase writes a secret of SecretSize bytes as a phrase, at most MaxSize bytes of text.
func AppendPhrase(dst, secret []byte) []byte {
	n := numberOf([SecretSize]byte(secret), phraseCheck(secret))
	var places [phraseWords]uint16
	for i := range places {
		places[phraseWords-1-i] = n.divide()
	}
	return write(dst, places[:])
}

// ParsePhrase reads a phrase into secret (of SecretSize), or returns an *Error. What it reads,
// AppendPhrase writes again.
func ParsePhrase(secret, text []byte) error {
	var places [phraseWords]uint16
	if err := read(places[:], text); err != nil {
		return err
	}
	var n number
	for _, p := range places {
		n.multiply(p)
	}
	s, check, ok := n.split()
	if !ok || check != phraseCheck(s[:]) {
		return &Error{Have: phraseWords, Want: phraseWords}
	}
	copy(secret[:SecretSize], s[:])
	return nil
}

// phraseCheck returns the 14 bits that go with a secret, as the upper ones of 16.
func phraseCheck(secret []byte) uint16 {
	h := sha256.New()
	h.Write([]byte(phraseLabel))
	h.Write(secret)
	return binary.BigEndian.Uint16(h.Sum(nil)) &^ 3
}

// AppendCodename draws a codename, at most MaxSize bytes of text: 90.47 bits, of which the check
// leaves 82.47.
func AppendCodename(dst []byte) []byte {
	var places [codenameWords]uint16
	for {
		for i := range places {
			places[i] = draw()
		}
		if out := write(dst, places[:]); fits(out[len(dst):]) {
			return out
		}
	}
}

// draw returns a uniform random place in the list.
func draw() uint16 {
	const even = 1 << 16 / listSize * listSize
	var b [2]byte
	for {
		rand.Read(b[:])
		if n := binary.BigEndian.Uint16(b[:]); int(n) < even {
			return n % listSize
		}
	}
}

// ParseCodename appends a codename as AppendCodename wrote it, or returns an *Error. One in 256
// texts of other words passes.
func ParseCodename(dst, text []byte) ([]byte, error) {
	var places [codenameWords]uint16
	if err := read(places[:], text); err != nil {
		return dst, err
	}
	out := write(dst, places[:])
	if !fits(out[len(dst):]) {
		clear(out[len(dst):])
		return dst, &Error{Have: codenameWords, Want: codenameWords}
	}
	return out, nil
}

// fits reports whether the words of a codename belong together.
func fits(codename []byte) bool {
	h := sha256.New()
	h.Write([]byte(codenameLabel))
	h.Write(codename)
	return h.Sum(nil)[0] == 0
}

// Equal reports whether two texts are the same words of the list, however they were typed.
func Equal(a, b []byte) bool {
	for {
		x, restA := next(a)
		y, restB := next(b)
		if len(x) == 0 || len(y) == 0 {
			return len(x) == len(y)
		}
		i, afterA, okA := word(x, restA)
		j, afterB, okB := word(y, restB)
		if !okA || !okB || i != j {
			return false
		}
		a, b = afterA, afterB
	}
}
