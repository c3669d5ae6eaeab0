// What can be wrong with a tor process.

package torproc

import (
	"errors"
	"fmt"

	"nightjar/onion/torconf"
)

var (
	// ErrMissing means that no tor program was found.
	ErrMissing = errors.New("the program tor is missing")
	// ErrOld means that the tor program is older than torconf.MinVersion.
	ErrOld = errors.New("the program tor is too old")
	// ErrDied means that the tor process is gone, or did not answer and was ended.
	ErrDied = errors.New("tor has ended")
	// ErrUnsafe means that tor reports settings under which it would not hide its user, or
	// sockets besides the one that it was told to open.
	ErrUnsafe = errors.New("tor would not hide its user")
	// ErrOption means an option that is not on the list of allowed ones, or that tor refused.
	ErrOption = torconf.ErrOption
	// ErrNotBootstrapped means that tor did not reach its network in time.
	ErrNotBootstrapped = errors.New("tor has not reached its network")
	// ErrClock means that tor says the machine's clock is wrong: no relay list is valid by it.
	ErrClock = errors.New("this machine's clock is wrong")
	// ErrBlocked means that no relay or bridge answers, though there is a network: it may block
	// them. A clock that is days ahead looks the same.
	ErrBlocked = errors.New("no relay answers: this network may block tor")
	// ErrRefused means that nobody takes a connection where a relay or bridge should be.
	ErrRefused = errors.New("every connection is refused at once: nobody is there")
	// ErrNoNetwork means that the machine has no way to send anything.
	ErrNoNetwork = errors.New("this machine has no network")
	// ErrTransport means that the program that speaks a bridge's transport does not work.
	ErrTransport = errors.New("the bridge's transport program does not work")
	// ErrSlow means that tor did not get on, though relays answer.
	ErrSlow = errors.New("relays answer, and then nothing comes")
	// ErrAuth means that an existing tor does not let this user control it.
	ErrAuth = errors.New("tor does not let this user control it")
	// ErrCookie means that this user cannot read the cookie that it wants. It wraps ErrAuth.
	ErrCookie = fmt.Errorf("%w: its cookie cannot be read", ErrAuth)
	// ErrPassword means that it wants a password, and was given none or another. It wraps ErrAuth.
	ErrPassword = fmt.Errorf("%w: it wants another password", ErrAuth)
	// ErrAway means that nothing listens where an existing tor should, or a user that is no tor's.
	ErrAway = errors.New("no tor listens there")
	// ErrNoExits means that tor was not told to let streams leave the network.
	ErrNoExits = errors.New("nothing may leave the tor network here")
	// ErrNoSocks means that nothing listens where its SOCKS socket should.
	ErrNoSocks = errors.New("no SOCKS socket of that tor is there")
	// ErrCommand means that tor refused a control command.
	ErrCommand = errors.New("tor refused a command")
	// ErrFiltered means that a filter before an existing tor refused one (onion-grater, in Tails
	// and Whonix). It wraps ErrCommand.
	ErrFiltered = fmt.Errorf("%w: a filter stands before it", ErrCommand)

	// errStranger is a socket of a user that no tor runs as.
	errStranger = fmt.Errorf("%w: another user does", ErrAway)
	// errTwo is a SOCKS socket that is not of the tor with that control socket.
	errTwo = fmt.Errorf("%w: its SOCKS socket is another", ErrUnsafe)
	// ErrDirectory means a runtime directory that cannot be made, or whose name is too long for a
	// unix socket in it.
	ErrDirectory = errors.New("no directory for tor")
)
