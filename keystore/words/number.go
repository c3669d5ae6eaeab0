// The number that a phrase spells: 142 bits, read and written in base 7776.

package words

import "encoding/binary"

// number is an integer of 144 bits, the highest first. That of a phrase is below 2^142, and
// eleven digits are below 2^142.2: nothing overflows, and the two upper bits show what does not
// belong.
type number [9]uint16

// spare is how many of the 144 bits no phrase uses.
const spare = 2

// numberOf returns secret and check as one number; the lowest bits of check are not used.
func numberOf(secret [SecretSize]byte, check uint16) (n number) {
	b := binary.BigEndian.AppendUint16(secret[:], check)
	high := uint16(0)
	for i := range n {
		v := binary.BigEndian.Uint16(b[2*i:])
		n[i] = high<<(16-spare) | v>>spare
		high = v
	}
	clear(b)
	return n
}

// split undoes numberOf; false for a number that is too large.
func (n *number) split() (secret [SecretSize]byte, check uint16, ok bool) {
	for i := range SecretSize / 2 {
		binary.BigEndian.PutUint16(secret[2*i:], n[i]<<spare|n[i+1]>>(16-spare))
	}
	return secret, n[8] << spare, n[0]>>(16-spare) == 0
}

// divide divides the number by the size of the list and returns what is left over.
func (n *number) divide() uint16 {
	rest := uint32(0)
	for i := range n {
		v := rest<<16 | uint32(n[i])
		n[i], rest = uint16(v/listSize), v%listSize
	}
	return uint16(rest)
}

// multiply multiplies the number by the size of the list and adds one digit.
func (n *number) multiply(digit uint16) {
	carry := uint32(digit)
	for i := len(n) - 1; i >= 0; i-- {
		v := uint32(n[i])*listSize + carry
		n[i], carry = uint16(v), v>>16
	}
}
