// Package onion tells in errors and logs what nobody should read.
package onion

import (
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"time"
)

// Remote has fields one could print.
type Remote struct {
	ID   string
	Port uint16
	Auth [32]byte
}

// Place is a word of a fixed set.
type Place string

// Here is one such word.
const Here Place = "here"

// Phase is a step of a fixed number.
type Phase uint8

// First is such a step.
const First Phase = 1

// Word names the step.
func (p Phase) Word() string { return "first" }

// ErrPath is a sentinel.
var ErrPath = errors.New("path closed")

func says(r Remote, a net.Addr, ap netip.AddrPort, ip net.IP, u *url.URL, key [32]byte, b []byte) {
	_ = fmt.Errorf("dial %s", r.ID)             // want "a string that is not constant"
	_ = fmt.Errorf("dial %v", r)                // want "a value of type onion.Remote"
	_ = fmt.Errorf("dial %d", r.Port)           // want "a port"
	_ = fmt.Errorf("dial %v", a)                // want "a value of type net.Addr"
	_ = fmt.Errorf("dial %s", a.String())       // want "a string that is not constant"
	_ = fmt.Errorf("dial %v", ap)               // want "a value of type netip.AddrPort"
	_ = fmt.Errorf("dial %v", ip)               // want "a value of type net.IP"
	_ = fmt.Errorf("dial %v", u)                // want "of type .*url.URL"
	_ = fmt.Errorf("key %x", key)               // want "a value of type .32.byte"
	_ = fmt.Errorf("peer said %q", b)           // want "a value of type ..byte"
	_ = fmt.Errorf("dial %s", fmt.Sprint(r.ID)) // want "a string that is not constant"
	_ = errors.New("dial " + r.ID)              // want "a string that is not constant"
	log.Println("dialing", r.ID)                // want "a string that is not constant"
	slog.Info("dialing", "to", ap)              // want "a value of type netip.AddrPort"
	slog.Info("dialing", slog.Any("to", r))     // want "a value of type onion.Remote"
	slog.Default().Warn("x", "contact", r.ID)   // want "a string that is not constant"
	panic("no way to " + r.ID)                  // want "a string that is not constant"
}

func wraps(c net.Conn) error {
	_, err := net.Dial("unix", "sock")
	if err != nil {
		return fmt.Errorf("dial: %w", err) // want "the raw error of net.Dial"
	}
	if _, err = c.Read(nil); err != nil {
		return fmt.Errorf("read: %w", err) // want "the raw error of net.Conn.Read"
	}
	if _, err := strconv.Atoi("stranger"); err != nil {
		_ = errors.New("parse: " + err.Error()) // want "the raw error of strconv.Atoi"
		return fmt.Errorf("parse: %w", err)     // want "the raw error of strconv.Atoi"
	}
	return fmt.Errorf("parse: %w", second(netip.ParseAddr("x")))
}

func raw(c net.Conn) (net.Conn, error) {
	n, err := net.Dial("unix", "sock")
	if err != nil {
		return nil, err // want "returns the raw error of net.Dial"
	}
	return n, nil
}

func allowed(c net.Conn, n int, d time.Duration, place Place, b []byte) error {
	if _, err := c.Read(b); err != nil {
		return err
	}
	if _, err := c.Write(b); err != nil {
		panic("write: " + ErrPath.Error())
	}
	_, err := net.Dial("unix", "sock")
	err = strip(err)
	_ = fmt.Errorf("stopped at %s: %w", First.Word(), ErrPath)
	return fmt.Errorf("%s: after %d tries in %v, %d bytes, %s: %w: %w",
		place, n, d, len(b), "constant", err, ErrPath)
}

func strip(error) error { return ErrPath }

func second[T any](_ T, err error) error { return err }

type lost struct{ Remote }

// Error hides its text in a method.
func (l lost) Error() string {
	return fmt.Sprintf("no road to %s", l.ID) // want "a string that is not constant"
}
