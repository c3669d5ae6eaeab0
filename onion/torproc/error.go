// What can be wrong with a tor process.
package torproc

import "errors"

var (
	// ErrMissing means that no tor program was found.
	ErrMissing = errors.New("the program tor is missing")
	// ErrOld means that the tor program is older than MinVersion.
	ErrOld = errors.New("the program tor is too old")
	// ErrDied means that the tor process is gone.
	ErrDied = errors.New("tor has ended")
	// ErrUnsafe means that tor reports settings under which it would not hide its user, or
	// sockets besides the one that we asked for.
	ErrUnsafe = errors.New("tor would not hide its user")
	// ErrOption means an option that is not on the list of allowed ones, or that tor refused.
	ErrOption = errors.New("tor option refused")
	// ErrNotBootstrapped means that tor did not reach its network in time.
	ErrNotBootstrapped = errors.New("tor has not reached its network")
	// ErrCommand means that tor refused a control command.
	ErrCommand = errors.New("tor refused a command")
	// ErrPathLong means that the runtime directory's name is too long for a unix socket in it.
	ErrPathLong = errors.New("the directory's name is too long")
)
