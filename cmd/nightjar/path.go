// The way out that a user chooses: what was typed, and what can be refused before any password is
// asked.

package main

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"nightjar/cmd/warden"
	"nightjar/onion"
	"nightjar/onion/exposure"
	"nightjar/onion/ways"
	"nightjar/onion/wgconf"
)

// Errors of choosing a way out.
var (
	errWayFile = errors.New("the file of the VPN, or of the proxy's password, cannot be read")
	errWayHome = errors.New("the file of the VPN is where the engine can change it")
	errWayLost = errors.New("the way out is gone")
)

// pathFlags are the flags that choose a way out.
type pathFlags struct {
	choice   *string
	change   *bool
	user     *string
	password *string // the file with the password of the proxy
	private  *bool   // addresses that are not on the Internet may be sent to
}

func (o *options) pathFlags() pathFlags {
	return pathFlags{choice: o.set.String("path", exposure.Tor.String(), ""),
		change:   o.set.Bool("change-path", false, ""),
		user:     o.set.String("socks-user", "", ""),
		password: o.set.String("socks-password-file", "", ""),
		private:  o.set.Bool("allow-private-addresses", false, "")}
}

// A route is a way out that was chosen, and what belongs to it. No secret is in it.
type route struct {
	ways.Choice
	pathFlags
	to netip.AddrPort // the VPN's endpoint, or the proxy
}

// torAlone is the route of what can go by tor only.
func torAlone() route { return route{Choice: ways.Choice{Way: exposure.Tor}} }

// route reads what was typed, and the file that it names: what is wrong with them is said at once.
func (f pathFlags) route(p place, tor torFlags) (r route, err error) {
	r.pathFlags = f
	if r.Choice, err = ways.Parse(*f.choice); err != nil {
		return r, err
	}
	if err := r.fits(tor); err != nil {
		return r, err
	}
	switch r.Way {
	case exposure.VPN, exposure.TorOverVPN:
		if within(string(p.home), r.Of) {
			return r, errWayHome
		}
		file, err := readFile(r.Of, wgconf.MaxFile)
		if err != nil {
			return r, err
		}
		defer clear(file)
		r.to, err = wgconf.Endpoint(file)
		return r, err
	case exposure.SOCKS:
		r.to, err = netip.ParseAddrPort(r.Of)
		if err == nil && *f.password != "" {
			_, err = readFile(*f.password, maxWord)
		}
		return r, err
	}
	return r, nil
}

// fits refuses flags that would silently do nothing on the chosen way.
func (r route) fits(tor torFlags) error {
	switch {
	case r.Way != exposure.SOCKS && (*r.user != "" || *r.password != ""):
		return usageError{"--socks-user and --socks-password-file are for --path socks:..."}
	case *r.password != "" && *r.user == "":
		return usageError{"--socks-password-file needs --socks-user"}
	case *r.private && (r.Way == exposure.Tor || r.Way == exposure.TorOverVPN):
		return usageError{"--allow-private-addresses is for ways out that lead to addresses"}
	case r.Way == exposure.TorOverVPN && tor.existing() != nil:
		return usageError{"a tor that runs already has its own way out: --path tor"}
	case r.Way != exposure.Tor && r.Way != exposure.TorOverVPN && tor.given():
		return usageError{"tor has no part in this path: leave out its flags"}
	}
	return nil
}

// given reports whether anything was said of tor.
func (f torFlags) given() bool {
	return *f.exe != "" || *f.torrc != "" || *f.word != "" || f.existing() != nil ||
		f.exits.allowed()
}

// files lists what the engine has to read.
func (r route) files() (names []string) {
	if r.Way == exposure.VPN || r.Way == exposure.TorOverVPN {
		names = append(names, r.Of)
	}
	if r.password != nil && *r.password != "" {
		names = append(names, *r.password)
	}
	return names
}

// way is what a warden is told of the route: it opens sockets for it, and for nothing else.
func (r route) way() warden.Way {
	w := warden.Way{Kind: r.Way, To: r.to}
	switch r.Way {
	case exposure.Device:
		w.Name = r.Of
	case exposure.Direct:
		w.Word = *r.choice
	}
	return w
}

// agrees refuses options of tor that would send it by another proxy than the route's, or past it.
func (r route) agrees(lines []string) error {
	for _, line := range lines {
		name, _, _ := strings.Cut(strings.ToLower(line), " ")
		if r.Way == exposure.TorOverVPN && strings.Contains(name, "proxy") {
			return onion.ErrTorOption
		}
	}
	if r.Way == exposure.TorOverVPN {
		return ways.CheckBridges(lines)
	}
	return nil
}

// maxWord is more than a proxy's password has, in bytes.
const maxWord = 1024

// readFile reads a file of at most limit bytes: an ordinary one, since a pipe could be waited for.
// What it returns is the only copy, for the caller to wipe.
func readFile(name string, limit int64) ([]byte, error) {
	st, err := os.Stat(name)
	if err != nil || !st.Mode().IsRegular() || st.Size() > limit {
		return nil, errWayFile
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, errWayFile
	}
	defer f.Close()
	b := make([]byte, st.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		clear(b)
		return nil, errWayFile
	}
	return b, nil
}

// within reports whether a file is in a directory, by whatever name.
func within(dir, file string) bool {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return false // it cannot be read either
	}
	if real, err = filepath.Abs(real); err != nil {
		return true
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return true
	}
	if there, err := filepath.EvalSymlinks(dir); err == nil {
		dir = there
	}
	rel, err := filepath.Rel(dir, real)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
