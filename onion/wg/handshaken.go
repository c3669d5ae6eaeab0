// When the last handshake was, which WireGuard tells only among all its settings.

package wg

import (
	"bytes"
	"strconv"
)

// handshaken returns when the last handshake was, in seconds since 1970, or 0.
func (v *VPN) handshaken() (at int64) {
	do(func() {
		var w last
		if v.dev.IpcGetOperation(&w) == nil {
			at = int64(w)
		}
	})
	return at
}

// last is a writer that keeps one number of what it is told, and nothing of the keys around it.
type last int64

// Write looks through one piece: WireGuard writes all its settings at once.
func (l *last) Write(b []byte) (int, error) {
	if _, after, ok := bytes.Cut(b, []byte("last_handshake_time_sec=")); ok {
		word, _, _ := bytes.Cut(after, []byte("\n"))
		if n, err := strconv.ParseInt(string(word), 10, 64); err == nil {
			*l = last(n)
		}
	}
	return len(b), nil
}
