//go:build e2e || bench

// What tests look at and do behind the path's back.

package onion

import (
	"strings"
	"syscall"
)

// Rendezvous returns how many circuits to onion services are open.
func (t *Tor) Rendezvous() int {
	circuits, _ := t.process().Info("circuit-status")
	n := 0
	for line := range strings.Lines(circuits) {
		if strings.Contains(line, " BUILT ") && strings.Contains(line, "HSCR_JOINED") {
			n++
		}
	}
	return n
}

// Info returns a value that tor knows.
func (t *Tor) Info(key string) (string, error) { return t.process().Info(key) }

// PID returns the number of the tor process.
func (t *Tor) PID() int { return t.process().PID() }

// Kill ends the tor process from outside.
func (t *Tor) Kill() error { return syscall.Kill(t.process().PID(), syscall.SIGKILL) }

// Freeze stops the tor process from outside.
func (t *Tor) Freeze() error { return syscall.Kill(t.process().PID(), syscall.SIGSTOP) }

// Socks returns the name of tor's SOCKS socket.
func (t *Tor) Socks() string { return t.process().Socks() }

// ClientKeys returns how many keys of client authorization tor holds.
func (t *Tor) ClientKeys() int {
	lines, _ := t.process().Ask("ONION_CLIENT_AUTH_VIEW")
	return strings.Count(strings.Join(lines, "\n"), "CLIENT ")
}
