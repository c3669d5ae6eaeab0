// What to do next, for everything that can go wrong.

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
	"nightjar/onion/lan"
	"nightjar/onion/torproc"
	"nightjar/sip"
)

// hint is what to do next.
func hint(err error) string {
	var refused *control.Error
	if errors.As(err, &refused) {
		return codeHints()[refused.Code]
	}
	var words *keystore.WordsError
	if errors.As(err, &words) {
		return "type the words again, in their order; nothing was made"
	}
	for _, h := range slices.Concat(hints(), hintsOfWords(), torHints(), wayHints()) {
		if errors.Is(err, h.is) {
			return h.next
		}
	}
	if why := disk.Cause(err); why != nil && !errors.Is(err, why) {
		return hint(why)
	}
	return ""
}

// Next steps that stand in two tables.
const (
	nextDiskFull   = "make room on it and try again; nothing was changed"
	nextDiskClosed = "mount it for writing, or use a home on another disk: --home DIR"
	nextDenied     = "see whose directory it is, and make it yours alone: chmod 700 DIR"
	nextDiskBroken = "see what the system says of it (dmesg); copy the vault file elsewhere"
)

// codeHints are the next steps after a refusal of the running engine.
func codeHints() map[control.Code]string {
	return map[control.Code]string{
		"starting": "if it waits for its password, type that in the terminal of nightjar up; " +
			"else try again in a moment",
		"gateway":         "it can be listed, and locked: nightjar identity list, nightjar lock",
		"unknown-contact": "see who is there: nightjar contact list",
		"bad-name":        "give a name: nightjar contact add CARD NAME",
		"name-taken":      "give another name: nightjar contact add CARD NAME",
		"contact-exists": "see under which name: nightjar contact list; to use this card " +
			"instead: nightjar contact remove NAME, and add it again",
		"too-many-contacts": "remove one first: nightjar contact remove NAME",
		"unknown-card":      "see which are out: nightjar card list",
		"unknown-gateway":   "see which are in use: nightjar gateway list",
		"bad-relay":         "copy the whole address again, from http to its end",
		"disk-full":         nextDiskFull,
		"disk-read-only":    nextDiskClosed,
		"disk-denied":       nextDenied,
		"disk-broken":       nextDiskBroken,
		"too-many-cards":    "use one of those that are out: nightjar card show",
		"no-doorbell":       "make the card without --doorbell",
		"codename-card":     "make an identity with a vault for this: nightjar init",
		"not-asking":        "see who asks: nightjar contact list",
		"vault-full":        "wait until messages are delivered, or read those that are unread",
		"locked":            "start it again: nightjar up",
		"own-card":          "give this card to others; to add somebody use their card",
		"card-expired":      "ask its owner for a fresh one: nightjar card show --fresh",
		"card-version":      "one of the two programs is too old: bring both up to date",
		"card-signature":    "somebody changed this card; get it again by another way",
		"card-damaged":      "copy the whole line again, from nightjar: to its end",
		"card-size":         "this is not a card; copy the line again",
		"card-address":      "this is not an address; copy the line again",
		"bundle-damaged":    "copy the whole file again",
		"bundle-version":    "one of the two programs is too old: bring both up to date",
		"bundle-size":       "this is not a bundle; copy the file again",
		"unknown-bridge":    "see which are: nightjar bridge list",
		"bridge-offered":    "try again later; what it was told stays with it",
		"bad-bridge":        "copy the whole line again, and all of it",
		"weak-bridge":       "ask for the whole line, with the fingerprint and cert=",
		"bad-greeting":      "a greeting is one line of at most 200 bytes",
		"bad-gateway":       "copy the whole line that nightjar gateway printed",
		"bad-text":          "a message is 1 to 4096 bytes of text",
		"no-gateway":        "add one: nightjar gateway add LINE",
		"not-connected":     "the contact is away; messages are kept until it is there",
		"internal":          "try again; if it stays, start it anew: nightjar lock, nightjar up",
	}
}

