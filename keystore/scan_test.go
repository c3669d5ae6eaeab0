// Another process looks through the memory of one that used an identity and locked it.

//go:build e2e || bench

package keystore

import (
	"bufio"
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/blake2b"
)

// plant is a vault whose every secret is known, and what a session needs to be told.
type plant struct {
	path    string
	input   string            // passwords and public keys, as lines
	secrets map[string][]byte // of the identity that is locked
	other   map[string][]byte // of the identity that stays open
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// newPlant makes a vault with two identities and the words of a session with it.
func newPlant(dir string) *plant {
	p := &plant{path: filepath.Join(dir, "vault"), secrets: map[string][]byte{},
		other: map[string][]byte{}}
	file := emptyVault()
	state := random(60000)
	for i := range marks {
		mark := state[i*markStep:][:32]
		p.secrets[fmt.Sprint("state ", i)] = mark
		p.secrets[fmt.Sprint("saved state ", i)] = make([]byte, 32)
		nextState(p.secrets[fmt.Sprint("saved state ", i)], mark)
	}
	seed, root := p.identity(p.secrets, file, 5, state)
	p.identity(p.other, file, 11, nil)
	next := p.password(p.secrets, "next ", file[:saltSize])
	slotKey(p.key(p.secrets, "next slot key"), next, 5)
	h := sha512.Sum512(seed)
	p.secrets["signing prefix"] = h[32:]
	for i := range peers {
		p.peer(i, h[:32], root)
	}
	p.sealed(h[:32])
	check(os.WriteFile(p.path, file, 0o600))
	return p
}

func (p *plant) key(to map[string][]byte, name string) []byte {
	to[name] = make([]byte, keySize)
	return to[name]
}

// password plants a password, what Argon2 makes of it first (RFC 9106, 3.2: H0), and its kek.
func (p *plant) password(to map[string][]byte, prefix string, salt []byte) (kek []byte) {
	pw := hex.AppendEncode([]byte("pw-"), random(16))
	p.input += string(pw) + "\n"
	to[prefix+"password"] = pw
	c, u32 := standard(), binary.LittleEndian.AppendUint32
	var b []byte
	for _, n := range []uint32{uint32(c.lanes), keySize, c.memory, c.passes, 0x13, 2} {
		b = u32(b, n)
	}
	b = append(u32(b, uint32(len(pw))), pw...)
	b = append(u32(b, saltSize), salt...)
	h0 := blake2b.Sum512(u32(u32(b, 0), 0))
	to[prefix+"h0"] = h0[:]
	kek = p.key(to, prefix+"kek")
	c.kek(kek, pw, salt)
	return kek
}

func (p *plant) identity(to map[string][]byte, file []byte, slot int, state []byte) (seed,
	root []byte) {
	master := random(masterSize)
	seed, root = make([]byte, keySize), make([]byte, keySize)
	expand(seed, master, seedLabel)
	expand(root, master, rootLabel)
	key, plain := p.key(to, "slot key"), make([]byte, plainSize)
	slotKey(key, p.password(to, "", file[:saltSize]), slot)
	payload{master, state}.encode(plain)
	sealSlot(slotOf(file, slot), key, slot, newNonce(), plain)
	h := sha512.Sum512(seed)
	to["seed"], to["root"], to["scalar"] = seed, root, bytes.Clone(h[:32])
	to["master"] = master
	return seed, root
}

// peer plants the agreement with a new peer and one derived key.
func (p *plant) peer(i int, scalar, root []byte) {
	peer := must(ecdh.X25519().GenerateKey(nil))
	p.input += hex.EncodeToString(peer.PublicKey().Bytes()) + "\n"
	p.secrets[fmt.Sprint("agreement ", i)] = must(x25519(scalar).ECDH(peer.PublicKey()))
	info := append(binary.BigEndian.AppendUint16([]byte(deriveLabel), 4), "test"...)
	p.secrets[fmt.Sprint("derived ", i)] =
		must(hkdf.Key(sha256.New, root, nil, string(append(info, byte(i))), keySize))
}

// sealed plants a message that is sealed to the identity.
func (p *plant) sealed(scalar []byte) {
	text := random(64)
	key := must(hpke.NewDHKEMPrivateKey(x25519(scalar)))
	c := must(hpke.Seal(key.PublicKey(), hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), nil, text))
	p.input += hex.EncodeToString(c) + "\n"
	p.secrets["message"] = text
}

