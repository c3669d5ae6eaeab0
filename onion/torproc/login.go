// Getting in at a tor that is not ours: its control connection is authenticated before anybody else
// has it, so that whoever is handed it needs neither cookie nor password, and never sees them.

package torproc

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cretz/bine/torutil"
)

const (
	cookieSize = 32      // control-spec section 3.24
	nonceSize  = 32      // of ours and of tor's
	maxReply   = 4 << 10 // bytes of an answer before anybody is trusted
	maxWord    = 1 << 10 // bytes of a password
	serverKey  = "Tor safe cookie authentication server-to-controller hash"
	clientKey  = "Tor safe cookie authentication controller-to-server hash"
)

// login authenticates a control connection, on which nothing has been said, by the best way that
// tor offers (control-spec section 3.5): nothing, a password if there is one, or a cookie, which it
// proves to know without showing it: whoever poses as tor learns nothing. Nothing of the answers is
// left on the connection. What it makes of cookie and password it clears. Errors are ErrCookie,
// ErrPassword and ErrAuth.
func login(conn net.Conn, password []byte) error {
	if err := conn.SetDeadline(time.Now().Add(dialIn)); err != nil {
		return ErrAuth
	}
	g := guest{conn, bufio.NewReader(conn)}
	proof, err := g.proof(password)
	if err != nil {
		return err
	}
	defer clear(proof)
	command := make([]byte, 0, 64+2*len(proof))
	command = append(command, "AUTHENTICATE"...)
	if len(proof) > 0 {
		command = hex.AppendEncode(append(command, ' '), proof)
	}
	defer clear(command[:cap(command)])
	if _, err := g.ask(command); err != nil {
		if len(password) > 0 {
			return ErrPassword
		}
		return ErrAuth
	}
	if g.answers.Buffered() != 0 || conn.SetDeadline(time.Time{}) != nil {
		return ErrAuth
	}
	return nil
}

// A guest is who speaks with tor and is not let in yet.
type guest struct {
	conn    net.Conn
	answers *bufio.Reader
}

// ask sends a command and returns the lines of the answer without their codes.
func (g guest) ask(command []byte) (lines []string, err error) {
	if _, err := g.conn.Write(append(command, "\r\n"...)); err != nil {
		return nil, ErrAuth
	}
	for left := maxReply; ; {
		line, err := g.answers.ReadSlice('\n')
		if left -= len(line); err != nil || left < 0 || len(line) < 5 {
			return nil, ErrAuth
		}
		text := strings.TrimRight(string(line), "\r\n")
		if !strings.HasPrefix(text, "250") {
			return nil, ErrAuth
		}
		lines = append(lines, text[4:])
		if text[3] == ' ' {
			return lines, nil
		}
	}
}

// proof returns what to authenticate with.
func (g guest) proof(password []byte) ([]byte, error) {
	lines, err := g.ask([]byte("PROTOCOLINFO 1"))
	if err != nil {
		return nil, err
	}
	methods, cookie := ways(lines)
	switch {
	case slices.Contains(methods, "NULL"):
		return nil, nil
	case slices.Contains(methods, "HASHEDPASSWORD") && len(password) > 0:
		return bytes.Clone(password), nil
	case slices.Contains(methods, "SAFECOOKIE"):
		return g.challenge(cookie)
	case slices.Contains(methods, "HASHEDPASSWORD"):
		return nil, ErrPassword
	}
	return nil, ErrAuth
}

// ways reads how tor lets others in, and where its cookie is.
func ways(lines []string) (methods []string, cookie string) {
	for _, line := range lines {
		rest, ok := strings.CutPrefix(line, "AUTH METHODS=")
		if !ok {
			continue
		}
		all, file, _ := strings.Cut(rest, " ")
		methods = strings.Split(all, ",")
		if quoted, ok := strings.CutPrefix(file, "COOKIEFILE="); ok {
			cookie, _ = torutil.UnescapeSimpleQuotedString(quoted)
		}
	}
	return methods, cookie
}

// challenge proves that we can read the cookie, once tor has proved that it knows it.
func (g guest) challenge(file string) ([]byte, error) {
	cookie, err := readSmall(file, cookieSize)
	defer clear(cookie)
	if err != nil || len(cookie) != cookieSize {
		return nil, ErrCookie
	}
	ours := make([]byte, nonceSize)
	rand.Read(ours)
	lines, err := g.ask([]byte("AUTHCHALLENGE SAFECOOKIE " + hex.EncodeToString(ours)))
	if err != nil {
		return nil, err
	}
	hash, theirs, err := challenged(lines[0])
	if err != nil || !hmac.Equal(hash, digest(serverKey, cookie, ours, theirs)) {
		return nil, ErrAuth
	}
	return digest(clientKey, cookie, ours, theirs), nil
}

// challenged reads "AUTHCHALLENGE SERVERHASH=<hex> SERVERNONCE=<hex>".
func challenged(line string) (hash, nonce []byte, err error) {
	f := strings.Fields(line)
	if len(f) != 3 || f[0] != "AUTHCHALLENGE" {
		return nil, nil, ErrAuth
	}
	h, isHash := strings.CutPrefix(f[1], "SERVERHASH=")
	n, isNonce := strings.CutPrefix(f[2], "SERVERNONCE=")
	hash, err1 := hex.DecodeString(h)
	nonce, err2 := hex.DecodeString(n)
	if !isHash || !isNonce || err1 != nil || err2 != nil || len(nonce) != nonceSize {
		return nil, nil, ErrAuth
	}
	return hash, nonce, nil
}

func digest(key string, cookie, ours, theirs []byte) []byte {
	m := hmac.New(sha256.New, []byte(key))
	m.Write(cookie)
	m.Write(ours)
	m.Write(theirs)
	return m.Sum(nil)
}

// readSmall reads a file of at most limit bytes; nothing that would wait, such as a pipe.
func readSmall(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fs.ErrInvalid)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, min(info.Size(), limit)+1) // one buffer, of which no copy stays behind
	n, err := io.ReadFull(f, b)
	if err != io.EOF && err != io.ErrUnexpectedEOF {
		clear(b)
		return nil, errors.Join(err, fs.ErrInvalid) // or it is longer
	}
	return b[:n], nil
}
