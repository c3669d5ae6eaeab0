// Other processes that the slow tests start from their own program: a session with the keystore,
// the same session written naively, and writers that are killed.

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
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// victims are the programs by name; each gets the rest of its arguments.
func victims() map[string]func([]string) {
	return map[string]func([]string){
		"session": sessionVictim, "naive": naiveVictim,
		"writer": writerVictim, "in place": inPlaceVictim,
		"unlock": unlockVictim, "limit": limitVictim, "limit naive": limitNaiveVictim,
		"harden": hardenVictim, "disk": diskVictim, "sign naive": signNaiveVictim,
		"words": wordsVictim, "words naive": naiveWordsVictim,
		"memory": memoryVictim, "look": openVictim,
		"maker": makerVictim, "maker naive": naiveMakerVictim,
	}
}

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "victim" {
		victims()[os.Args[2]](os.Args[3:])
		return
	}
	os.Exit(m.Run())
}

// victim prepares a process of this program that runs one of victims.
func victim(name string, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", append([]string{"victim", name}, args...)...)
	cmd.Stderr = os.Stderr
	return cmd
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// peers is how many agreements and derivations a session makes; marks is how many secrets of
// 32 bytes stand in a state, one every markStep bytes.
const (
	peers    = 12
	marks    = 8
	markStep = 1000
)

// nextState is the state that a session saves: that of before with every bit turned.
func nextState(dst, src []byte) {
	for i, b := range src {
		dst[i] = ^b
	}
}

// line reads what is no secret.
func line() []byte {
	buf := make([]byte, 8192)
	n := must(readLine(0, buf))
	return must(hex.DecodeString(string(buf[:n])))
}

// turn tells the parent where the session is and waits for its word.
func turn(where string) {
	fmt.Println(where)
	line()
}

// sessionVictim opens two identities, works with the first, changes its password, locks it, and
// still has the second. Secret results are handled as the package asks: inside do.
func sessionVictim(args []string) {
	pw1, pw2, pw3 := must(ReadPassword(0)), must(ReadPassword(0)), must(ReadPassword(0))
	a, b := must(Open(args[0], pw1)), must(Open(args[0], pw2))
	var last [32]byte
	use := func(i int) {
		do(func() {
			s, k := must(a.Agree(last)), must(a.Derive("test", []byte{byte(i)}))
			clear(s[:])
			clear(k[:])
		})
	}
	for i := range peers {
		last = [32]byte(line())
		use(i)
	}
	sealed := line()
	do(func() {
		key := must(hpke.NewDHKEMPrivateKey(a.Exchanger()))
		clear(must(hpke.Open(key, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), nil, sealed)))
		must(a.Sign(sealed))
		state := a.State()
		nextState(state, state)
		check(a.Save(state))
		clear(state)
	})
	check(a.ChangePassword(pw3))
	turn("open")
	pw1.Destroy()
	pw2.Destroy()
	pw3.Destroy()
	must(a.Sign(sealed)) // at the last moment: the library caches the expanded key
	use(peers - 1)
	a.Lock()
	turn("locked")
	must(b.Sign(nil))
}

// naiveSession is what the naive program keeps.
type naiveSession struct {
	password, next string
	salt, kek, key []byte
	plain          []byte
	seed, root     []byte
	signer         ed25519.PrivateKey
	agreement      *ecdh.PrivateKey
	shared         [][]byte
}

// naiveVictim does the same session with the same formats the way programs usually do: strings,
// slices, and at lock the references are dropped and the heap is collected.
func naiveVictim(args []string) {
	in := bufio.NewReader(os.Stdin)
	text := func() string { s := must(in.ReadString('\n')); return s[:len(s)-1] }
	s := &naiveSession{password: text()}
	text()
	s.next = text()
	s.open(must(os.ReadFile(args[0])))
	for i := range peers {
		s.work(must(hex.DecodeString(text())), byte(i))
	}
	s.rest(must(hex.DecodeString(text())))
	fmt.Println("open")
	text()
	runtime.KeepAlive(s)
	s = nil
	runtime.GC()
	fmt.Println("locked")
	text()
	runtime.KeepAlive(s)
}

