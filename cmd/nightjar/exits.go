// Relays outside of tor: whether they may be asked, and whose word is taken for who they are.

package main

import (
	"crypto/x509"
	"errors"
	"os"
)

// errRoots is a --relay-roots file, or the system's, that holds no certificates.
var errRoots = errors.New("no certificates are found by which an https relay proves who it is")

// exitFlags are the flags of what leaves tor. The zero value lets nothing leave it.
type exitFlags struct {
	allow *bool
	roots *string // a PEM file; "" means the system's
}

func (o *options) exitFlags() exitFlags {
	return exitFlags{allow: o.set.Bool("exit-relays", false, ""),
		roots: o.set.String("relay-roots", "", "")}
}

// allowed reports whether the user typed that relays outside of tor may be asked.
func (f exitFlags) allowed() bool { return f.allow != nil && *f.allow }

// check refuses what would silently do nothing.
func (f exitFlags) check() error {
	if *f.roots != "" && !*f.allow {
		return usageError{"--relay-roots is for --exit-relays"}
	}
	return nil
}

// files lists what an engine has to read.
func (f exitFlags) files() []string {
	switch {
	case !f.allowed():
		return nil
	case *f.roots != "":
		return []string{*f.roots}
	}
	return []string{ // the first that is there: Debian, Fedora, openSUSE
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem",
	}
}

// pool reads the authorities; nil when none are needed. The error is errRoots.
func (f exitFlags) pool() (*x509.CertPool, error) {
	if !f.allowed() {
		return nil, nil
	}
	for _, name := range f.files() {
		pool := x509.NewCertPool()
		if b, err := os.ReadFile(name); err == nil && pool.AppendCertsFromPEM(b) {
			return pool, nil
		}
	}
	return nil, errRoots
}
