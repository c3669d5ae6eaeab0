// Errors of this process as codes for programs.

package main

import (
	"errors"
	"slices"

	"nightjar/cmd/control"
	"nightjar/cmd/control/disk"
	"nightjar/cmd/warden"
	"nightjar/keystore"
	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/onion"
	"nightjar/onion/bridge"
	"nightjar/onion/lan"
	"nightjar/onion/torproc"
	"nightjar/sip"
)

// code is the code of an error: the engine's own if it is the engine's, else one of codes. What has
// none is "failed". Codes are never changed; docs/api.md lists them.
func code(err error) control.Code {
	var refused *control.Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	var words *keystore.WordsError
	if errors.As(err, &words) {
		return "bad-words"
	}
	for _, e := range []error{err, disk.Cause(err)} {
		for _, known := range codes() {
			if errors.Is(e, known.is) {
				return known.code
			}
		}
	}
	return "failed"
}

// A coded error is one with a code. The first that fits counts.
type coded struct {
	is   error
	code control.Code
}

func codes() []coded {
	return append(slices.Concat(codesOfTor(), codesOfCards(), codesOfWays()), []coded{
		{control.ErrNoEngine, "no-engine"},
		{control.ErrTaken, "already-open"},
		{control.ErrSeats, "too-many-open"},
		{control.ErrSilent, "engine-silent"},
		{control.ErrNotOpen, "not-open"},
		{control.ErrAmbiguous, "ambiguous"},
		{errLocking, "timeout"},
		{control.ErrTimeout, "timeout"},
		{keystore.ErrNoVault, "no-vault"},
		{keystore.ErrPassword, "wrong-password"},
		{keystore.ErrExport, "wrong-password"},
		{keystore.ErrDamaged, "vault-damaged"},
		{keystore.ErrNotExport, "not-export"},
		{keystore.ErrExists, "password-taken"},
		{errVaultExists, "vault-exists"},
		{errInUse, "in-use"},
		{errForever, "unconfirmed"},
		{errFile, "bad-file"},
		{errBundle, "bad-file"},
		{errRoots, "bad-file"},
		{errExport, "bad-file"},
		{errTorrc, "bad-file"},
		{errPicture, "bad-file"},
		{errCodename, "not-retyped"},
		{errRetype, "not-retyped"},
		{errNoScreen, "no-terminal"},
		{errNoTerminal, "no-terminal"},
		{errOutput, "no-output"},
		{errInput, "no-input"},
		{errOnDisk, "bad-home"},
		{errNoMemory, "bad-home"},
		{errHome, "bad-home"},
		{errNoNodes, "bad-node"},
		{errServe, "bad-node"},
		{errUnseen, "unconfirmed"},
		{errNoNeighbours, "no-neighbours"},
		{lan.ErrNoLAN, "no-lan"},
		{errNode, "bad-node"},
		{errUnsealed, "unsealed"},
		{errAstray, "unsealed"},
		{warden.ErrEngine, "no-start"},
		{warden.ErrOrder, "no-start"},
		{errNoAudit, "no-audit"},
		{errAuditStart, "no-audit"},
		{sip.ErrListen, "port-taken"},
		{sip.ErrNotLoopback, "not-loopback"},
		{disk.ErrFull, "disk-full"},
		{disk.ErrReadOnly, "disk-read-only"},
		{disk.ErrDenied, "disk-denied"},
		{disk.ErrBroken, "disk-broken"},
	}...)
}

// codesOfCards are those that the engine gives too.
func codesOfCards() []coded {
	return []coded{
		{book.ErrVersion, "vault-version"},
		{book.ErrDamaged, "vault-damaged"},
		{book.ErrBridge, "unknown-bridge"},
		{card.ErrVersion, "card-version"},
		{card.ErrSignature, "card-signature"},
		{card.ErrSize, "card-size"},
		{card.ErrAddress, "card-address"},
		{card.ErrGateway, "bad-gateway"},
		{card.ErrText, "bad-greeting"},
		{card.ErrRelay, "bad-relay"},
		{card.ErrCard, "card-damaged"},
	}
}

// codesOfTor are those of tor and the ways into its network.
func codesOfTor() []coded {
	return []coded{
		{bridge.ErrLine, "bad-bridge"},
		{bridge.ErrWeak, "weak-bridge"},
		{bridge.ErrNoObfs4, "no-transport"},
		{bridge.ErrNoSnowflake, "no-transport"},
		{bridge.ErrNoWebtunnel, "no-transport"},
		{errNoBridge, "no-bridge"},
		{errTrial, "bridges-fail"},
		{torproc.ErrRefused, "tor-refused"},
		{torproc.ErrClock, "tor-clock"},
		{torproc.ErrNoNetwork, "tor-no-network"},
		{torproc.ErrBlocked, "tor-blocked"},
		{torproc.ErrTransport, "tor-transport"},
		{torproc.ErrSlow, "tor-slow"},
		{torproc.ErrAuth, "tor-auth"},
		{torproc.ErrNoSocks, "tor-away"},
		{torproc.ErrAway, "tor-away"},
		{torproc.ErrFiltered, "tor-filtered"},
		{torproc.ErrDirectory, "no-room-for-tor"},
		{onion.ErrTorMissing, "tor-missing"},
		{onion.ErrTorOld, "tor-old"},
		{onion.ErrTorDied, "tor-died"},
		{onion.ErrNotBootstrapped, "tor-not-in"},
		{onion.ErrTorOption, "tor-option"},
	}
}
