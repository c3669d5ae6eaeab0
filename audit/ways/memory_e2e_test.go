//go:build e2e

// Looking for bytes in the memory of a process.

package ways

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"nightjar/audit/privnet/lab"
)

// holds reports whether bytes are in the memory of a process.
func holds(l *lab.Lab, pid int, want []byte) bool {
	l.T.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		l.T.Fatal(err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		l.T.Fatal(err)
	}
	defer mem.Close()
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil ||
			mode[0] != 'r' || strings.Contains(line, "[v") {
			continue
		}
		b := make([]byte, to-from)
		n, _ := mem.ReadAt(b, from)
		if bytes.Contains(b[:n], want) {
			return true
		}
	}
	return false
}
