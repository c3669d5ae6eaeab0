// Exports: byte for byte those of another implementation, of one size, and refused when spoilt.

package keystore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// export makes the file of a vector with the code under test.
func (v vector) export(t *testing.T) []byte {
	t.Helper()
	file, plain, key := make([]byte, exportSize), make([]byte, plainSize), make([]byte, keySize)
	copy(file, v.bytes(t, "salt"))
	copy(file[saltSize:], v.bytes(t, "nonce"))
	exportKey(key, v.bytes(t, "kek"))
	if !bytes.Equal(key, v.bytes(t, "key")) {
		t.Errorf("%s: key %x", v["name"], key)
	}
	payload{v.bytes(t, "master"), v.state(t)}.encode(plain)
	sealExport(file, v.bytes(t, "kek"), plain)
	return file
}

func TestGoldenExportsAreMadeByteForByte(t *testing.T) {
	for _, v := range blocks(t, "exports.txt") {
		file := v.export(t)
		sum := sha256.Sum256(file)
		for name, got := range map[string][]byte{"begins": file[:96], "ends": file[exportSize-32:],
			"sha-256": sum[:]} {
			if !bytes.Equal(got, v.bytes(t, name)) {
				t.Errorf("%s: %s is %x", v["name"], name, got)
			}
		}
		if v["size"] != strconv.Itoa(len(file)) {
			t.Errorf("%s: %d bytes", v["name"], len(file))
		}
		plain := make([]byte, plainSize)
		ok := unsealExport(plain, v.bytes(t, "kek"), file)
		if p, read := decodePayload(plain); !ok || !read || !bytes.Equal(p.state, v.state(t)) {
			t.Errorf("%s: does not open", v["name"])
		}
	}
}

// opensAsExport imports the file of a vector at the real cost.
func (v vector) opensAsExport(t *testing.T) {
	t.Helper()
	id, err := ImportEphemeral(v.export(t), password(t, string(v.bytes(t, "password"))))
	if err != nil {
		t.Fatalf("%s: %v", v["name"], err)
	}
	defer id.Lock()
	v.same(t, id)
	if !bytes.Equal(id.State(), v.state(t)) {
		t.Errorf("%s: another state", v["name"])
	}
}

func TestAGoldenExportOpens(t *testing.T) { blocks(t, "exports.txt")[0].opensAsExport(t) }

func TestAnIdentityMovesToAnotherVault(t *testing.T) {
	v, w := cheapVault(t), cheapVault(t)
	id := mustCreate(t, v, "here")
	if err := id.Save([]byte("contacts and messages")); err != nil {
		t.Fatal(err)
	}
	before := mustRead(t, v)
	sealed := mustExport(t, id, "on the way")
	mustCreate(t, w, "other")
	keep := []*Password{password(t, "other")}
	there, err := w.importIdentity(sealed, password(t, "on the way"), password(t, "there"), keep)
	if err != nil {
		t.Fatal(err)
	}
	defer there.Lock()
	if there.PublicKey() != id.PublicKey() || string(there.State()) != "contacts and messages" {
		t.Error("another identity came")
	}
	if again := mustOpen(t, w, "there"); again.PublicKey() != id.PublicKey() {
		t.Error("it did not stay")
	}
	mustOpen(t, w, "other")
	if !bytes.Equal(before, mustRead(t, v)) {
		t.Error("exporting wrote to the vault")
	}
	_, err = w.importIdentity(sealed, password(t, "on the way"), password(t, "there"), nil)
	if !errors.Is(err, ErrExists) {
		t.Errorf("a password that exists: %v", err)
	}
}

