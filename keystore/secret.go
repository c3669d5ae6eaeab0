// Passwords and secrets: bytes in locked memory that no verb of fmt, slog or JSON prints.

package keystore

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"unicode/utf8"

	"nightjar/keystore/host"
)

// maxPassword is the longest password, in bytes; maxLine has room for a line's end as well.
const (
	maxPassword = 1024
	maxLine     = maxPassword + len("\r\n")
)

// redacted stands in for every secret that is printed.
const redacted = "(secret)"

var (
	errEmptyPassword = errors.New("the password is empty")
	errLongPassword  = errors.New("the password is longer than 1024 bytes")
)

// Secret is bytes in locked memory which do not print. Not for concurrent use.
type Secret struct{ a *arena } // a pointer, so that printing by reflection shows an address

// NewSecret moves b into locked memory and wipes b. It panics if there is no memory at all.
func NewSecret(b []byte) *Secret {
	defer clear(b)
	a, err := newArena(max(len(b), 1))
	if err != nil {
		panic("keystore: no memory for a secret")
	}
	a.n = copy(a.mem, b)
	return &Secret{a}
}

// Use calls f with a copy of the bytes that is erased afterwards; f must not keep it. After
// Destroy f is called with no bytes.
func (s *Secret) Use(f func([]byte)) {
	do(func() {
		b := bytes.Clone(s.a.bytes()) // a heap copy: see arena
		defer clear(b)
		f(b)
	})
}

// Destroy wipes the bytes. A second call does nothing.
func (s *Secret) Destroy() { s.a.destroy() }

// Format implements fmt.Formatter and shows nothing, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer and shows nothing.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, and with it JSON, and shows nothing.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Password is a password in locked memory. It is compared and hashed byte for byte as it was
// given; no form of Unicode is preferred to another. Not for concurrent use.
type Password struct{ Secret }

// NewPassword moves b into locked memory and wipes b, also when it refuses: an empty password,
// or one longer than 1024 bytes.
func NewPassword(b []byte) (*Password, error) {
	defer clear(b)
	switch {
	case len(b) == 0:
		return nil, errEmptyPassword
	case len(b) > maxPassword:
		return nil, errLongPassword
	}
	return &Password{*NewSecret(b)}, nil
}

// ReadPassword reads one line from a file descriptor straight into locked memory. The line ends
// at a newline (LF or CRLF) or at the end of the input. On a terminal nothing is echoed
// meanwhile. Whoever lets a signal end the program during the call restores the echo itself.
func ReadPassword(fd int) (*Password, error) {
	restore := host.Quiet(fd)
	defer restore()
	a, err := newArena(maxLine)
	if err != nil {
		return nil, fmt.Errorf("read password: %w", err)
	}
	if a.n, err = readLine(fd, a.mem); err != nil {
		a.destroy()
		return nil, fmt.Errorf("read password: %w", err)
	}
	return &Password{Secret{a}}, nil
}

// text returns the bytes, or ErrLocked if they were destroyed.
func (p *Password) text() ([]byte, error) {
	if p == nil || len(p.a.bytes()) == 0 {
		return nil, ErrLocked
	}
	return p.a.bytes(), nil
}

// WriteLine writes the bytes and a newline to a file descriptor, straight from locked memory. It
// is for words that a person must see; what the other end keeps of them is not in our hands.
func (p *Password) WriteLine(fd int) error {
	text, err := p.text()
	if err != nil {
		return err
	}
	if err = writeAll(fd, text); err == nil {
		err = writeAll(fd, []byte("\n"))
	}
	if err != nil {
		return fmt.Errorf("write words: %w", err)
	}
	return nil
}

// Equal reports, in constant time for equal lengths, whether two passwords are the same.
func (p *Password) Equal(q *Password) bool {
	return subtle.ConstantTimeCompare(p.a.bytes(), q.a.bytes()) == 1
}

// Shorter reports whether the password has fewer than n characters; bytes that are no UTF-8 count
// as one each.
func (p *Password) Shorter(n int) bool { return utf8.RuneCount(p.a.bytes()) < n }

// readLine reads byte by byte, so as to take nothing of what follows the line, and returns the
// length without the line's end. A line that is too long is read to its end and refused.
func readLine(fd int, dst []byte) (int, error) {
	n, long := 0, false
	for {
		if n == len(dst) { // read on, over what is here, to the end of the line
			n, long = 0, true
		}
		got, err := host.Read(fd, dst[n:n+1])
		if err != nil {
			return 0, err
		}
		if got == 0 || dst[n] == '\n' {
			break
		}
		n++
	}
	if n > 0 && dst[n-1] == '\r' {
		n--
	}
	switch {
	case long || n > maxPassword:
		return 0, errLongPassword
	case n == 0:
		return 0, errEmptyPassword
	}
	clear(dst[n:])
	return n, nil
}

// writeAll writes all of b.
func writeAll(fd int, b []byte) error {
	for len(b) > 0 {
		n, err := host.Write(fd, b)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
