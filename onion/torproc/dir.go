// The runtime directory: readable by its user alone, wiped at the end. One that a killed program
// left behind is recognized by its lock, and wiped by the next.

package torproc

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	dirPrefix = "nightjar-tor-"
	// socketPath is how long the name of a unix socket may be: 103 bytes everywhere.
	socketPath = 100
)

// A directory is the place of one tor's files.
type directory struct {
	path string
	lock *os.File
}

// MakeDirectory makes a directory below parent ("" means os.TempDir) for those of several tors, and
// wipes what killed programs left there. Wipe removes it with all that is in it. Errors are
// ErrDirectory.
func MakeDirectory(parent string) (path string, wipe func() error, err error) {
	d, err := makeLocked(parent)
	if err != nil {
		return "", nil, err
	}
	return d.path, d.wipe, nil
}

// makeLocked makes a directory below parent, after wiping those that nobody uses any more.
func makeLocked(parent string) (*directory, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	parent, err := filepath.Abs(parent)
	if err != nil {
		return nil, ErrDirectory
	}
	wipeStale(parent)
	path, err := os.MkdirTemp(parent, dirPrefix)
	if err != nil {
		return nil, ErrDirectory
	}
	d := &directory{path: path}
	// It gets its name when it is locked: others take a directory whose lock is free for one that
	// nobody uses any more.
	if d.lock, err = lockFile(d.file("locking")); err == nil {
		err = os.Rename(d.file("locking"), d.file("lock"))
	}
	if err != nil {
		os.RemoveAll(path)
		return nil, ErrDirectory
	}
	return d, nil
}

// makeDirectory makes the directory of one tor.
func makeDirectory(parent string) (*directory, error) {
	d, err := makeLocked(parent)
	if err != nil {
		return nil, err
	}
	for _, sub := range []string{"data", "s"} {
		if err := os.Mkdir(d.file(sub), 0o700); err != nil {
			d.wipe()
			return nil, ErrDirectory
		}
	}
	if len(d.socket("socks")) > socketPath {
		d.wipe()
		return nil, ErrDirectory
	}
	return d, nil
}

func (d *directory) file(name string) string   { return filepath.Join(d.path, name) }
func (d *directory) socket(name string) string { return socketIn(d.path, name) }

func socketIn(dir, name string) string { return filepath.Join(dir, "s", name) }
func stateIn(dir string) string        { return filepath.Join(dir, "data", "state") }

// wipe removes the directory, and gives up its lock.
func (d *directory) wipe() error {
	err := wipeTree(d.path)
	d.lock.Close()
	return err
}

// wipeTree overwrites the files of a tree and removes it. On flash memory and on file systems that
// copy on write, the old bytes may outlive this; in a directory in memory they do not.
func wipeTree(path string) error {
	filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			overwrite(name)
		}
		return nil
	})
	if err := os.RemoveAll(path); err != nil {
		return ErrDirectory
	}
	return nil
}

func overwrite(name string) {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return
	}
	zeros := make([]byte, 64<<10)
	for left := info.Size(); left > 0; left -= int64(len(zeros)) {
		if _, err := f.Write(zeros[:min(left, int64(len(zeros)))]); err != nil {
			return
		}
	}
	f.Sync()
}

// wipeStale wipes what killed programs of this user left. One without a lock file is being made at
// this moment, or is not ours to judge.
func wipeStale(parent string) {
	found, _ := filepath.Glob(filepath.Join(parent, dirPrefix+"*"))
	for _, path := range found {
		name := filepath.Join(path, "lock")
		if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() || !ownedByUs(info) {
			continue
		}
		if f, err := lockFile(name); err == nil {
			wipeTree(path)
			f.Close()
		}
	}
}

var errLocked = errors.New("in use")
