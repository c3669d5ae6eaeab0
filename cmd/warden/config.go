// What a warden and an engine are told.

package warden

import (
	"context"
	"errors"
	"fmt"
	"os"

	"nightjar/onion/seal"
	"nightjar/onion/torproc"
)

var (
	// ErrEngine means that the engine could not be started.
	ErrEngine = errors.New("the engine cannot be started")
	// ErrGone means that the warden has ended, and the engine has to.
	ErrGone = errors.New("the process that started the engine has ended")
	// ErrStop means that the user wants the engine to end. It wraps context.Canceled.
	ErrStop = fmt.Errorf("told to stop: %w", context.Canceled)
	// ErrOrder means that a process is no engine: nobody gave it an order.
	ErrOrder = errors.New("not started by nightjar up")
)

// Config says which engine to start, and what it may have. All of it is fixed once it runs.
type Config struct {
	Command  []string   // the words before what Take gets, for the same program
	Order    Order      // what Take returns
	Files    seal.Files // what the engine may open, besides sockets in the directory of its tors
	Password *os.File   // from which it reads passwords, or nil

	TorExe     string   // the tor program; "" means the one installed
	TorOptions []string // settings of the user; the engine can add bridges, and nothing else
	TorExits   bool     // relays outside of tor may be asked
	TorDir     string   // parent of the directory of its tors; "" means os.TempDir
	Seats      string   // directory of the sockets of other engines
	// Starter starts its tors; nil means torproc.Confined. With torproc.Existing the tor is not
	// ours, and others can enter, though not list, the directory of its sockets.
	Starter torproc.Starter
	// Way is the way out that the user typed.
	Way Way
	// Open opens sockets that the user allowed, by a name that both sides know. An engine that has
	// any can name the address that it sends to.
	Open map[string]func(context.Context) (*os.File, error)
}

// An Order is what an engine is started for. It holds no secret.
type Order struct {
	Args []string `json:"args"` // the user's own words
	Home string   `json:"home"`
	// PasswordFD is set by Take: the descriptor from which passwords are read, or -1.
	PasswordFD int `json:"-"`
}

// order is an Order with what only this package needs.
type order struct {
	Order
	Files    seal.Files `json:"files"`
	Network  string     `json:"network"`
	Password bool       `json:"password"`
	Loose    bool       `json:"loose"`
	Anywhere bool       `json:"anywhere"` // its datagrams go to addresses that it names
	Resolver bool       `json:"resolver"`
	Astray   bool       `json:"astray"`
}
