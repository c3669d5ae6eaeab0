// What can go wrong, as codes for programs.

package control

import (
	"errors"
	"net/http"

	"nightjar/cmd/control/disk"
	"nightjar/keystore"
	"nightjar/node"
	"nightjar/node/book"
	"nightjar/node/bundle"
	"nightjar/node/card"
	"nightjar/node/talk"
	"nightjar/onion/bridge"
)

// Code names what went wrong, for programs. Codes are never changed.
type Code string

// Error is what a client gets when the engine says no.
type Error struct {
	Code    Code   `json:"error"`
	Message string `json:"message"`
}

// Error is the message, without the code.
func (e *Error) Error() string { return e.Message }

// Errors of the client itself.
var (
	ErrNoEngine = errors.New("no engine is running here")
	ErrTimeout  = errors.New("the engine did not answer in time")
)

// codes says which error is which code and HTTP status. The first match counts.
func codes() []struct {
	err    error
	code   Code
	status int
} {
	return []struct {
		err    error
		code   Code
		status int
	}{
		{book.ErrUnknown, "unknown-contact", http.StatusNotFound},
		{book.ErrName, "bad-name", http.StatusBadRequest},
		{book.ErrNameTaken, "name-taken", http.StatusConflict},
		{book.ErrTwice, "contact-exists", http.StatusConflict},
		{book.ErrTooMany, "too-many-contacts", http.StatusConflict},
		{book.ErrNoCard, "unknown-card", http.StatusNotFound},
		{book.ErrCards, "too-many-cards", http.StatusConflict},
		{node.ErrCodename, "codename-card", http.StatusConflict},
		{node.ErrNoBell, "no-doorbell", http.StatusConflict},
		{book.ErrState, "not-asking", http.StatusConflict},
		{book.ErrFull, "vault-full", http.StatusInsufficientStorage},
		{keystore.ErrFull, "vault-full", http.StatusInsufficientStorage},
		{keystore.ErrLocked, "locked", http.StatusConflict},
		{node.ErrSelf, "own-card", http.StatusBadRequest},
		{node.ErrExpired, "card-expired", http.StatusBadRequest},
		{book.ErrNoGateway, "unknown-gateway", http.StatusNotFound},
		{node.ErrNoGateway, "no-gateway", http.StatusConflict},
		{node.ErrNotLinked, "not-connected", http.StatusConflict},
		{bundle.ErrVersion, "bundle-version", http.StatusBadRequest},
		{bundle.ErrSize, "bundle-size", http.StatusBadRequest},
		{bundle.ErrBundle, "bundle-damaged", http.StatusBadRequest},
		{card.ErrVersion, "card-version", http.StatusBadRequest},
		{card.ErrSignature, "card-signature", http.StatusBadRequest},
		{card.ErrSize, "card-size", http.StatusBadRequest},
		{card.ErrAddress, "card-address", http.StatusBadRequest},
		{book.ErrBridge, "unknown-bridge", http.StatusNotFound},
		{book.ErrOffered, "bridge-offered", http.StatusConflict},
		{bridge.ErrLine, "bad-bridge", http.StatusBadRequest},
		{bridge.ErrWeak, "weak-bridge", http.StatusBadRequest},
		{card.ErrGateway, "bad-gateway", http.StatusBadRequest},
		{card.ErrRelay, "bad-relay", http.StatusBadRequest},
		{card.ErrText, "bad-greeting", http.StatusBadRequest},
		{card.ErrCard, "card-damaged", http.StatusBadRequest},
		{talk.ErrText, "bad-text", http.StatusBadRequest},
		{errRequest, "bad-request", http.StatusBadRequest},
		{disk.ErrFull, "disk-full", http.StatusInsufficientStorage},
		{disk.ErrReadOnly, "disk-read-only", http.StatusInsufficientStorage},
		{disk.ErrDenied, "disk-denied", http.StatusInsufficientStorage},
		{disk.ErrBroken, "disk-broken", http.StatusInsufficientStorage},
	}
}

// errRequest is a body or query that is not what docs/api.md says.
var errRequest = errors.New("the request is not what the interface expects")

// asError finds the code of an error. What has none is "internal": its text stays inside.
func asError(err error) (*Error, int) {
	var starting *Error
	if errors.As(err, &starting) {
		return starting, http.StatusServiceUnavailable
	}
	for _, e := range []error{err, disk.Cause(err)} {
		for _, c := range codes() {
			if errors.Is(e, c.err) {
				return &Error{Code: c.code, Message: c.err.Error()}, c.status
			}
		}
	}
	return &Error{Code: "internal", Message: "the engine could not do this; nothing was changed"},
		http.StatusInternalServerError
}
