// From errors to words: what happened, and what to do next.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"nightjar/cmd/control"
	"nightjar/cmd/warden"
	"nightjar/keystore"
	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/onion"
	"nightjar/sip"
)

// say turns an error into one line of what happened and one of what to do next. Only this file
// does so: the rooms say what, not what now.
func (c console) say(cmd *command, err error) int {
	var misuse usageError
	var code ended
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(c.out, cmd.usage())
		return 0
	case errors.As(err, &code):
		return int(code) // it has said why
	case errors.As(err, &misuse):
		fmt.Fprintf(c.err, "nightjar: %s\n%s", misuse.msg, cmd.usage())
		return 2
	case errors.Is(err, context.Canceled) && (cmd.name == "up" || cmd.name == "gateway"):
		fmt.Fprintln(c.err, "nightjar: stopped")
		return 1
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(c.err, "nightjar: interrupted; what was begun goes on in the engine")
		return 1
	}
	c.tell(err)
	return 1
}

// refusal is an error for programs.
type refusal struct {
	Code    control.Code `json:"error"` // of docs/api.md; "failed" for what never reached an engine
	Message string       `json:"message"`
	Hint    string       `json:"hint,omitempty"`
}

// tell shows an error and what to do next.
func (c console) tell(err error) {
	r := refusal{Code: "failed", Message: what(err), Hint: hint(err)}
	var refused *control.Error
	if errors.As(err, &refused) {
		r.Code = refused.Code
	}
	if c.home != "" && strings.Contains(r.Hint, "nightjar ") {
		r.Hint += " (and --home " + c.home + ", as here)"
	}
	if c.asJSON {
		_ = json.NewEncoder(c.err).Encode(r)
		return
	}
	fmt.Fprintf(c.err, "nightjar: %s\n", r.Message)
	if r.Hint != "" {
		fmt.Fprintf(c.err, "hint: %s\n", r.Hint)
	}
}

// what is the error in one line. A network error of the way out says only which part of the road
// failed.
func what(err error) string {
	var place *onion.Error
	if errors.As(err, &place) {
		return "cannot " + place.Op + ": " + place.Err.Error()
	}
	return err.Error()
}

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
	for _, h := range slices.Concat(hints(), torHints()) {
		if errors.Is(err, h.is) {
			return h.next
		}
	}
	return ""
}

// codeHints are the next steps after a refusal of the running engine.
func codeHints() map[control.Code]string {
	return map[control.Code]string{
		"starting":          "try again in a moment",
		"gateway":           "it can be listed and locked: nightjar identity list, nightjar lock",
		"unknown-contact":   "see who is there: nightjar contact list",
		"bad-name":          "give a name: nightjar contact add CARD NAME",
		"name-taken":        "give another name: nightjar contact add CARD NAME",
		"contact-exists":    "see under which name: nightjar contact list",
		"too-many-contacts": "remove one first: nightjar contact remove NAME",
		"too-many-cards":    "use one of those that are out: nightjar card show",
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
		"bad-bridge":        "copy the whole line again, and all of it",
		"weak-bridge":       "ask for the whole line, with the fingerprint and cert=",
		"bad-greeting":      "a greeting is one line of at most 200 bytes",
		"bad-gateway":       "copy the whole line that nightjar gateway printed",
		"bad-text":          "a message is 1 to 4096 bytes of text",
		"no-gateway":        "add one: nightjar gateway add LINE",
		"not-connected":     "the contact is away; messages are kept until it is there",
		"internal":          "see nightjar status; if it stays, stop the engine and start it again",
	}
}

// hints are the next steps after an error of this process.
func hints() []nextStep {
	return []nextStep{
		{control.ErrNoEngine, "start it, and leave it running: nightjar up"},
		{control.ErrTaken, "use it, or lock it first: nightjar lock"},
		{control.ErrSeats, "lock one first: nightjar identity list, nightjar lock --as NAME"},
		{control.ErrSilent, "wait until it answers (nightjar identity list), or end it"},
		{control.ErrNotOpen, "see which are: nightjar identity list; open it: nightjar up"},
		{control.ErrAmbiguous, "say which: --as NAME; see them: nightjar identity list"},
		{control.ErrTimeout, "the machine may be overloaded; try again"},
		{keystore.ErrNoVault, "make one: nightjar init"},
		{keystore.ErrPassword, "try again; one letter or its case makes another password"},
		{keystore.ErrDamaged, "put back a copy of the vault file; nothing was changed"},
		{keystore.ErrExport, "try again; one letter or its case makes another password"},
		{keystore.ErrNotExport, "give a file that nightjar identity export wrote"},
		{keystore.ErrExists, "choose another password for the new identity"},
		{errVaultExists, "say how many identities to keep: nightjar init --keep N asks for their " +
			"passwords; with --keep 0 each hidden one is overwritten with a chance of 1 in 16"},
		{errInUse, "lock them first, so that none is overwritten: nightjar lock --all"},
		{errForever, "if you mean it, say so: nightjar identity burn --forever"},
		{errFile, "give the name of a file that does not exist yet, in a directory of yours"},
		{errBundle, "check the name of the file"},
		{errExport, "check the name given with --from-file"},
		{errCodename, "nothing was made; begin again: nightjar codename"},
		{errNoScreen, "run it in a terminal, or print the words: --print"},
		{errOnDisk, "leave --home out, or give a directory below /dev/shm"},
		{errNoMemory, "give a directory that is kept in memory: --home DIR"},
		{errNoTerminal, "run it in a terminal, or give the password with --password-fd N"},
		{errRetype, "nothing was made; try again"},
		{errOutput, "nothing was marked read; print it elsewhere: nightjar read"},
		{errDisk, "make room and try again; nothing was made"},
		{errHome, "make it yours alone: chmod 700 DIR; or give another: --home DIR"},
		{errTorrc, "check the name given with --torrc"},
		{errNoNodes, "give one: nightjar gateway --node IP:PORT"},
		{errNode, "for example --node 192.0.2.7:6881; names are not looked up"},
		{errUnsealed, "use a Linux kernel of 5.13 or later, or leave out --require-seal"},
		{warden.ErrEngine, "the machine may be short of memory or processes; try again"},
		{warden.ErrOrder, "start it with: nightjar up"},
		{errNoAudit, "build it: make audit; or put nightjar-audit into the same directory"},
		{errAuditStart, "see that it may be run: chmod 755 nightjar-audit"},
		{errPicture, "check the name given with --png"},
		{sip.ErrListen, "another program uses that port: give one with --sip 127.0.0.1:PORT, " +
			"or --no-phone"},
		{sip.ErrNotLoopback, "a phone door opens on this machine only: --sip 127.0.0.1:PORT"},
		{card.ErrVersion, "one of the two programs is too old: bring both up to date"},
		{card.ErrSignature, "somebody changed this card; get it again by another way"},
		{card.ErrText, "a name is one line of at most 64 bytes"},
		{card.ErrCard, "copy the whole line again, from nightjar: to its end"},
		{book.ErrVersion, "this vault was last used by another version of nightjar: use that one"},
		{book.ErrDamaged, "put back a copy of the vault file; nothing was changed"},
	}
}
