// The vault on disk: whole reads, and writes that are done entirely or not at all.

package keystore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"nightjar/keystore/host"
)

// vault is the file and what one attempt to open it costs.
type vault struct {
	path string
	cost cost

	// volatile says that there is no file: the identity's slot is in its handle and nowhere else.
	volatile bool

	// fault, if set, is asked before each step of a write and stops it with an error, as a
	// crash or a full disk would. Only tests set it.
	fault func(step string) error
}

// at returns the vault at path. A symbolic link is followed now, so that a write replaces the
// file and not the link.
func at(path string, c cost) vault {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return vault{path: path, cost: c}
}

func (v vault) lockPath() string { return v.path + ".lock" }
func (v vault) tempPath() string { return v.path + ".tmp" }

// openFile opens the vault for reading: ErrNoVault if there is none, ErrDamaged if it has not
// the size that every vault has. Writes replace the file in one step, so an open one stays as
// it is, and reading needs no lock.
func (v vault) openFile() (*os.File, error) {
	info, err := os.Stat(v.path) // before it is opened: a pipe would keep us waiting
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoVault
	}
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", bare(err))
	}
	if !info.Mode().IsRegular() {
		return nil, ErrDamaged
	}
	f, err := os.Open(v.path)
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", bare(err))
	}
	if info, err = f.Stat(); err == nil && info.Size() == fileSize {
		return f, nil
	}
	_ = f.Close()
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", bare(err))
	}
	return nil, ErrDamaged
}

// read returns the first n bytes of the vault.
func (v vault) read(n int) ([]byte, error) {
	f, err := v.openFile()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, n)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, fmt.Errorf("read vault: %w", bare(err))
	}
	return b, nil
}

// update lets change alter the vault and returns when the new vault is safely on disk. Writers
// in this and other programs take turns. After an error of the write itself the disk holds the
// old or the new vault, never a mixture.
func (v vault) update(change func(file []byte) error) error { return v.begin(nil, change) }

// begin is update for a vault that need not be there: if it is not, first is changed in its place
// and becomes the vault.
func (v vault) begin(first []byte, change func(file []byte) error) error {
	return v.locked(func() error {
		file, err := v.read(fileSize)
		if first != nil && errors.Is(err, ErrNoVault) {
			file, err = first, nil
		}
		if err != nil {
			return err
		}
		if err := change(file); err != nil {
			return err
		}
		return v.write(file)
	})
}

// locked runs f while holding the lock, which is a file beside the vault: the vault itself is
// replaced at each write and cannot carry it. The lock file is empty and is never removed.
func (v vault) locked(f func() error) error {
	l, err := os.OpenFile(v.lockPath(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock vault: %w", bare(err))
	}
	defer l.Close()
	if err := host.Lock(l); err != nil {
		return fmt.Errorf("lock vault: %w", bare(err))
	}
	return f()
}

// clean removes what a crash in the middle of a write left behind: an earlier or later state of
// the vault, which beside the vault itself would show which slot changed. What cannot be
// cleaned, on a medium that is read-only, does no harm to opening.
func (v vault) clean() {
	if _, err := os.Lstat(v.tempPath()); err != nil {
		return
	}
	_ = v.locked(func() error { return os.Remove(v.tempPath()) })
}

// write replaces the vault: a whole new file, synced, renamed over the old one, and the
// directory synced, so that the name is as durable as the bytes. The caller holds the lock.
func (v vault) write(file []byte) (err error) {
	defer func() {
		if err != nil {
			_ = os.Remove(v.tempPath())
			err = fmt.Errorf("write vault: %w", bare(err))
		}
	}()
	for _, s := range []struct {
		name string
		do   func() error
	}{
		{"write", func() error { return writeSynced(v.tempPath(), file) }},
		{"rename", func() error { return os.Rename(v.tempPath(), v.path) }},
		{"sync directory", func() error { return host.SyncDir(filepath.Dir(v.path)) }},
	} {
		if v.fault != nil {
			if err := v.fault(s.name); err != nil {
				return err
			}
		}
		if err := s.do(); err != nil {
			return err
		}
	}
	return nil
}

// writeSynced makes a new file with these bytes, on disk when it returns.
func writeSynced(path string, b []byte) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// bare strips an error of the file's path, which may name a person, and keeps the cause.
func bare(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
