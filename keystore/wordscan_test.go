// Another process looks for the words, and what follows from them, in the memory of one that
// made identities from a phrase and from a codename and locked them.

//go:build e2e || bench

package keystore

import (
	"bufio"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/sethvargo/go-diceware/diceware"
	"golang.org/x/crypto/argon2"

	"nightjar/keystore/words"
)

// newWordPlant makes an empty vault and the words of a session: a phrase, a password for it, a
// codename, a password for an export.
func newWordPlant(dir string) *plant {
	p := &plant{path: filepath.Join(dir, "vault"), secrets: map[string][]byte{}}
	file := emptyVault()
	check(os.WriteFile(p.path, file, 0o600))
	master := random(masterSize)
	p.typed("phrase", words.AppendPhrase(nil, master))
	p.follows("phrase ", master)
	kek := p.password(p.secrets, "vault ", file[:saltSize])
	for i := range Slots {
		slotKey(p.key(p.secrets, fmt.Sprint("slot key ", i)), kek, i)
	}
	codename := words.AppendCodename(nil)
	p.typed("codename", codename)
	salt := append([]byte(codenameID), make([]byte, saltSize-len(codenameID))...)
	kek = p.key(p.secrets, "codename kek")
	standard().kek(kek, codename, salt)
	p.follows("codename ", kek[:masterSize])
	p.password(p.secrets, "export ", make([]byte, saltSize))
	return p
}

// typed plants words as they are typed, in capitals, and as they are.
func (p *plant) typed(name string, text []byte) {
	capitals := strings.ToUpper(string(text))
	p.input += capitals + "\n"
	p.secrets[name+" typed"], p.secrets[name] = []byte(capitals), text
}

// follows plants the keys of an identity.
func (p *plant) follows(prefix string, master []byte) {
	p.secrets[prefix+"master"] = master
	seed := p.key(p.secrets, prefix+"seed")
	expand(seed, master, seedLabel)
	expand(p.key(p.secrets, prefix+"root"), master, rootLabel)
	h := sha512.Sum512(seed)
	p.secrets[prefix+"scalar"], p.secrets[prefix+"signing prefix"] = h[:32], h[32:]
}

// wordsVictim restores an identity, opens another by its codename, moves the first through an
// export, writes its phrase where a person would see it, and locks all.
func wordsVictim(args []string) {
	var in [4]*Password
	for i := range in {
		in[i] = must(ReadPassword(0))
	}
	a := must(Restore(args[0], in[0], nil, in[1]))
	b := must(Codename(in[2]))
	c := must(ImportEphemeral(must(a.Export(in[3])), in[3]))
	shown, null := must(c.Phrase()), must(os.OpenFile(os.DevNull, os.O_WRONLY, 0))
	check(shown.WriteLine(int(null.Fd())))
	if !shown.SameWords(in[0]) || CheckPhrase(shown) != nil || CheckCodename(in[2]) != nil {
		panic("other words")
	}
	turn("open")
	shown.Destroy()
	for _, p := range in {
		p.Destroy()
	}
	for _, id := range []*Identity{a, b, c} {
		must(id.Sign(nil))
		id.Lock()
	}
	turn("locked")
}

// naiveWords is what the naive program keeps of one identity.
type naiveWords struct {
	typed, canon string
	places       map[string]int
	number       *big.Int
	master       []byte
	seed, root   []byte
	signer       ed25519.PrivateKey
	sums         [][]byte
}

// naiveWordsVictim does the same the way programs usually do, and drops it at lock.
func naiveWordsVictim([]string) {
	in := bufio.NewReader(os.Stdin)
	line := func() string { s := must(in.ReadString('\n')); return s[:len(s)-1] }
	var all []*naiveWords
	for range 2 {
		w := &naiveWords{typed: line(), number: new(big.Int), places: map[string]int{}}
		w.sums = append(w.sums, argon2.IDKey([]byte(line()), make([]byte, 32), 3, 256<<10, 4, 32))
		w.open()
		all = append(all, w)
	}
	turn("open")
	runtime.KeepAlive(all)
	all = nil
	runtime.GC()
	turn("locked")
	runtime.KeepAlive(all)
}

func (w *naiveWords) open() {
	w.canon = strings.Join(strings.Fields(strings.ToLower(w.typed)), " ")
	for i := range 7776 {
		w.places[diceware.WordListEffLarge().WordAt(diceOf(i))] = i
	}
	for _, s := range strings.Fields(w.canon) {
		w.number.Mul(w.number, big.NewInt(7776)).Add(w.number, big.NewInt(int64(w.places[s])))
	}
	if strings.Count(w.canon, " ") == 10 {
		w.master = new(big.Int).Rsh(w.number, 14).FillBytes(make([]byte, 16))
	} else {
		salt := append([]byte(codenameID), make([]byte, saltSize-len(codenameID))...)
		w.master = argon2.IDKey([]byte(w.canon), salt, 3, 256<<10, 4, 32)[:16]
	}
	w.seed = must(hkdf.Key(sha256.New, w.master, nil, seedLabel, 32))
	w.root = must(hkdf.Key(sha256.New, w.master, nil, rootLabel, 32))
	w.signer = ed25519.NewKeyFromSeed(w.seed)
	ed25519.Sign(w.signer, nil)
	h := sha512.Sum512(w.seed)
	w.sums = append(w.sums, h[:])
}

// diceOf returns the throw of five dice that stands for a place in the list.
func diceOf(i int) (dice int) {
	for unit := 1; unit < 100000; unit *= 10 {
		dice, i = dice+(i%6+1)*unit, i/6
	}
	return dice
}

func TestNoWordsOfALockedIdentityStayInMemory(t *testing.T) {
	p := newWordPlant(t.TempDir())
	open, locked, _ := look("words", p)
	t.Logf("of %d secrets: %d while open %v, %d after lock", len(p.secrets), len(open), open,
		len(locked))
	if len(locked) != 0 {
		t.Errorf("after lock: %v", locked)
	}
	for _, name := range []string{"phrase", "phrase master", "codename master", "codename seed"} {
		if !open[name] {
			t.Errorf("the look does not find the %s while it is open", name)
		}
	}
}

// The same in a program without our care: the look finds most of it after lock.
func TestANaiveProgramKeepsItsWords(t *testing.T) {
	p := newWordPlant(t.TempDir())
	open, locked, _ := look("words naive", p)
	t.Logf("of %d secrets: %d while open, %d after lock: %v", len(p.secrets), len(open),
		len(locked), locked)
	if len(locked) < 8 || !locked["phrase master"] || !locked["codename master"] {
		t.Errorf("only %v: the test proves nothing", locked)
	}
}
