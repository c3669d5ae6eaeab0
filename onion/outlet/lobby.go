// Those who have not shown the login yet: any program of this machine can be one of them.

package outlet

import (
	"net"
	"slices"
	"sync"
)

// strangers is how many may wait to be let in; a further one shows out the one that waits longest.
const strangers = 32

// A lobby is where they wait. The zero lobby is empty.
type lobby struct {
	mu   sync.Mutex
	wait []net.Conn // oldest first
}

// enter takes one in.
func (l *lobby) enter(c net.Conn) {
	var out net.Conn
	l.mu.Lock()
	if len(l.wait) == strangers {
		out = l.wait[0]
		l.wait = slices.Delete(l.wait, 0, 1)
	}
	l.wait = append(l.wait, c)
	l.mu.Unlock()
	if out != nil {
		out.Close()
	}
}

// leave lets one go, wherever to.
func (l *lobby) leave(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wait = slices.DeleteFunc(l.wait, func(o net.Conn) bool { return o == c })
}
