// The door: what clients find from the first moment, also while the engine is still starting.

package control

import (
	"net/http"
	"sync"
	"time"
)

// Door answers for an engine, and until there is one says how far it is. Make it with NewDoor.
type Door struct {
	lock func()

	mu     sync.Mutex
	how    string       // how far starting is
	engine http.Handler // nil until Open
}

// NewDoor makes a door without an engine. Lock is called once when somebody asks to lock.
func NewDoor(lock func()) *Door {
	return &Door{lock: sync.OnceFunc(lock), how: "reading the vault"}
}

// Starting says how far the engine is.
func (d *Door) Starting(how string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.how = how
}

// Open lets clients through to the engine.
func (d *Door) Open(e Engine) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.engine = e.routes()
}

// ServeHTTP answers a request: by the engine, or with the error "starting".
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	engine, how := d.engine, d.how
	d.mu.Unlock()
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/v1/lock":
		answer(func(*http.Request) (any, error) {
			time.AfterFunc(200*time.Millisecond, d.lock) // after the answer has left
			return struct{}{}, nil
		})(w, r)
	case engine == nil:
		answer(func(*http.Request) (any, error) {
			return nil, &Error{Code: "starting", Message: "the engine is starting: " + how}
		})(w, r)
	default:
		engine.ServeHTTP(w, r)
	}
}
