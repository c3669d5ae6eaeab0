// The directory one engine works in.

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"nightjar/cmd/control"
)

// errHome is a home directory that cannot be used.
var errHome = errors.New("the home directory cannot be used")

// home is the directory one engine works in: the vault, the control socket, and a lock that one
// engine at a time holds.
type home string

func (h home) vault() string  { return filepath.Join(string(h), "vault") }
func (h home) socket() string { return filepath.Join(string(h), "control") }
func (h home) lock() string   { return filepath.Join(string(h), "engine.lock") }

// openHome returns the directory of --home, or .nightjar in the user's own, made with mode 0700.
func (o *options) openHome() (home, error) {
	dir := o.home
	if dir == "" {
		own, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("%w: the user's home directory is not known", errHome)
		}
		dir = filepath.Join(own, ".nightjar")
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return "", fmt.Errorf("%w: it cannot be made", errHome)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%w: others on this machine can look into it", errHome)
	}
	return home(dir), nil
}

// claim takes the lock that says an engine runs here. The kernel lets go of it when we end,
// however we end.
func (h home) claim() (release func(), err error) {
	f, err := os.OpenFile(h.lock(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%w: its lock cannot be opened", errHome)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, control.ErrTaken
	}
	return func() { _ = f.Close() }, nil
}

// client returns a client of the engine that runs in the home of o.
func (o *options) client() (*control.Client, error) {
	h, err := o.openHome()
	if err != nil {
		return nil, err
	}
	return control.NewClient(h.socket()), nil
}
