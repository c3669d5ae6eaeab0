// What of tor's state file is worth keeping: which guards it chose. Without it each start would
// choose new ones, and sooner or later a hostile one.

package torconf

import (
	"bytes"
	"strings"
)

// maxState is the most that is kept, in bytes: tor samples at most 60 guards.
const maxState = 64 << 10

// keptState are the keys of lines that are kept: guards, and how long circuits take to build here.
func keptState() []string {
	return []string{"Guard", "CircuitBuildTimeBin", "CircuitBuildAbandonedCount", "TotalBuildTimes"}
}

// Guards returns the lines of a state file that are worth keeping. It takes what was kept as well
// as the whole file. Whatever is not such a line is left out: when tor was last used, for one.
func Guards(state []byte) []byte {
	var kept bytes.Buffer
	for line := range bytes.Lines(state) {
		text := strings.TrimRight(string(line), "\r\n")
		key, value, _ := strings.Cut(text, " ")
		if kept.Len()+len(text) >= maxState || !printable(value) {
			continue
		}
		for _, k := range keptState() {
			if key == k {
				kept.WriteString(text + "\n")
			}
		}
	}
	return kept.Bytes()
}

func printable(value string) bool {
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return false
		}
	}
	return value != ""
}
