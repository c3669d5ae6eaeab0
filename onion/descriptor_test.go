//go:build e2e

// Descriptors of onion services, opened as a client does (rend-spec-v3 section 2.5).

package onion_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha3"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A descriptor is one as directories hold it.
type descriptor struct {
	blinded, subcredential []byte
	revision               uint64
	outer                  string
}

// parts of a descriptor that are in base64.
func part(text, before string) []byte {
	m := regexp.MustCompile(`(?s)` + before + `\s+-----BEGIN [A-Z0-9 ]+-----\s(.*?)-----END`).
		FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	b, _ := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(m[1]), ""))
	return b
}

// readDescriptor reads what everybody can of the descriptor of a service.
func readDescriptor(t *testing.T, id, text string) descriptor {
	t.Helper()
	cert := part(text, "descriptor-signing-key-cert")
	m := regexp.MustCompile(`revision-counter (\d+)`).FindStringSubmatch(text)
	key, err := base32.StdEncoding.DecodeString(strings.ToUpper(id))
	if len(cert) < 76 || m == nil || err != nil {
		t.Fatalf("not a descriptor: %d bytes, %v", len(text), err)
	}
	d := descriptor{blinded: cert[44:76], outer: text} // the key that signed, in the extension
	d.revision, _ = strconv.ParseUint(m[1], 10, 64)
	credential := sha3.Sum256(append([]byte("credential"), key[:32]...))
	sub := sha3.Sum256(bytes.Join([][]byte{[]byte("subcredential"), credential[:], d.blinded}, nil))
	d.subcredential = sub[:]
	return d
}

// layer opens one layer with what is secret about it; "" if it is another's secret.
func (d descriptor) layer(blob, cookie []byte, what string) string {
	if len(blob) < 48 {
		return ""
	}
	salt, body, mac := blob[:16], blob[16:len(blob)-32], blob[len(blob)-32:]
	h := sha3.NewSHAKE256()
	for _, b := range [][]byte{d.blinded, cookie, d.subcredential,
		binary.BigEndian.AppendUint64(nil, d.revision), salt, []byte(what)} {
		h.Write(b)
	}
	keys := make([]byte, 32+16+32)
	h.Read(keys)
	check := sha3.New256()
	for _, b := range [][]byte{binary.BigEndian.AppendUint64(nil, 32), keys[48:],
		binary.BigEndian.AppendUint64(nil, 16), salt, body} {
		check.Write(b)
	}
	if !hmac.Equal(check.Sum(nil), mac) {
		return ""
	}
	return string(bytes.TrimRight(decrypt(keys[:32], keys[32:48], body), "\x00"))
}

func decrypt(key, iv, body []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil
	}
	out := make([]byte, len(body))
	cipher.NewCTR(block, iv).XORKeyStream(out, body)
	return out
}

// open opens both layers, with a client's key or nil; "" if that does not let in.
func (d descriptor) open(client *ecdh.PrivateKey) string {
	first := d.layer(part(d.outer, "superencrypted"), nil, "hsdir-superencrypted-data")
	cookies := [][]byte{nil}
	if client != nil {
		cookies = d.cookies(first, client)
	}
	for _, cookie := range cookies {
		if in := d.layer(part(first, "encrypted"), cookie, "hsdir-encrypted-data"); in != "" {
			return in
		}
	}
	return ""
}

// cookies are what the lines for clients give to one of them.
func (d descriptor) cookies(first string, client *ecdh.PrivateKey) (all [][]byte) {
	m := regexp.MustCompile(`desc-auth-ephemeral-key (\S+)`).FindStringSubmatch(first)
	if m == nil {
		return nil
	}
	b, _ := base64.StdEncoding.DecodeString(pad(m[1]))
	ephemeral, err := ecdh.X25519().NewPublicKey(b)
	if err != nil {
		return nil
	}
	seed, err := client.ECDH(ephemeral)
	if err != nil {
		return nil
	}
	h := sha3.NewSHAKE256()
	h.Write(d.subcredential)
	h.Write(seed)
	keys := make([]byte, 8+32)
	h.Read(keys)
	for _, l := range regexp.MustCompile(`auth-client (\S+) (\S+) (\S+)`).
		FindAllStringSubmatch(first, -1) {
		id, _ := base64.StdEncoding.DecodeString(pad(l[1]))
		iv, _ := base64.StdEncoding.DecodeString(pad(l[2]))
		hidden, _ := base64.StdEncoding.DecodeString(pad(l[3]))
		if bytes.Equal(id, keys[:8]) && len(iv) == 16 {
			all = append(all, decrypt(keys[8:], iv, hidden))
		}
	}
	return all
}

func pad(s string) string { return s + strings.Repeat("=", -len(s)&3) }