func mustExport(t testing.TB, id *Identity, pw string) []byte {
	t.Helper()
	sealed, err := id.Export(password(t, pw))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// The largest state and none give files of one size, each random to every look, and no two have
// anything in common.
func TestExportsLookAlike(t *testing.T) {
	v := cheapVault(t)
	id := mustCreate(t, v, "a")
	small := mustExport(t, id, "x")
	if err := id.Save(make([]byte, StateLimit)); err != nil {
		t.Fatal(err)
	}
	large, again := mustExport(t, id, "x"), mustExport(t, id, "x")
	for name, b := range map[string][]byte{"small": small, "large": large, "again": again} {
		if len(b) != exportSize {
			t.Errorf("%s: %d bytes", name, len(b))
		}
		if odd := oddities(b); odd != nil {
			t.Errorf("%s is odd in %v", name, odd)
		}
	}
	for i, pair := range [][2][]byte{{small, large}, {large, again}} {
		if n := equalBytes(pair[0], pair[1]); n > exportSize/128 {
			t.Errorf("pair %d has %d bytes in common", i, n)
		}
	}
	// The naive export is the slot as it stands in the vault: whoever has both knows whose it is.
	if naive := slotOf(mustRead(t, v), id.slot); equalBytes(naive, id.sealed) != slotSize {
		t.Error("the naive export is not found in the vault")
	}
	if bytes.Contains(mustRead(t, v), large[saltSize+nonceSize:][:64]) {
		t.Error("the export is found in the vault")
	}
}

func TestASpoiltExportIsRefused(t *testing.T) {
	dir := t.TempDir()
	sealed := mustExport(t, mustCreate(t, cheapVault(t), "a"), "x")
	open := func(b []byte, pw string) error {
		id, err := cheap().importEphemeral(b, password(t, pw))
		if err == nil {
			id.Lock()
		}
		v := at(filepath.Join(dir, "vault"), cheap())
		if _, err2 := v.importIdentity(b, password(t, pw), password(t, "p"), nil); err != nil &&
			!errors.Is(err2, err) {
			t.Errorf("in memory %v, into a vault %v", err, err2)
		}
		return err
	}
	if err := open(sealed, "y"); !errors.Is(err, ErrExport) {
		t.Errorf("another password: %v", err)
	}
	for name, off := range map[string]int{"salt": 3, "nonce": 40, "length": 56, "master": 62,
		"state": 100, "padding": 200000, "tag": exportSize - 1} {
		bad := bytes.Clone(sealed)
		bad[off] ^= 0x10
		if err := open(bad, "x"); !errors.Is(err, ErrExport) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, b := range [][]byte{nil, sealed[:exportSize-1], append(bytes.Clone(sealed), 0),
		make([]byte, fileSize)} {
		if err := open(b, "x"); !errors.Is(err, ErrNotExport) {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	}
	if err := open(sealed, "x"); err != nil {
		t.Error(err)
	}
}

// A slot of a vault is no export, not even under the same salt and password; nor the other way.
func TestASlotIsNoExport(t *testing.T) {
	v := cheapVault(t)
	id := mustCreate(t, v, "a")
	file := mustRead(t, v)
	fake := append(bytes.Clone(file[:saltSize]), slotOf(file, id.slot)...)
	if _, err := cheap().importEphemeral(fake, password(t, "a")); !errors.Is(err, ErrExport) {
		t.Errorf("a slot as an export: %v", err)
	}
	sealed := mustExport(t, id, "a")
	for i := range Slots {
		copy(file, sealed[:saltSize])
		copy(slotOf(file, i), sealed[saltSize:])
	}
	mustWrite(t, v, file)
	if _, err := v.open(password(t, "a")); !errors.Is(err, ErrPassword) {
		t.Errorf("an export as a slot: %v", err)
	}
}

func TestALockedIdentityGivesNothingAway(t *testing.T) {
	id := mustCreate(t, cheapVault(t), "a")
	id.Lock()
	_, phrase := id.Phrase()
	sealed, exporting := id.Export(password(t, "x"))
	if !errors.Is(phrase, ErrLocked) || !errors.Is(exporting, ErrLocked) || sealed != nil {
		t.Error(phrase, exporting)
	}
}

// FuzzImport gives the import two kinds of files: any bytes, which must be refused, and any
// payload that is sealed rightly, of which exactly those come in that an export holds.
func FuzzImport(f *testing.F) {
	for _, n := range []uint32{0, 3, StateLimit, StateLimit + 1, 1<<32 - 1} {
		head := append(binary.BigEndian.AppendUint32(nil, n), strings.Repeat("k", masterSize)...)
		f.Add(append(head, "abc"...), byte(0), false)
		f.Add(head, byte(1), true)
	}
	kek := make([]byte, keySize)
	pw := password(f, "fuzz")
	cheap().kek(kek, pw.a.bytes(), make([]byte, saltSize))
	f.Fuzz(func(t *testing.T, head []byte, tail byte, whole bool) {
		plain, file := make([]byte, plainSize), make([]byte, exportSize)
		copy(plain, head)
		plain[plainSize-1] |= tail
		want, ok := decodePayload(plain)
		if whole {
			file, ok = head, false
		} else {
			sealExport(file, kek, plain)
		}
		n, err := openExport(cheap(), file, pw)
		if ok != (err == nil) {
			t.Fatal(ok, err)
		}
		if err != nil {
			if !errors.Is(err, ErrExport) && !errors.Is(err, ErrNotExport) || n.master != nil {
				t.Fatal(err)
			}
			return
		}
		defer n.master.destroy()
		again := make([]byte, plainSize)
		payload{n.master.bytes(), n.state}.encode(again)
		if !bytes.Equal(n.state, want.state) || !bytes.Equal(plain, again) {
			t.Fatal("what came in is not what was sealed")
		}
	})
}
