// The seats of a home: each engine that runs there listens on one.

package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"nightjar/cmd/control/api"
)

// Seats is how many engines can run in one home at a time: as many as a vault has identities.
const Seats = 16

// introduceTime is the longest that an engine may take to say who it is.
const introduceTime = 3 * time.Second

// Errors of choosing among the engines of a home.
var (
	ErrSeats     = errors.New("every seat of this home is taken")
	ErrNotOpen   = errors.New("no identity of that name is open here")
	ErrAmbiguous = errors.New("several identities are open here")
	ErrSilent    = errors.New("an engine that runs here does not say who it is")
)

// seat is the name of the i-th control socket of a home. It says nothing of who sits there: the
// first to come gets the first.
func seat(dir string, i int) string {
	if i == 0 {
		return filepath.Join(dir, "control")
	}
	return filepath.Join(dir, fmt.Sprintf("control-%d", i+1))
}

// A Dial connects to the control socket at a path. An engine that cannot connect anywhere by itself
// is given one; nil means that this process connects.
type Dial func(path string) (net.Conn, error)

func (d Dial) to(path string) (net.Conn, error) {
	if d == nil {
		return dial(path)
	}
	return d(path)
}

// Claim opens the control socket of the first free seat of a home, with mode 0600; ErrSeats when
// there is none. Sockets that killed engines left are removed: their number would tell how many
// identities were open at once.
func Claim(dir string, d Dial) (net.Listener, error) {
	release, err := exclude(dir)
	if err != nil {
		return nil, err
	}
	defer release()
	free := ""
	for i := Seats - 1; i >= 0; i-- {
		if name := seat(dir, i); !d.taken(name) {
			_ = os.Remove(name)
			free = name
		}
	}
	if free == "" {
		return nil, ErrSeats
	}
	return listen(free)
}

// taken reports whether an engine listens at path. Only what the kernel says when nobody does
// counts as no: whoever cannot be asked, for want of descriptors or of time, may be there.
func (d Dial) taken(path string) bool {
	c, err := d.to(path)
	if err == nil {
		_ = c.Close()
		return true
	}
	return !errors.Is(err, ErrNoEngine) && !errors.Is(err, syscall.ECONNREFUSED) &&
		!errors.Is(err, fs.ErrNotExist)
}

// An Engaged is an engine that runs, and who it says it is.
type Engaged struct {
	Client *Client
	api.Identity
	silent bool // it did not say who it is
}

// Running lists the engines of some homes.
func Running(ctx context.Context, dirs ...string) []Engaged {
	return Dial(nil).running(ctx, dirs)
}

func (d Dial) running(ctx context.Context, dirs []string) (list []Engaged) {
	for _, dir := range dirs {
		for i := range Seats {
			if _, err := os.Lstat(seat(dir, i)); err != nil || !d.taken(seat(dir, i)) {
				continue
			}
			e := Engaged{Client: newClient(seat(dir, i), d)}
			ask, cancel := context.WithTimeout(ctx, introduceTime)
			err := e.Client.Do(ask, http.MethodGet, "/v1/identity", nil, &e.Identity)
			e.silent = err != nil
			cancel()
			list = append(list, e)
		}
	}
	return list
}

// Beside counts the engines of a home, besides that of one address, that have opened an identity or
// are about to.
func Beside(ctx context.Context, dir, address string, by Dial) (n int) {
	for _, e := range by.running(ctx, []string{dir}) {
		if e.Address != address && (e.Role == api.RoleEngine || e.silent) {
			n++
		}
	}
	return n
}

// named reports whether somebody means this engine by its name or the beginning of its address.
func (e Engaged) named(as string) bool {
	return strings.EqualFold(e.Name, as) ||
		e.Address != "" && strings.HasPrefix(e.Address, strings.ToLower(as))
}

// Choose picks the engine of one identity: by its own name, or by the beginning of its address; or
// the only one there is, when as is "". It returns ErrNoEngine, ErrNotOpen or ErrAmbiguous.
// An engine that has not opened its identity yet, or that is at work on something else than one
// (a gateway), is chosen only when there is no other.
func Choose(list []Engaged, as string) (*Client, error) {
	if len(list) == 0 {
		return nil, ErrNoEngine
	}
	var match, open []Engaged
	for _, e := range list {
		if as != "" && e.named(as) {
			match = append(match, e)
		}
		if e.Role == api.RoleEngine {
			open = append(open, e)
		}
	}
	switch {
	case as != "" && len(match) == 0:
		return nil, ErrNotOpen
	case as == "" && len(open) > 0:
		match = open
	case as == "":
		match = list
	}
	if len(match) > 1 {
		return nil, ErrAmbiguous
	}
	return match[0].Client, nil
}

// Introduce says on a door who has been opened behind it, unless that identity is open in another
// engine of the home already: then it returns ErrTaken. Of two engines that open one identity at
// the same moment only one passes; ErrSilent while one does not answer, as it may be the same.
func (d *Door) Introduce(ctx context.Context, id api.Identity, dir string, by Dial) error {
	release, err := exclude(dir)
	if err != nil {
		return err
	}
	defer release()
	for _, e := range by.running(ctx, []string{dir}) {
		if e.Address == id.Address {
			return ErrTaken
		}
		if e.silent {
			return ErrSilent
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.identity = id
	return nil
}
