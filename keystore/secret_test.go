// Secrets do not print, passwords are read whole and nowhere else, memory is what it says.

package keystore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"nightjar/keystore/host"
)

// prints are all the ways in which a value ends up in a text.
func prints(t *testing.T, x any) []string {
	var out []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b", "%o", "%t",
		"%c", "%U", "%e", "%g", "%p", "%z"} {
		out = append(out, fmt.Sprintf(verb, x), fmt.Sprintf(verb, []any{x}),
			fmt.Sprintf(verb, map[string]any{"k": x}), fmt.Sprintf(verb, struct{ A any }{x}))
	}
	out = append(out, fmt.Sprint(x), fmt.Sprintln(x), fmt.Errorf("%v", x).Error())
	for _, v := range []any{x, struct{ A any }{x}, []any{x}} {
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(j))
		var text, js bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "k", v)
		slog.New(slog.NewJSONHandler(&js, nil)).Info("m", "k", v)
		out = append(out, text.String(), js.String())
	}
	return out
}

// shown reports whether any print holds the secret in one of the usual spellings.
func shown(prints []string, secret []byte) bool {
	nums := strings.Trim(fmt.Sprint(secret), "[]")
	hashes := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", secret), "[]byte{"), "}")
	b64, _ := json.Marshal(secret)
	for _, p := range prints {
		for _, s := range []string{string(secret), nums, hashes, strings.Trim(string(b64), `"`),
			fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret)} {
			if strings.Contains(p, s) {
				return true
			}
		}
	}
	return false
}

// hidden holds its secrets where fmt cannot call their methods.
type hidden struct {
	s *Secret
	v Secret
	p *Password
	i *Identity
}

func TestSecretsDoNotPrint(t *testing.T) {
	const text = "xyzzy-plugh-secret"
	s := NewSecret([]byte(text))
	defer s.Destroy()
	p := password(t, text)
	id := mustCreate(t, cheapVault(t), text)
	for name, x := range map[string]any{"secret": s, "value": *s, "password": p, "password value": *p,
		"hidden": hidden{s, *s, p, id}, "pointer to hidden": &hidden{s, *s, p, id}} {
		if shown(prints(t, x), []byte(text)) {
			t.Errorf("%s prints", name)
		}
	}
	k := keysOf(id.keys)
	for _, key := range [][]byte{k.seed, k.root, k.slot, k.agree, id.public[:]} {
		for _, x := range []any{id, hidden{s, *s, p, id}} {
			if shown(prints(t, x), key) {
				t.Error("an identity prints its keys")
			}
		}
	}
	// The same look finds the secret in a plain struct, and behind one pointer.
	type plain struct{ b []byte }
	for _, x := range []any{plain{[]byte(text)}, struct{ p *plain }{&plain{[]byte(text)}}} {
		if !shown(prints(t, x), []byte(text)) {
			t.Errorf("the look finds nothing in %T, which does print", x)
		}
	}
}

func TestNilSecretsPrintAsNil(t *testing.T) {
	for _, x := range []any{(*Secret)(nil), (*Password)(nil)} {
		if s := fmt.Sprint(x); s != "<nil>" {
			t.Error(s)
		}
	}
}

func TestASecretIsMovedAndGone(t *testing.T) {
	b := []byte("moved")
	s := NewSecret(b)
	if !bytes.Equal(b, make([]byte, 5)) {
		t.Error("the source was not wiped")
	}
	var kept []byte
	s.Use(func(b []byte) {
		if string(b) != "moved" {
			t.Errorf("%q", b)
		}
		kept = b
	})
	if !bytes.Equal(kept, make([]byte, 5)) {
		t.Error("a copy outlived Use")
	}
	s.Destroy()
	s.Destroy()
	s.Use(func(b []byte) {
		if len(b) != 0 {
			t.Error("bytes after Destroy")
		}
	})
}

func TestPasswordsAreRefusedWiped(t *testing.T) {
	if _, err := NewPassword(nil); err == nil {
		t.Error("an empty password was taken")
	}
	long := bytes.Repeat([]byte("p"), maxPassword+1)
	if _, err := NewPassword(long); err == nil || !bytes.Equal(long, make([]byte, len(long))) {
		t.Error("a long password was taken, or not wiped")
	}
	p, q := password(t, "same"), password(t, "same")
	if !p.Equal(q) || p.Equal(password(t, "other")) || p.Equal(password(t, "sam")) {
		t.Error("Equal is wrong")
	}
}

