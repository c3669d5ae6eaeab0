// Identities in words: they come back, alike to those of another implementation.

package keystore

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
)

// blocks returns the golden vectors of a file, each as its lines by name.
func blocks(t testing.TB, file string) (all []vector) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(text), "\n\n")[1:] {
		v := vector{}
		for line := range strings.Lines(block) {
			name, value, _ := strings.Cut(line, ":")
			v[name] = strings.TrimSpace(value)
		}
		all = append(all, v)
	}
	if len(all) < 3 {
		t.Fatalf("%s has %d vectors", file, len(all))
	}
	return all
}

// same fails if an identity is not the one of a vector.
func (v vector) same(t *testing.T, id *Identity) {
	t.Helper()
	public, agreement := id.PublicKey(), id.AgreementKey()
	derived, err := id.Derive("label", []byte("context"))
	if err != nil {
		t.Error(err)
	}
	k := keysOf(id.keys)
	for name, got := range map[string][]byte{"master": k.master, "seed": k.seed, "root": k.root,
		"public key": public[:], "agreement key": agreement[:], "derived": derived[:]} {
		if !bytes.Equal(got, v.bytes(t, name)) {
			t.Errorf("%s: %s is %x", v["name"], name, got)
		}
	}
}

// text returns what stands in a password.
func text(p *Password) (s string) {
	p.Use(func(b []byte) { s = string(b) })
	return s
}

func TestGoldenPhrasesOpen(t *testing.T) {
	for _, v := range blocks(t, "words.txt") {
		if v["phrase"] == "" {
			continue
		}
		id, err := cheapVault(t).restore(password(t, v["phrase"]), nil, password(t, "pw"), nil)
		if err != nil {
			t.Fatalf("%s: %v", v["phrase"], err)
		}
		v.same(t, id)
		p, err := id.Phrase()
		if err != nil || text(p) != v["phrase"] {
			t.Errorf("%s: the phrase is %v", v["phrase"], err)
		}
		id.Lock()
	}
}

// codenames are the vectors with a codename; each costs a real derivation.
func codenames(t *testing.T) (all []vector) {
	for _, v := range blocks(t, "words.txt") {
		if v["codename"] != "" {
			all = append(all, v)
		}
	}
	return all
}

func (v vector) opensByCodename(t *testing.T) {
	t.Helper()
	id, err := Codename(password(t, v["codename"]))
	if err != nil {
		t.Fatalf("%s: %v", v["codename"], err)
	}
	defer id.Lock()
	v.same(t, id)
}

func TestAGoldenCodenameOpens(t *testing.T) { codenames(t)[0].opensByCodename(t) }

