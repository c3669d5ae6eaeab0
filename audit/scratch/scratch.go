// Package scratch makes directories for plays. A lock in each tells those in use from those of
// killed programs, which the next play clears away. It does not know what is in them.
package scratch

import (
	"os"
	"path/filepath"
	"syscall"
)

// Directory makes a directory that only we can read below parent ("" means os.TempDir), and removes
// those of killed programs whose names begin alike. Remove removes it.
func Directory(parent, prefix string) (dir string, remove func() error, err error) {
	if parent == "" {
		parent = os.TempDir()
	}
	clearStale(parent, prefix)
	if dir, err = os.MkdirTemp(parent, prefix); err != nil {
		return "", nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		os.RemoveAll(dir)
		return "", nil, err
	}
	return dir, func() error {
		defer lock.Close()
		return os.RemoveAll(dir)
	}, nil
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

// clearStale removes the directories of programs that are gone. A directory without a lock file is
// one that is being made at this moment.
func clearStale(parent, prefix string) {
	found, _ := filepath.Glob(filepath.Join(parent, prefix+"*"))
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
