// A network's directory. A lock in it tells the ones in use from those of killed programs, which
// the next network clears away.

package tornet

import (
	"os"
	"path/filepath"
	"syscall"
)

const dirPrefix = "nightjar-tornet-"

// makeDir makes a directory that only we can read, and locks it.
func makeDir(parent string) (dir string, lock *os.File, err error) {
	if parent == "" {
		parent = os.TempDir()
	}
	clearStale(parent)
	if dir, err = os.MkdirTemp(parent, dirPrefix); err != nil {
		return "", nil, err
	}
	if lock, err = lockDir(dir); err != nil {
		os.RemoveAll(dir)
		return "", nil, err
	}
	return dir, lock, nil
}

// lockDir takes the lock of a directory. The lock ends with the process; children do not inherit
// it.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// clearStale removes the directories of networks whose program is gone. A directory without a lock
// file is one that is being made at this moment.
func clearStale(parent string) {
	found, _ := filepath.Glob(filepath.Join(parent, dirPrefix+"*"))
	for _, dir := range found {
		if _, err := os.Stat(filepath.Join(dir, "lock")); err != nil {
			continue
		}
		if f, err := lockDir(dir); err == nil {
			os.RemoveAll(dir)
			f.Close()
		}
	}
}