// pipe returns the reading end of a pipe that holds text.
func pipe(t *testing.T, text string) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	if _, err := w.WriteString(text); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return r
}

func TestReadPasswordTakesOneLine(t *testing.T) {
	full := strings.Repeat("f", maxPassword)
	for in, want := range map[string]string{
		"one\ntwo\n": "one", "end": "end", "crlf\r\n": "crlf", " spaces \n": " spaces ",
		"café\n": "café", full + "\n": full, full + "\r\n": full, full: full,
	} {
		r := pipe(t, in)
		p, err := ReadPassword(int(r.Fd()))
		if err != nil || !p.Equal(password(t, want)) {
			t.Errorf("%.20q: %v", in, err)
			continue
		}
		p.Destroy()
	}
	r := pipe(t, "one\ntwo\n")
	for _, want := range []string{"one", "two"} {
		if p, err := ReadPassword(int(r.Fd())); err != nil || !p.Equal(password(t, want)) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestReadPasswordRefuses(t *testing.T) {
	for name, in := range map[string]string{"nothing": "", "empty line": "\nx\n", "only cr": "\r\n",
		"one byte more": strings.Repeat("x", maxPassword+1) + "\n",
		"far too long":  strings.Repeat("x", 5000) + "\nnext\n"} {
		r := pipe(t, in)
		if _, err := ReadPassword(int(r.Fd())); err == nil {
			t.Errorf("%s was taken", name)
		}
		if name == "far too long" { // the next read is not the rest of the long line
			if p, err := ReadPassword(int(r.Fd())); err != nil || !p.Equal(password(t, "next")) {
				t.Error("the rest of a long line was taken for a password")
			}
		}
	}
	if _, err := ReadPassword(-1); err == nil {
		t.Error("a descriptor that is none was read")
	}
}

// terminal returns the two ends of a new pseudo-terminal.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	m, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	n, err := unix.IoctlGetInt(int(m.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(m.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	s, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return m, s
}

func echo(t *testing.T, f *os.File) bool {
	t.Helper()
	a, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return a.Lflag&unix.ECHO != 0
}

func TestATerminalDoesNotEchoThePassword(t *testing.T) {
	m, s := terminal(t)
	restore := host.Quiet(int(s.Fd()))
	if echo(t, s) {
		t.Error("echo is on while a password is read")
	}
	if _, err := m.WriteString("typed\r"); err != nil {
		t.Fatal(err)
	}
	p, err := ReadPassword(int(s.Fd()))
	if err != nil || !p.Equal(password(t, "typed")) {
		t.Error(err)
	}
	restore()
	if !echo(t, s) {
		t.Error("echo stayed off")
	}
	if _, err := s.WriteString("END"); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, err := m.Read(buf)
	if err != nil || string(buf[:n]) != "END" {
		t.Errorf("the terminal shows %q, %v", buf[:n], err)
	}
}

func TestSwapIsTold(t *testing.T) {
	const head = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
	if w := swapWarning([]byte(head), nil); len(w) != 0 {
		t.Error(w)
	}
	if w := swapWarning([]byte(head+"/dev/dm-1 partition 1 0 -2\n"), nil); len(w) != 1 {
		t.Error(w)
	}
	if w := swapWarning(nil, os.ErrNotExist); len(w) != 1 {
		t.Error(w)
	}
}

func TestArenasAreLockedZeroAndApart(t *testing.T) {
	a, err := newArena(100)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Max(a.bytes()) != 0 || len(a.bytes()) != 100 {
		t.Error("a new arena is not zero bytes")
	}
	if a.guard == nil {
		t.Fatal("memory cannot be locked here: raise the limit (ulimit -l) to 1024 or more")
	}
	a.destroy()
	a.destroy()
	if a.bytes() != nil && len(a.bytes()) != 0 {
		t.Error("bytes after destroy")
	}
}

func TestErasureIsOnInThisBuild(t *testing.T) {
	if !ErasureOn() {
		t.Fatal("built without GOEXPERIMENT=runtimesecret: secrets stay in freed memory")
	}
}
