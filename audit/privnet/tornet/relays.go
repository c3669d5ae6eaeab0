// Single relays of a network, for tests in which one fails.

package tornet

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Stall has the relay of a fingerprint (40 hexadecimal digits) stand still, as a machine does that
// hangs, and reports whether there is one; what it returns has it go on.
func (n *Network) Stall(fingerprint string) (resume func(), found bool) {
	for _, p := range n.procs {
		own, _ := os.ReadFile(filepath.Join(p.dir, "fingerprint"))
		if f := strings.Fields(string(own)); len(f) == 2 && f[1] == fingerprint {
			_ = p.cmd.Process.Signal(syscall.SIGSTOP)
			return func() { _ = p.cmd.Process.Signal(syscall.SIGCONT) }, true
		}
	}
	return func() {}, false
}
