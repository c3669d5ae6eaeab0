// What to do next when tor, or the way into its network, fails.

package main

import (
	"nightjar/node/book"
	"nightjar/onion"
	"nightjar/onion/bridge"
	"nightjar/onion/torproc"
)

// A nextStep is what to do after an error.
type nextStep struct {
	is   error
	next string
}

// torHints are the next steps after an error of tor.
func torHints() []nextStep {
	return []nextStep{
		{book.ErrBridge, "see which are: nightjar bridge list; add one: nightjar bridge add LINE"},
		{bridge.ErrLine, "copy the whole line again; obfs4, snowflake, webtunnel and " +
			"meek_lite can be used"},
		{bridge.ErrWeak, "ask for the whole line, with the fingerprint and cert="},
		{bridge.ErrNoObfs4, "apt-get install obfs4proxy"},
		{bridge.ErrNoSnowflake, "apt-get install snowflake-client"},
		{bridge.ErrNoWebtunnel, "put webtunnel-client or lyrebird into /usr/local/bin"},
		{errNoBridge, "add one: nightjar bridge add LINE; or allow it: nightjar bridge only off"},
		{errTrial, "forget those that do not: nightjar bridge remove NUMBER; ask a friend for " +
			"another"},
		{torproc.ErrRefused, "see that its line is whole; if it is, ask a friend for another"},
		{torproc.ErrClock, "set this machine's clock, its date and its time zone, and start again"},
		{torproc.ErrNoNetwork, "connect this machine, and start again"},
		{torproc.ErrBlocked, "see that this machine's date is right; then ask a friend for a " +
			"bridge line: nightjar bridge add LINE"},
		{torproc.ErrTransport, "install the bridge's program anew, or try another bridge: " +
			"nightjar bridge test"},
		{torproc.ErrSlow, "the network is slow or disturbed: try again, or a bridge"},
		{torproc.ErrCookie, "add this user to the tor's group (Debian: debian-tor), log in " +
			"again, and set CookieAuthFileGroupReadable 1 in its torrc"},
		{torproc.ErrPassword, "give a file with the password that its HashedControlPassword is " +
			"of: --tor-password FILE"},
		{torproc.ErrAuth, "add this user to the tor's group (Debian: debian-tor), and " +
			"log in again"},
		{torproc.ErrNoSocks, "name the SOCKS socket of that tor (SocksPort in its torrc): " +
			"--tor-socks unix:/run/tor/socks or 127.0.0.1:9050"},
		{torproc.ErrFiltered, "let its filter (onion-grater) pass what docs/existing-tor.md " +
			"lists, or use a tor of your own: nightjar up"},
		{torproc.ErrAway, "start that tor, or name its sockets as they are in its settings"},
		{onion.ErrTorMissing, "install it: apt-get install tor; or name the program: --tor FILE"},
		{onion.ErrTorOld, "install tor 0.4.9.11 or later; older ones have known holes"},
		{onion.ErrTorDied, "nothing was sent by another way; start again: nightjar up"},
		{onion.ErrNotBootstrapped, "this network may block tor, or there is none; ask a friend " +
			"for a bridge line: nightjar bridge add LINE"},
		{onion.ErrTorOption, "remove that line from the file given with --torrc"},
	}
}
