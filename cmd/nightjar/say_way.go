// What to do next when a way out is not chosen well, or cannot be opened.

package main

import (
	"errors"

	"nightjar/onion/exposure"
	"nightjar/onion/native"
	"nightjar/onion/socks5"
	"nightjar/onion/ways"
	"nightjar/onion/wg"
	"nightjar/onion/wgconf"
)

// errWayShut is every failure to open a way out other than tor.
var errWayShut = errors.New("the way out cannot be opened")

// A wayError is such a failure, with its reason.
type wayError struct{ error }

// Is makes a wayError an errWayShut.
func (e wayError) Is(target error) bool { return target == errWayShut }

// Unwrap returns the reason.
func (e wayError) Unwrap() error { return e.error }

// pathForms lists what can be typed.
const pathForms = "one of: --path tor, tor-over-vpn:FILE, vpn:FILE, socks:ADDRESS:PORT, " +
	"device:NAME; what each hides: nightjar help up"

// wayHints are the next steps after an error of a way out.
func wayHints() []nextStep {
	return []nextStep{
		{ways.ErrChoice, pathForms},
		{ways.ErrWord, "it shows every contact where you are; if you mean that, type it all: " +
			"--path " + exposure.Direct.String()},
		{ways.ErrHostName, "write its address there: --path socks:192.0.2.1:1080"},
		{wgconf.ErrHostName, "write the address there; ask the VPN's operator for it, or look it " +
			"up once where that does not matter"},
		{wgconf.ErrCommand, "take out PreUp, PostUp, PreDown and PostDown: here nothing of the " +
			"system is changed, so that nothing has to be set up"},
		{wgconf.ErrUnknown, "take out that line, if the VPN works without it"},
		{wgconf.ErrTwice, "leave one [Interface] and one [Peer], and each key once"},
		{wgconf.ErrMissing, "ask the VPN's operator for the whole file: PrivateKey, Address, " +
			"PublicKey, Endpoint and AllowedIPs are needed"},
		{wgconf.ErrValue, "copy the whole file again, as the VPN's operator hands it out"},
		{ways.ErrBridge, "use obfs4 or one without a transport; see which are known: " +
			"nightjar bridge list; take it out: nightjar bridge remove NUMBER"},
		{errWayFile, "check the name; it is an ordinary file of this user: chmod 600 FILE"},
		{errWayHome, "move it out of the home directory of nightjar, where only you can write"},
		{errPath, "if you mean it, say so: --change-path; who saw you on both can put the two " +
			"together"},
		{errTrialWay, "nothing was sent; by tor-over-vpn bridges are tried as it starts, through " +
			"the VPN: nightjar up --path tor-over-vpn:FILE"},
		{errWayLost, "nothing was sent by another way; bring it back, and start again: " +
			"nightjar up"},
		{wg.ErrSilent, "see that this machine is connected and that the file is still good; " +
			"nothing was sent by another way"},
		{socks5.ErrDenied, "give its user: --socks-user NAME, and its password when asked"},
		{socks5.ErrProtocol, "see that a SOCKS5 proxy listens there; HTTP proxies cannot be used"},
		{socks5.ErrLogin, "user and password have 1 to 255 bytes each, or there is neither"},
		{native.ErrDevice, "see which interfaces there are: ip link; bring yours up and try again"},
		{native.ErrNoBinding, "use Linux for this, or another path: nightjar help up"},
		{errWayShut, "nothing was sent by another way; see that this machine is connected, and " +
			"that what you named is there"},
	}
}

// codesOfWays are those of ways out.
func codesOfWays() []coded {
	out := []coded{{errPath, "path-change"}, {errWayLost, "path-lost"}, {errWayFile, "bad-file"},
		{errWayHome, "bad-file"}, {errTrialWay, "path-change"}}
	for _, is := range []error{ways.ErrChoice, ways.ErrWord, ways.ErrHostName, ways.ErrBridge,
		socks5.ErrLogin} {
		out = append(out, coded{is, "bad-path"})
	}
	for _, is := range []error{wgconf.ErrHostName, wgconf.ErrCommand, wgconf.ErrUnknown,
		wgconf.ErrTwice, wgconf.ErrMissing, wgconf.ErrValue} {
		out = append(out, coded{is, "bad-vpn"})
	}
	for _, is := range []error{wg.ErrSilent, socks5.ErrDenied, socks5.ErrProtocol,
		native.ErrDevice, native.ErrNoBinding, errWayShut} {
		out = append(out, coded{is, "path-shut"})
	}
	return out
}
