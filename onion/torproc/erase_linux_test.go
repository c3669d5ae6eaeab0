// A key that was given to tor leaves no trace in this process.

package torproc

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"nightjar/onion/torconf"
)

// A testKey is a rule for a key that is nowhere in memory before.
type testKey byte

func (k testKey) fill(b []byte) {
	for i := range b {
		b[i] = byte(7*i) ^ byte(k)
	}
}

// command builds a command with the key.
func (k testKey) command() (string, error) {
	key := make([]byte, 64)
	k.fill(key)
	return torconf.AddOnion(key, 1, "unix:/s", nil)
}

// traces counts the places in this process's memory that hold the key as it is sent.
func (k testKey) traces(t *testing.T) int {
	t.Helper()
	part := make([]byte, 48) // of the key, as text of 64 characters; searched for in halves
	k.fill(part)
	text := make([]byte, 64)
	base64.StdEncoding.Encode(text, part)
	return copies(t, text)
}

// copies counts the places in this process's memory that hold a text of 64 bytes, beside text,
// which it clears.
func copies(t *testing.T, text []byte) int {
	t.Helper()
	head, tail := [32]byte(text), [32]byte(text[32:])
	clear(text)
	for i := range head {
		head[i] ^= 0xff // what is searched for must not be found itself
	}
	n := 0
	scan(t, func(memory []byte) {
		for {
			at := bytes.Index(memory, tail[:8])
			if at < 0 {
				return
			}
			if at >= 32 && flipped(memory[at-32:at]) == head {
				n++
			}
			memory = memory[at+8:]
		}
	})
	clear(tail[:])
	return n
}

func flipped(b []byte) (f [32]byte) {
	for i := range f {
		f[i] = b[i] ^ 0xff
	}
	return f
}

// scan calls f with each writable part of this process's memory.
func scan(t *testing.T, f func([]byte)) {
	t.Helper()
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	window := make([]byte, 1<<20)
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to int64
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x rw", &from, &to); err != nil {
			continue
		}
		if strings.Contains(lines.Text(), "[v") {
			continue
		}
		for ; from < to; from += int64(len(window)) - 64 {
			n, _ := mem.ReadAt(window[:min(int64(len(window)), to-from)], from)
			f(window[:n])
		}
	}
	clear(window)
}

// words counts the places that hold the 64 bytes of a password, or half of them as they are sent.
func (k testKey) words(t *testing.T) int {
	t.Helper()
	plain, sent := make([]byte, 64), make([]byte, 64)
	k.fill(plain)
	slices.Reverse(plain) // or it could be a key of another test
	hex.Encode(sent, plain[:32])
	return copies(t, plain) + copies(t, sent)
}

// locked is a tor's place in which nothing is kept of what is said, and a file with the password.
func (k testKey) locked(t *testing.T) System {
	t.Helper()
	dir := short(t)
	name, file := filepath.Join(dir, "c"), filepath.Join(dir, "word")
	plain := make([]byte, 64)
	k.fill(plain)
	slices.Reverse(plain)
	if err := os.WriteFile(file, plain, 0o600); err != nil {
		t.Fatal(err)
	}
	clear(plain)
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			said := make([]byte, 512)
			for n, err := c.Read(said); err == nil; n, err = c.Read(said) {
				if bytes.HasPrefix(said[:n], []byte("PROTOCOLINFO")) {
					io.WriteString(c, "250-AUTH METHODS=HASHEDPASSWORD\r\n")
				}
				clear(said)
				io.WriteString(c, "250 OK\r\n")
			}
			c.Close()
		}
	}()
	return System{Control: unixly + name, Socks: unixly + name, Password: file}
}

func TestPasswordLeavesNoTrace(t *testing.T) {
	sealed, naive := testKey(time.Now().UnixNano()|1), testKey(time.Now().UnixNano()&^1)
	p, err := sealed.locked(t).Start(Order{Dir: short(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Wipe()
	left := 1
	for end := time.Now().Add(5 * time.Second); left > 0 && time.Now().Before(end); {
		runtime.GC()
		left = sealed.words(t)
	}
	if left != 0 {
		t.Errorf("the password is in memory %d times", left)
	}
	word, err := os.ReadFile(naive.locked(t).Password)
	if err != nil {
		t.Fatal(err)
	}
	command := "AUTHENTICATE " + hex.EncodeToString(word)
	clear(word)
	if runtime.GC(); naive.words(t) == 0 {
		t.Error("the naive way leaves no trace either: this test proves nothing")
	}
	runtime.KeepAlive(command)
}

func TestKeyLeavesNoTrace(t *testing.T) {
	p, err := start(t, "good", Config{})
	if err != nil {
		t.Fatal(err)
	}
	sealed, naive := testKey(time.Now().UnixNano()), testKey(time.Now().UnixNano()+1)
	if err := p.AskSecret(sealed.command); err != nil {
		t.Fatal(err)
	}
	left := 1
	for end := time.Now().Add(5 * time.Second); left > 0 && time.Now().Before(end); {
		runtime.GC()
		left = sealed.traces(t)
	}
	if left != 0 {
		t.Errorf("the key is in memory %d times", left)
	}
	func() {
		command, _ := naive.command()
		p.Ask(command)
	}()
	runtime.GC()
	if naive.traces(t) == 0 {
		t.Error("the naive way leaves no trace either: this test proves nothing")
	}
}