func TestAnIdentityComesBackFromItsPhrase(t *testing.T) {
	id := mustCreate(t, cheapVault(t), "forgotten")
	phrase, err := id.Phrase()
	if err != nil {
		t.Fatal(err)
	}
	defer phrase.Destroy()
	if n := len(strings.Fields(text(phrase))); n != 11 {
		t.Errorf("%d words", n)
	}
	if err := CheckPhrase(phrase); err != nil {
		t.Error(err)
	}
	typed := password(t, " "+strings.ToUpper(strings.ReplaceAll(text(phrase), " ", "  ")))
	again, err := cheapVault(t).restore(typed, []byte("name"), password(t, "new"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Lock()
	if again.PublicKey() != id.PublicKey() || string(again.State()) != "name" {
		t.Error("another identity came back")
	}
	k1, err1 := id.Derive("x", nil)
	k2, err2 := again.Derive("x", nil)
	if err1 != nil || err2 != nil || k1 != k2 {
		t.Error("its derived keys are others", err1, err2)
	}
}

// Nobody can tell that an identity is in a vault already: it is then there twice. What the two
// share are the keys; the states go apart.
func TestRestoringIntoTheSameVaultMakesASecond(t *testing.T) {
	v := cheapVault(t)
	id := mustCreate(t, v, "first")
	phrase, err := id.Phrase()
	if err != nil {
		t.Fatal(err)
	}
	defer phrase.Destroy()
	keep := []*Password{password(t, "first")}
	if _, err := v.restore(phrase, nil, password(t, "first"), nil); !errors.Is(err, ErrExists) {
		t.Errorf("under its own password: %v", err)
	}
	second, err := v.restore(phrase, nil, password(t, "second"), keep)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Lock()
	if err := second.Save([]byte("of the second")); err != nil {
		t.Fatal(err)
	}
	if first := mustOpen(t, v, "first"); first.PublicKey() != second.PublicKey() ||
		len(first.State()) != 0 || first.slot == second.slot {
		t.Error("the two are not two of one")
	}
}

func TestWrongWordsAreToldByTheirPlaceAndMakeNothing(t *testing.T) {
	codename, err := NewCodename()
	if err != nil {
		t.Fatal(err)
	}
	defer codename.Destroy()
	w := strings.Fields(text(codename))
	place := func(err error) int {
		var e *WordsError
		if !errors.As(err, &e) {
			t.Fatalf("got %v", err)
		}
		return e.Word
	}
	v := cheapVault(t)
	for words, want := range map[string]int{
		strings.Join(w[:6], " "): 0,
		strings.Join(w[:3], " ") + " xyzzy " + strings.Join(w[4:], " "): 4,
		strings.Join(w, " ") + " abacus":                                0,
	} {
		p := password(t, words)
		_, opening := cheap().codename(p)
		_, restoring := v.restore(p, nil, password(t, "a"), nil)
		for _, err := range []error{CheckCodename(p), opening, CheckPhrase(p), restoring} {
			if place(err) != want {
				t.Errorf("got %v", err)
			}
		}
	}
	if err := CheckCodename(codename); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(v.path); err == nil {
		t.Error("a vault was made")
	}
}

func TestACodenameIsOneIdentityHoweverItIsTyped(t *testing.T) {
	codename, err := NewCodename()
	if err != nil {
		t.Fatal(err)
	}
	defer codename.Destroy()
	typed := password(t, strings.ToUpper(strings.ReplaceAll(text(codename), " ", "-"))+" ")
	var keys [][32]byte
	for _, p := range []*Password{codename, typed} {
		id, err := cheap().codename(p)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, id.PublicKey())
		id.Lock()
	}
	if keys[0] != keys[1] {
		t.Error("case and hyphens make another identity")
	}
	if !typed.SameWords(codename) || !codename.SameWords(codename) {
		t.Error("the same words are not the same")
	}
	for _, other := range []string{"abacus", text(codename) + " abacus", "abacus " + text(codename),
		"xyzzy", strings.TrimSuffix(text(codename), "a")[:10]} {
		if p := password(t, other); p.SameWords(codename) || codename.SameWords(p) {
			t.Errorf("%q is taken for the same words", other)
		}
	}
	if p := password(t, "xyzzy"); p.SameWords(p) {
		t.Error("what is no word is taken for words")
	}
}

func TestDestroyedWordsAreRefused(t *testing.T) {
	p := password(t, "gone")
	p.Destroy()
	if p.SameWords(p) || p.SameWords(nil) {
		t.Error("destroyed words are the same words")
	}
	v := cheapVault(t)
	_, opening := cheap().codename(p)
	_, restoring := v.restore(p, nil, password(t, "a"), nil)
	_, none := cheap().codename(nil)
	for _, err := range []error{opening, restoring, none, CheckCodename(p), CheckPhrase(p),
		p.WriteLine(1)} {
		if !errors.Is(err, ErrLocked) {
			t.Error(err)
		}
	}
}

func TestALineIsWrittenWhole(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := password(t, "one two three")
	for range 3 {
		if err := p.WriteLine(int(w.Fd())); err != nil {
			t.Error(err)
		}
	}
	w.Close()
	for range 3 {
		if q, err := ReadPassword(int(r.Fd())); err != nil || !q.Equal(p) {
			t.Error(err)
		}
	}
	if err := p.WriteLine(-1); err == nil {
		t.Error("a descriptor that is none was written to")
	}
}

func TestWordsDoNotPrint(t *testing.T) {
	id := mustCreate(t, cheapVault(t), "a")
	phrase, err := id.Phrase()
	if err != nil {
		t.Fatal(err)
	}
	defer phrase.Destroy()
	codename, err := NewCodename()
	if err != nil {
		t.Fatal(err)
	}
	defer codename.Destroy()
	for _, p := range []*Password{phrase, codename} {
		if shown(prints(t, p), []byte(text(p))) || shown(prints(t, hidden{p: p}), []byte(text(p))) {
			t.Error("words print")
		}
	}
	master := keysOf(id.keys).master
	bad := password(t, hex.EncodeToString(master))
	n := newcomer{id.keys, nil}
	for _, x := range []any{id, hidden{i: id}, n, &n, CheckPhrase(bad), CheckCodename(bad)} {
		if shown(prints(t, x), master) {
			t.Errorf("%T prints the master secret", x)
		}
	}
}
