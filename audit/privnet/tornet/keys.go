// The authority's keys, made anew for every network.

package tornet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sync/errgroup"
)

const authorityName = "authority"

var errKeys = errors.New("cannot read the authority's fingerprint")

// makeAuthority creates the authority's keys below dir and returns its DirAuthority line.
func (n *Network) makeAuthority(ctx context.Context, dir string) (string, error) {
	keys := filepath.Join(dir, "keys")
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return "", err
	}
	var v3, relay string
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { v3, err = n.makeCertificate(ctx, keys); return })
	g.Go(func() (err error) { relay, err = n.makeFingerprint(ctx, dir); return })
	if err := g.Wait(); err != nil {
		return "", err
	}
	return fmt.Sprintf("DirAuthority %s orport=%d no-v2 v3ident=%s %s %s",
		authorityName, n.base, v3, at(authorityIP, n.base+1), relay), nil
}

// makeCertificate makes the key that signs votes. It takes 0.3 to 4 s: RSA with 3072 bits.
func (n *Network) makeCertificate(ctx context.Context, keys string) (string, error) {
	certificate := filepath.Join(keys, "authority_certificate")
	cmd := exec.CommandContext(ctx, n.gencert, "--create-identity-key", "-m", "12",
		"-a", at(authorityIP, n.base+1),
		"-i", filepath.Join(keys, "authority_identity_key"),
		"-s", filepath.Join(keys, "authority_signing_key"),
		"-c", certificate, "--passphrase-fd", "0")
	cmd.Stdin = strings.NewReader("none\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make the authority's certificate: %w: %s", err, out)
	}
	b, err := os.ReadFile(certificate)
	if err != nil {
		return "", err
	}
	found := regexp.MustCompile(`(?m)^fingerprint ([0-9A-F]{40})$`).FindSubmatch(b)
	if found == nil {
		return "", errKeys
	}
	return string(found[1]), nil
}

// makeFingerprint makes the authority's relay key. Tor wants an authority line to do so; any will
// do, since it only lists its fingerprint.
func (n *Network) makeFingerprint(ctx context.Context, dir string) (string, error) {
	nobody := strings.Repeat("f", 40)
	cmd := exec.CommandContext(ctx, n.tor, "--defaults-torrc", "/dev/null",
		"-f", filepath.Join(dir, "none"), "--ignore-missing-torrc", "--quiet",
		"--list-fingerprint", "--DataDirectory", dir, "--Nickname", authorityName,
		"--Address", authorityIP, "--ORPort", at(authorityIP, n.base), "--TestingTorNetwork", "1",
		"--DirAuthority", "x orport=1 no-v2 v3ident="+nobody+" 127.0.0.1:1 "+nobody)
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("make the authority's key: %w: %s", err, out)
	}
	found := regexp.MustCompile(authorityName + ` ((?:[0-9A-F]{4} ?){10})`).FindSubmatch(out)
	if found == nil {
		return "", errKeys
	}
	return strings.ReplaceAll(strings.TrimSpace(string(found[1])), " ", ""), nil
}
