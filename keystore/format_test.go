// The layout, byte for byte, against vectors that another implementation made.

package keystore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// vector is one golden vector: its lines by name.
type vector map[string]string

func (v vector) bytes(t *testing.T, name string) []byte {
	t.Helper()
	b, err := hex.DecodeString(v[name])
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}

// state returns the state of a vector; that of "full" is given by a rule.
func (v vector) state(t *testing.T) []byte {
	if v["name"] != "full" {
		return v.bytes(t, "state")
	}
	b := make([]byte, StateLimit)
	for i := range b {
		b[i] = byte(7 * i)
	}
	return b
}

func vectors(t *testing.T) (all []vector) {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(text), "\n\n")[1:] {
		v := vector{}
		for _, line := range strings.Split(strings.TrimSpace(block), "\n") {
			name, value, _ := strings.Cut(line, ":")
			v[name] = strings.TrimSpace(value)
		}
		all = append(all, v)
	}
	if len(all) != 3 {
		t.Fatalf("%d vectors", len(all))
	}
	return all
}

// build makes the vault of a vector with the code under test.
func (v vector) build(t *testing.T) []byte {
	slot, err := strconv.Atoi(v["slot"])
	if err != nil {
		t.Fatal(err)
	}
	file := v.bytes(t, "salt")
	for i := range Slots {
		file = append(file, bytes.Repeat([]byte{byte(i)}, slotSize)...)
	}
	key, plain := make([]byte, keySize), make([]byte, plainSize)
	slotKey(key, v.bytes(t, "kek"), slot)
	if !bytes.Equal(key, v.bytes(t, "slot key")) {
		t.Errorf("%s: slot key %x", v["name"], key)
	}
	payload{v.bytes(t, "master"), v.state(t)}.encode(plain)
	sealSlot(slotOf(file, slot), key, slot, [nonceSize]byte(v.bytes(t, "nonce")), plain)
	return file
}

func TestGoldenVaultsAreMadeByteForByte(t *testing.T) {
	for _, v := range vectors(t) {
		file := v.build(t)
		slot, _ := strconv.Atoi(v["slot"])
		s := slotOf(file, slot)
		sum, whole := sha256.Sum256(s), sha256.Sum256(file)
		for name, got := range map[string][]byte{"slot begins": s[:64], "slot ends": s[slotSize-32:],
			"slot sha-256": sum[:], "vault sha-256": whole[:]} {
			if !bytes.Equal(got, v.bytes(t, name)) {
				t.Errorf("%s: %s is %x", v["name"], name, got)
			}
		}
	}
}

// With the real cost: a vault that another implementation made opens.
func TestGoldenVaultsOpen(t *testing.T) {
	for _, v := range vectors(t) {
		path := filepath.Join(t.TempDir(), "vault")
		if err := os.WriteFile(path, v.build(t), 0o600); err != nil {
			t.Fatal(err)
		}
		id, err := Open(path, password(t, string(v.bytes(t, "password"))))
		if err != nil {
			t.Errorf("%s: %v", v["name"], err)
			continue
		}
		v.same(t, id)
		if strconv.Itoa(id.slot) != v["slot"] || !bytes.Equal(id.State(), v.state(t)) {
			t.Errorf("%s: another slot or state", v["name"])
		}
		id.Lock()
	}
}

func TestSizesAreThoseOfTheDocument(t *testing.T) {
	if fileSize != 4194336 || plainSize != 262104 || StateLimit != 262084 || Slots != 16 ||
		exportSize != 262176 {
		t.Error(fileSize, plainSize, StateLimit, Slots, exportSize)
	}
	if c := standard(); c != (cost{passes: 3, memory: 256 * 1024, lanes: 4}) {
		t.Error(c)
	}
}

// A slot opens in its own place only: the same bytes elsewhere, or under the key of another
// place, are refused.
func TestASlotOpensInItsOwnPlaceOnly(t *testing.T) {
	kek, plain, out := make([]byte, keySize), make([]byte, plainSize), make([]byte, plainSize)
	key, other, slot := make([]byte, keySize), make([]byte, keySize), make([]byte, slotSize)
	slotKey(key, kek, 3)
	slotKey(other, kek, 4)
	sealSlot(slot, key, 3, newNonce(), plain)
	if !openSlot(out, key, 3, slot) {
		t.Error("its own place")
	}
	if openSlot(out, key, 4, slot) || openSlot(out, other, 3, slot) ||
		openSlot(out, other, 4, slot) {
		t.Error("another place")
	}
}

func FuzzPayload(f *testing.F) {
	seed := func(n uint32, rest string, tail byte) {
		f.Add(append(binary.BigEndian.AppendUint32(nil, n), rest...), tail)
	}
	seed(0, "", 0)
	seed(3, strings.Repeat("k", masterSize)+"abc", 0)
	seed(3, strings.Repeat("k", masterSize)+"abcd", 0)
	seed(StateLimit, "full", 1)
	seed(StateLimit+1, "", 0)
	seed(1<<32-1, "", 0xff)
	seed(StateLimit-1, "", 1)
	f.Fuzz(func(t *testing.T, head []byte, tail byte) {
		plain := make([]byte, plainSize)
		copy(plain, head)
		plain[plainSize-1] |= tail
		p, ok := decodePayload(plain)
		if _, short := decodePayload(plain[1:]); short {
			t.Fatal("a short payload was read")
		}
		if !ok {
			return
		}
		again := bytes.Repeat([]byte{0xee}, plainSize)
		p.encode(again)
		if !bytes.Equal(plain, again) {
			t.Fatal("what was read is not what is written")
		}
	})
}
