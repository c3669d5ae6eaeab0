// The door: what clients find from the first moment, also while the engine is still starting.

package control

import (
	"net/http"
	"slices"
	"sync"

	"nightjar/cmd/control/api"
	"nightjar/keystore"
)

// Door answers for an engine, and until there is one says how far it is. Make it with NewDoor.
type Door struct {
	lock func()
	used func()

	mu       sync.Mutex
	how      string       // how far starting is
	identity api.Identity // empty until Introduce
	engine   http.Handler // nil until Open
	shut     bool
}

// NewDoor makes a door without an engine. Lock is called once when somebody asks to lock; used at
// each request by which somebody does something, rather than only looks how it stands.
func NewDoor(lock, used func()) *Door {
	return &Door{lock: sync.OnceFunc(lock), used: used, how: "waiting for the password"}
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

// Shut lets nobody through any more: what is asked from now on is answered with the error "locked".
func (d *Door) Shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = true
}

// looks lists the requests that only look how it stands: programs repeat them, and they do not
// keep an identity from being locked when nobody uses it.
func looks() []string { return []string{"/v1/status", "/v1/identity", "/v1/events"} }

// ServeHTTP answers a request: by the engine, or with the error "starting".
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !slices.Contains(looks(), r.URL.Path) {
		d.used()
	}
	d.mu.Lock()
	engine, how, identity, shut := d.engine, d.how, d.identity, d.shut
	d.mu.Unlock()
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/v1/identity":
		answer(func(*http.Request) (any, error) { return identity, nil })(w, r)
	case r.Method == http.MethodPost && r.URL.Path == "/v1/lock":
		answer(func(*http.Request) (any, error) {
			d.Shut()
			d.lock()
			return struct{}{}, nil
		})(w, r)
	case shut:
		answer(func(*http.Request) (any, error) { return nil, keystore.ErrLocked })(w, r)
	case engine == nil && identity.Role == api.RoleGateway:
		answer(func(*http.Request) (any, error) {
			return nil, &Error{Code: "gateway",
				Message: "this engine lends its UDP to others: " + how}
		})(w, r)
	case engine == nil:
		answer(func(*http.Request) (any, error) {
			return nil, &Error{Code: "starting", Message: "the engine is starting: " + how}
		})(w, r)
	default:
		engine.ServeHTTP(w, r)
	}
}