func (s *naiveSession) open(file []byte) {
	s.salt = file[:saltSize]
	s.kek = argon2.IDKey([]byte(s.password), s.salt, 3, 256<<10, 4, 32)
	for i := range Slots {
		key := must(hkdf.Key(sha256.New, s.kek, nil, slotLabel+string([]byte{byte(i)}), 32))
		aead := must(chacha20poly1305.NewX(key))
		slot := slotOf(file, i)
		if p, err := aead.Open(nil, slot[:24], slot[24:], slotAD(i)); err == nil {
			s.key, s.plain = key, p
			s.seed = must(hkdf.Key(sha256.New, p[4:20], nil, seedLabel, 32))
			s.root = must(hkdf.Key(sha256.New, p[4:20], nil, rootLabel, 32))
			return
		}
	}
}

func (s *naiveSession) work(peer []byte, i byte) {
	h := sha512.Sum512(s.seed)
	s.agreement = must(ecdh.X25519().NewPrivateKey(h[:32]))
	s.shared = append(s.shared, must(s.agreement.ECDH(must(ecdh.X25519().NewPublicKey(peer)))))
	info := append(binary.BigEndian.AppendUint16([]byte(deriveLabel), 4), "test"...)
	s.shared = append(s.shared,
		must(hkdf.Key(sha256.New, s.root, nil, string(append(info, i)), 32)))
}

func (s *naiveSession) rest(sealed []byte) {
	key := must(hpke.NewDHKEMPrivateKey(s.agreement))
	s.shared = append(s.shared,
		must(hpke.Open(key, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), nil, sealed)))
	s.signer = ed25519.NewKeyFromSeed(s.seed)
	ed25519.Sign(s.signer, sealed)
	state := bytes.Clone(s.plain)
	nextState(state[headSize:headSize+marks*markStep], s.plain[headSize:headSize+marks*markStep])
	next := argon2.IDKey([]byte(s.next), s.salt, 3, 256<<10, 4, 32)
	for i := range Slots {
		s.shared = append(s.shared,
			must(hkdf.Key(sha256.New, next, nil, slotLabel+string([]byte{byte(i)}), 32)))
	}
	must(chacha20poly1305.NewX(next)).Seal(nil, make([]byte, 24), state, nil)
	s.shared = append(s.shared, state, next)
}

// unlockVictim opens a vault and says whether it could; for the messages and the exit code.
func unlockVictim(args []string) {
	id, err := at(args[0], cheap()).open(must(ReadPassword(0)))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	id.Lock()
}

// writerVictim saves counters for ever and prints each that was acknowledged.
func writerVictim(args []string) {
	id := must(at(args[0], cheap()).open(must(NewPassword([]byte(args[1])))))
	for n := counter(id.State()) + 1; ; n++ {
		check(id.Save(binary.BigEndian.AppendUint64(nil, n)))
		must(os.Stdout.WriteString(strconv.FormatUint(n, 10) + "\n"))
	}
}

// counter reads the state of a writer; 0 before its first.
func counter(state []byte) uint64 {
	return binary.BigEndian.Uint64(append(make([]byte, 8), state...)[len(state):])
}

// inPlaceVictim saves as programs usually do: it writes over the file.
func inPlaceVictim(args []string) {
	file := must(os.ReadFile(args[0]))
	slot := must(strconv.Atoi(args[1]))
	for n := uint64(1); ; n++ {
		rand.Read(slotOf(file, slot)) // stands in for a sealed state
		check(os.WriteFile(args[0], file, 0o600))
		must(os.Stdout.WriteString(strconv.FormatUint(n, 10) + "\n"))
	}
}
