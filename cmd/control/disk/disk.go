// Package disk says in words why a disk does not take what is written to it. It does not know what
// that is.
package disk

import (
	"errors"
	"syscall"
)

// What can be wrong with the disk that a home is on. Whoever gets one of these has changed nothing.
var (
	ErrFull     = errors.New("the disk is full, or your share of it")
	ErrReadOnly = errors.New("the disk is read-only")
	ErrDenied   = errors.New("this user may not write there, or not read")
	ErrBroken   = errors.New("the disk does not work")
)

// Cause is what is wrong with the disk, by what the system says of it; nil for any other error.
func Cause(err error) error {
	for _, d := range []struct {
		says syscall.Errno
		is   error
	}{
		{syscall.ENOSPC, ErrFull}, {syscall.EDQUOT, ErrFull}, {syscall.EROFS, ErrReadOnly},
		{syscall.EACCES, ErrDenied}, {syscall.EPERM, ErrDenied}, {syscall.EIO, ErrBroken},
	} {
		if errors.Is(err, d.says) {
			return d.is
		}
	}
	return nil
}
