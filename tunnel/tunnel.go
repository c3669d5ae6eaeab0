// Package tunnel makes one private connection between two contacts out of a carrier that it is
// given: it knows nothing of how they find each other or how the carrier travels.
//
// A handshake (package handshake) opens it: a stranger who knocks hears nothing. After it every
// record on the carrier is 498 bytes (package record), whether it holds datagrams, streams
// (package mux), the renewal of the keys, or nothing at all. When records leave is each side's
// Shape:
//
//	Shape{}    a record leaves as soon as there is something to send, and one of padding after
//	           about seven seconds without; an observer sees when and how much is sent
//	Clock(d)   exactly one record leaves each d, whatever is sent or received
//	Cover(d)   one leaves at random moments, d apart on average, whatever is sent or received
//
// Keys are renewed by a whole new handshake inside the session every two minutes of use. A Conn
// that has heard no authentic record for 25 seconds ends with ErrSilent.
//
// Over a carrier of datagrams package datagram does the same; both meet Tunnel.
//
// First bytes that look uniformly random are themselves a sign to some national firewalls: on such
// networks the carrier must be one that hides them, such as tor with a transport.
package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"nightjar/tunnel/handshake"
	"nightjar/tunnel/mux"
	"nightjar/tunnel/record"
)

// Sizes in bytes.
const (
	RecordSize  = record.Size // every record on the carrier
	MaxDatagram = 470         // the longest datagram
)

// Times of a session.
const (
	handshakeTime = 60 * time.Second  // from the first byte to the first record, at most
	heartbeat     = 7 * time.Second   // without anything to send, give or take heartbeatJitter
	silence       = 25 * time.Second  // without an authentic record: the far side is gone
	renewAfter    = 120 * time.Second // of use, then the keys are renewed
	renewWithin   = 5 * time.Minute   // or the session ends
	renewPause    = time.Minute       // a far side that asks sooner breaks the rules
	linger        = time.Second       // Close tries that long to send what waits

	heartbeatJitter = 1500 * time.Millisecond
)

// Errors. None tells more than is said here; none holds an address or anything from the far side.
var (
	ErrStranger   = errors.New("caller is no contact")           // Accept: carrier closed
	ErrUnanswered = errors.New("far side did not answer")        // Dial: not there, or not willing
	ErrClosed     = errors.New("tunnel closed")                  // Close was called here
	ErrEnded      = errors.New("far side closed the tunnel")     // Close was called there
	ErrSilent     = errors.New("far side has fallen silent")     // no record for 25 seconds
	ErrCarrier    = errors.New("carrier broke")                  // try another carrier
	ErrForged     = errors.New("carrier delivered forged bytes") // somebody on the way interferes
	ErrRules      = errors.New("far side broke the protocol")    // other version, broken or hostile
	ErrStale      = errors.New("keys were not renewed in time")  // far side does not renew
	ErrTooLong    = errors.New("datagram exceeds MaxDatagram")   // SendDatagram
)

// A Key is the static key pair of this side behind a handle; the private half never comes here.
type Key = handshake.Key

// A Peer is what this side knows of a contact: its X25519 key and the two secrets of the pair.
type Peer = handshake.Peer

// carrierError keeps of a carrier's error what names no place: errors of package net hold
// addresses.
func carrierError(err error) error {
	var number syscall.Errno
	switch {
	case errors.As(err, &number):
		return fmt.Errorf("%w: %w", ErrCarrier, number)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrSilent
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: %w", ErrCarrier, io.EOF)
	}
	return ErrCarrier
}

// sessionError translates what the inner packages report.
func sessionError(err error) error {
	switch {
	case errors.Is(err, record.ErrForged), errors.Is(err, handshake.ErrForged):
		return ErrForged
	case errors.Is(err, record.ErrFrame), errors.Is(err, mux.ErrProtocol):
		return ErrRules
	case errors.Is(err, record.ErrWorn):
		return ErrStale
	}
	return err
}

// cause is why ctx ended, if it did, and err otherwise.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
