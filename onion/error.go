// What can go wrong on a path, and where: the place decides what the user can do about it.

package onion

import (
	"errors"

	"nightjar/onion/torproc"
)

// A Place is where on the way something failed.
type Place string

// The places, from near to far.
const (
	Here    Place = "this machine"
	Gate    Place = "the way out"    // tor, its guard or bridge
	Network Place = "the network"    // between the way out and the other side
	Peer    Place = "the other side" // the service that was asked for
)

// An Error says which operation failed, where and why. Its text holds no address.
type Error struct {
	Op    string // "dial", "publish", "start tor", ...
	Place Place
	Err   error
}

// Error returns the operation, the place and the cause.
func (e *Error) Error() string { return e.Op + ": " + string(e.Place) + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

var (
	// ErrTorMissing means that there is no tor program; Debian's package is tor.
	ErrTorMissing = torproc.ErrMissing
	// ErrTorOld means that the tor program lacks fixes without which a relay can pose as a service.
	ErrTorOld = torproc.ErrOld
	// ErrTorDied means that the tor process is gone.
	ErrTorDied = torproc.ErrDied
	// ErrTorUnsafe means that tor reports settings under which it does not hide its user.
	ErrTorUnsafe = torproc.ErrUnsafe
	// ErrTorOption means a setting that is unknown or would weaken the path, or that tor refused.
	ErrTorOption = torproc.ErrOption
	// ErrNoExits means that nobody allowed streams to leave the Tor network.
	ErrNoExits = torproc.ErrNoExits
	// ErrNotBootstrapped means that tor could not reach its network in the time given. The error
	// that wraps it names the step by tor's own tag word.
	ErrNotBootstrapped = torproc.ErrNotBootstrapped
	// ErrNoService means that the service cannot be reached now: it may be away, or its descriptor
	// not out yet, or a circuit to it failed. Trying again later can help.
	ErrNoService = errors.New("the service is not reachable now")
	// ErrNotAuthorized means that the service does not let this client in.
	ErrNotAuthorized = errors.New("the service does not know this client")
	// ErrRemote means that the remote or the service asked for is not well formed.
	ErrRemote = errors.New("not a service id, port or key")
	// ErrPathClosed means that the path was closed by its owner.
	ErrPathClosed = errors.New("the path is closed")
)
