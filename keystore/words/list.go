// The list of words, by place and by word. No word that is secret is ever a string of its own:
// what is compared and copied stays in the memory of the caller.

package words

import (
	"sort"

	"github.com/sethvargo/go-diceware/diceware"
)

const (
	listSize = 7776 // 6 to the power of 5
	maxWord  = 9    // the longest word, in letters
)

// at returns the word at a place from 0. The library has them by the five dice that were thrown.
func at(place int) string {
	dice, unit := 0, 1
	for range 5 {
		dice += (place%6 + 1) * unit
		place, unit = place/6, unit*10
	}
	return diceware.WordListEffLarge().WordAt(dice)
}

// find returns the place of a word. The list is sorted by bytes.
func find(word []byte) (place int, ok bool) {
	return sort.Find(listSize, func(i int) int { return compare(word, at(i)) })
}

// compare orders words by their bytes.
func compare(a []byte, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return int(a[i]) - int(b[i])
		}
	}
	return len(a) - len(b)
}

// write appends the words at the places, a space in between.
func write(dst []byte, places []uint16) []byte {
	for i, p := range places {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, at(int(p))...)
	}
	return dst
}

// read reads as many words as there are places, no more and no fewer; else it returns an *Error.
func read(places []uint16, text []byte) error {
	n := 0
	for piece, rest := next(text); len(piece) > 0; piece, rest = next(rest) {
		place, after, ok := word(piece, rest)
		if !ok {
			return &Error{Word: n + 1, Have: n, Want: len(places)}
		}
		if n < len(places) {
			places[n] = uint16(place)
		}
		n, rest = n+1, after
	}
	if n != len(places) {
		return &Error{Have: n, Want: len(places)}
	}
	return nil
}

// next returns the first piece of a text, between white space and hyphens, and what follows.
func next(text []byte) (piece, rest []byte) {
	from := 0
	for from < len(text) && between(text[from]) {
		from++
	}
	to := from
	for to < len(text) && !between(text[to]) {
		to++
	}
	return text[from:to], text[to:]
}

func between(b byte) bool {
	return b == ' ' || '\t' <= b && b <= '\r' || b == '-'
}

// word finds the word that begins with a piece. Four words of the list have a hyphen inside
// ("drop-down", "felt-tip", "t-shirt", "yo-yo"); none of them begins with another word, so a
// piece that is no word is tried together with the one after it.
func word(piece, rest []byte) (place int, after []byte, ok bool) {
	var buf [maxWord]byte
	b, ok := fold(buf[:0], piece)
	if !ok {
		return 0, nil, false
	}
	if place, ok = find(b); ok {
		return place, rest, true
	}
	second, after := next(rest)
	if b, ok = fold(b, []byte("-")); !ok {
		return 0, nil, false
	}
	if b, ok = fold(b, second); !ok {
		return 0, nil, false
	}
	place, ok = find(b)
	return place, after, ok
}

// fold appends a piece in small letters; false if it does not fit into dst.
func fold(dst, piece []byte) ([]byte, bool) {
	if len(dst)+len(piece) > cap(dst) {
		return nil, false
	}
	for _, c := range piece {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst, true
}