// piece is 16 bytes of a secret, and whose.
type piece struct {
	name string
	b    []byte
}

// piecesOf cuts secrets into pieces, sorted by their first two bytes for a search in one pass.
func piecesOf(secrets map[string][]byte) *[1 << 16][]piece {
	by := new([1 << 16][]piece)
	for name, s := range secrets {
		for ; len(s) >= 16; s = s[16:] {
			i := binary.LittleEndian.Uint16(s)
			by[i] = append(by[i], piece{name, s[:16]})
		}
	}
	return by
}

// scan returns the names of the secrets of which a piece stands anywhere in a process.
func scan(pid int, secrets map[string][]byte) map[string]bool {
	found, pieces := map[string]bool{}, piecesOf(secrets)
	mem := must(os.Open(fmt.Sprintf("/proc/%d/mem", pid)))
	defer mem.Close()
	maps := string(must(os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))))
	const chunk, overlap = 4 << 20, 15
	buf := make([]byte, chunk+overlap)
	for m := range strings.Lines(maps) {
		if strings.Contains(m, "[vsyscall]") { // at the end of all addresses; not memory
			continue
		}
		var from, to int64
		must(fmt.Sscanf(m, "%x-%x", &from, &to))
		for ; from < to; from += chunk {
			n, _ := mem.ReadAt(buf[:min(int64(len(buf)), to-from)], from)
			for i := 0; i+16 <= n; i++ {
				for _, p := range pieces[uint16(buf[i])|uint16(buf[i+1])<<8] {
					if bytes.Equal(p.b, buf[i:i+16]) {
						found[p.name] = true
					}
				}
			}
		}
	}
	return found
}

// look runs a session and returns what stands in its memory while open and after lock.
func look(name string, p *plant) (open, locked, other map[string]bool) {
	cmd := victim(name, p.path)
	in, out := must(cmd.StdinPipe()), bufio.NewReader(must(cmd.StdoutPipe()))
	check(cmd.Start())
	must(io.WriteString(in, p.input))
	expect := func(word string) {
		if s, err := out.ReadString('\n'); s != word+"\n" {
			panic(fmt.Sprintf("the session says %q, %v", s, err))
		}
	}
	expect("open")
	open = scan(cmd.Process.Pid, p.secrets)
	must(io.WriteString(in, "00\n"))
	expect("locked")
	locked, other = scan(cmd.Process.Pid, p.secrets), scan(cmd.Process.Pid, p.other)
	must(io.WriteString(in, "00\n"))
	check(cmd.Wait())
	return open, locked, other
}

func TestNothingOfALockedIdentityStaysInMemory(t *testing.T) {
	p := newPlant(t.TempDir())
	if len(p.secrets) < 40 {
		t.Fatalf("only %d secrets are planted", len(p.secrets))
	}
	open, locked, other := look("session", p)
	t.Logf("of %d secrets: %d while open %v, %d after lock; of the other identity: %v",
		len(p.secrets), len(open), open, len(locked), other)
	if len(locked) != 0 {
		t.Errorf("after lock: %v", locked)
	}
	for _, name := range []string{"seed", "root", "slot key", "scalar"} {
		if !other[name] {
			t.Errorf("the look does not find the %s of the identity that is open", name)
		}
	}
	want := ed25519.NewKeyFromSeed(p.secrets["seed"])[32:]
	again := mustOpenReal(t, p)
	if public := again.PublicKey(); !bytes.Equal(public[:], want) {
		t.Error("another identity opens")
	}
	state := again.State()
	if !bytes.Equal(state[:32], p.secrets["saved state 0"]) {
		t.Error("the session did not save")
	}
}

func mustOpenReal(t *testing.T, p *plant) *Identity {
	t.Helper()
	id, err := Open(p.path, password(t, string(p.secrets["next password"])))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(id.Lock)
	return id
}

// The same session in a program without our care: the look finds most of it after lock.
func TestANaiveProgramKeepsItsSecrets(t *testing.T) {
	p := newPlant(t.TempDir())
	open, locked, _ := look("naive", p)
	t.Logf("of %d secrets: %d while open, %d after lock", len(p.secrets), len(open), len(locked))
	if len(locked) <= 30 {
		t.Errorf("only %d: %v", len(locked), locked)
	}
}
