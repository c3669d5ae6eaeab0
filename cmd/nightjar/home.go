// The directories engines work in.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"nightjar/cmd/control"
	"nightjar/cmd/control/disk"
)

// Errors of home directories.
var (
	errHome     = errors.New("the home directory cannot be used")
	errNoMemory = errors.New("this system has no directory that is kept in memory alone")
	errOnDisk   = errors.New("this home directory is on a disk: tor would write to it")
)

// home is a directory in which engines work: the vault, and the control sockets of those that run.
type home string

func (h home) vault() string { return filepath.Join(string(h), "vault") }

// homeDir is the directory of --home, or .nightjar in the user's own.
func (o *options) homeDir() (string, error) {
	if o.home != "" {
		return o.home, nil
	}
	own, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("%w: the user's home directory is not known", errHome)
	}
	return filepath.Join(own, ".nightjar"), nil
}

// makeHome makes a directory with mode 0700, if it is not there.
func makeHome(dir string) (home, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if why := disk.Cause(err); why != nil {
		return "", fmt.Errorf("the home directory cannot be made: %w", why)
	}
	if err != nil {
		return "", fmt.Errorf("%w: it cannot be made", errHome)
	}
	info, err := os.Stat(dir)
	if err != nil || !private(info) {
		return "", fmt.Errorf("%w: others on this machine can look into it", errHome)
	}
	return home(dir), nil
}

// memoryHome returns the directory of engines that leave nothing on disk: the one of --home, or one
// of this user's own where the system keeps files in memory. Leave removes it when it is empty.
func (o *options) memoryHome() (h home, leave func(), err error) {
	dir := o.home
	if dir == "" {
		if dir = memoryDir(); dir == "" {
			return "", nil, errNoMemory
		}
	}
	was, missing := os.Lstat(dir)
	if missing == nil && was.Mode()&os.ModeSymlink != 0 {
		return "", nil, errHome // anybody can put a link into a directory that all share
	}
	if h, err = makeHome(dir); err != nil {
		return "", nil, err
	}
	if !inMemory(string(h)) {
		if missing != nil {
			_ = os.Remove(string(h))
		}
		return "", nil, errOnDisk
	}
	leave = func() {}
	if missing != nil || o.home == "" {
		leave = func() { _ = os.Remove(string(h)) }
	}
	return h, leave, nil
}

// homes lists where engines that this user's commands mean may run.
func (o *options) homes() []string {
	if o.home != "" {
		return []string{o.home}
	}
	var dirs []string
	if own, err := os.UserHomeDir(); err == nil {
		dirs = append(dirs, filepath.Join(own, ".nightjar"))
	}
	if dir := memoryDir(); dir != "" {
		if info, err := os.Stat(dir); err == nil && private(info) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// client returns a client of the engine that --as names, or of the only one that runs.
func (o *options) client(ctx context.Context) (*control.Client, error) {
	return control.Choose(control.Running(ctx, o.homes()...), o.as)
}
