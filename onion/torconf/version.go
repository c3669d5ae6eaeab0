// Versions of tor.

package torconf

import (
	"fmt"
	"strconv"
	"strings"
)

// MinVersion is the oldest tor that is used: it mends a fault by which a rendezvous point could
// pose as the onion service (tor's ticket 41297).
const MinVersion = "0.4.9.11"

// NewEnough reports whether a version such as "0.4.9.11" or "0.4.10.1-alpha (git-1234)" is
// MinVersion or later.
func NewEnough(version string) bool {
	have, ok := numbers(version)
	if !ok {
		return false
	}
	least, _ := numbers(MinVersion)
	for i := range have {
		if have[i] != least[i] {
			return have[i] > least[i]
		}
	}
	return true
}

// numbers returns the four numbers of a version.
func numbers(version string) (n [4]int, ok bool) {
	text, _, _ := strings.Cut(version, " ")
	text, _, _ = strings.Cut(text, "-")
	parts := strings.Split(text, ".")
	if len(parts) != len(n) {
		return n, false
	}
	for i, part := range parts {
		v, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return n, false
		}
		n[i] = int(v)
	}
	return n, true
}

// ShortVersion returns the numbers of a version, or "" if it has none.
func ShortVersion(version string) string {
	n, ok := numbers(version)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d.%d", n[0], n[1], n[2], n[3])
}