// hints are the next steps after an error of this process.
func hints() []nextStep {
	return []nextStep{
		{control.ErrNoEngine, "start it, and leave it running: nightjar up"},
		{control.ErrTaken, "use it, or lock it first: nightjar lock"},
		{control.ErrSeats, "lock one first: nightjar identity list, nightjar lock --as NAME"},
		{control.ErrSilent, "wait until it answers (nightjar identity list), or end it"},
		{errLocking, "see whether it is gone: nightjar identity list; if not, end its process"},
		{control.ErrNotOpen, "see which are: nightjar identity list; open it: nightjar up"},
		{control.ErrAmbiguous, "say which: --as NAME; see them: nightjar identity list"},
		{control.ErrTimeout, "the machine may be overloaded; try again"},
		{keystore.ErrNoVault, "make one: nightjar init"},
		{keystore.ErrPassword, "try again; one letter or its case makes another password"},
		{keystore.ErrDamaged, "put back a copy of the vault file; nothing was changed"},
		{keystore.ErrExport, "try again; one letter or its case makes another password"},
		{keystore.ErrNotExport, "give a file that nightjar identity export wrote"},
		{keystore.ErrExists, "choose another password for the new identity"},
	}
}

// hintsOfWords are the next steps after what was typed cannot be used.
func hintsOfWords() []nextStep {
	return []nextStep{
		{errVaultExists, "say how many identities to keep, and give their passwords: " +
			"nightjar init --keep N; with --keep 0 each hidden one is overwritten with a chance " +
			"of 1 in 16"},
		{errInUse, "lock them first, so that none is overwritten: nightjar lock --all"},
		{errForever, "if you mean it, say so: nightjar identity burn --forever"},
		{errFile, "give the name of a file that does not exist yet, in a directory of yours"},
		{errBundle, "check the name of the file"},
		{errRoots, "install ca-certificates, or name a file of certificates: --relay-roots FILE"},
		{errExport, "check the name given with --from-file"},
		{errCodename, "nothing was made; begin again: nightjar codename"},
		{errNoScreen, "run it in a terminal, or print the words: --print"},
		{errOnDisk, "leave --home out, or give a directory below /dev/shm"},
		{errNoMemory, "give a directory that is kept in memory: --home DIR"},
		{errNoTerminal, "run it in a terminal, or give the password with --password-fd N"},
		{errRetype, "nothing was made; try again"},
		{errOutput, "nothing was marked read; print it elsewhere: nightjar read"},
		{disk.ErrFull, nextDiskFull},
		{disk.ErrReadOnly, nextDiskClosed},
		{disk.ErrDenied, nextDenied},
		{disk.ErrBroken, nextDiskBroken},
		{torproc.ErrDirectory, "make room in the temporary directory (/tmp), and see that this " +
			"user may write there"},
		{errHome, "make it yours alone: chmod 700 DIR; or give another: --home DIR"},
		{errTorrc, "check the name given with --torrc"},
		{errServe, "for example --serve-dht 0.0.0.0:6881"},
		{errUnseen, "if it is: --this-network-may-see-me; otherwise ask a friend for a bundle"},
		{errNoNeighbours, "programs tell of themselves every five minutes: listen longer, " +
			"--for 20m"},
		{lan.ErrNoLAN, "join a network, or ask a friend for a bundle: nightjar bundle import FILE"},
		{errNoNodes, "give one: nightjar gateway --node IP:PORT"},
		{errNode, "for example --node 192.0.2.7:6881; names are not looked up"},
		{errUnsealed, "use a Linux kernel of 5.13 or later, or leave out --require-seal"},
		{errAstray, "let users have namespaces (sysctl user.max_user_namespaces), or leave out " +
			"--require-seal"},
		{warden.ErrEngine, "the machine may be short of memory or processes; try again"},
		{warden.ErrOrder, "start it with: nightjar up"},
		{errNoAudit, "build it: make audit; or put nightjar-audit into the same directory"},
		{errAuditStart, "see that it may be run: chmod 755 nightjar-audit"},
		{errPicture, "check the name given with --png"},
		{sip.ErrListen, "another program uses that port: leave --sip out for the next free one, " +
			"or give another with --sip 127.0.0.1:PORT, or --no-phone"},
		{sip.ErrNotLoopback, "a phone door opens on this machine only: --sip 127.0.0.1:PORT"},
		{card.ErrVersion, "one of the two programs is too old: bring both up to date"},
		{card.ErrSignature, "somebody changed this card; get it again by another way"},
		{card.ErrText, "a name is one line of at most 64 bytes"},
		{card.ErrCard, "copy the whole line again, from nightjar: to its end"},
		{book.ErrVersion, "this vault was last used by another version of nightjar: use that one"},
		{book.ErrDamaged, "put back a copy of the vault file; nothing was changed"},
	}
}
