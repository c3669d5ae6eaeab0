// What someone who holds the file sees: nothing. No statistic tells a slot that is used from one
// that is not, and so none tells how many identities there are.

package keystore

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"math"
	"math/bits"
	"slices"
	"testing"
)

// oddities runs the battery over bytes and names every statistic that lies further from what
// random bytes give than 6 standard deviations: by chance once in 500 million looks.
func oddities(b []byte) (odd []string) {
	n := float64(len(b))
	var ones, flips int
	var count [256]float64
	var sum, next float64
	seen, repeats := map[uint64]bool{}, 0
	for i, c := range b {
		ones += bits.OnesCount8(c)
		flips += bits.OnesCount8((c ^ c>>1) & 0x7f)
		count[c]++
		sum += float64(c)
		next += (float64(c) - 127.5) * (float64(b[(i+1)%len(b)]) - 127.5)
		if i%8 == 7 {
			var w uint64
			for _, x := range b[i-7 : i+1] {
				w = w<<8 | uint64(x)
			}
			if seen[w] {
				repeats++
			}
			seen[w] = true
		}
	}
	chi := 0.0
	for _, c := range count {
		chi += (c - n/256) * (c - n/256) / (n / 256)
	}
	const variance = (256*256 - 1) / 12.0 // of one byte
	for name, z := range map[string]float64{
		"bits":        (float64(ones) - 4*n) / math.Sqrt(2*n),
		"runs":        (float64(flips) - 3.5*n) / math.Sqrt(7*n/4),
		"bytes":       (chi - 255) / math.Sqrt(2*255),
		"mean":        (sum - 127.5*n) / math.Sqrt(variance*n),
		"neighbours":  next / (variance * math.Sqrt(n)),
		"repetitions": float64(repeats) * 100,
		"deflate":     math.Max(0, n-float64(deflated(b))) * 100,
	} {
		if math.Abs(z) > 6 {
			odd = append(odd, name)
		}
	}
	return odd
}

func deflated(b []byte) int {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		panic(err)
	}
	if _, err := w.Write(b); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Len()
}

// population is a vault with n identities, each with a state of another size.
func population(t *testing.T, n int) (vault, []*Identity) {
	v := cheapVault(t)
	if err := v.create(); err != nil {
		t.Fatal(err)
	}
	var names []string
	var ids []*Identity
	for i := range n {
		name := string(rune('a' + i))
		id := mustCreate(t, v, name, names...)
		if err := id.Save(bytes.Repeat([]byte("state "), 5000*i)); err != nil {
			t.Fatal(err)
		}
		names, ids = append(names, name), append(ids, id)
	}
	return v, ids
}

func TestNobodyCanCountIdentities(t *testing.T) {
	for _, n := range []int{0, 1, 8} {
		v, _ := population(t, n)
		file := mustRead(t, v)
		if len(file) != fileSize {
			t.Errorf("%d identities: %d bytes", n, len(file))
		}
		if odd := oddities(file); odd != nil {
			t.Errorf("%d identities: the file is odd in %v", n, odd)
		}
		for i := range Slots {
			if odd := oddities(slotOf(file, i)); odd != nil {
				t.Errorf("%d identities: slot %d is odd in %v", n, i, odd)
			}
		}
	}
}

// The battery sees what usual formats do: empty slots of zeros, a visible length, a state that
// is sealed without padding, a keystream used twice.
func TestTheBatterySeesNaiveVaults(t *testing.T) {
	v, ids := population(t, 1)
	good := mustRead(t, v)
	naive := map[string]func(slot []byte){
		"zeros":    func(s []byte) { clear(s) },
		"unpadded": func(s []byte) { clear(s[slotSize-4000:]) },
		"header":   func(s []byte) { copy(s, bytes.Repeat([]byte("version=1 kdf=argon2id "), 20)) },
		"keystream": func(s []byte) { // two halves under one keystream, both mostly zeros
			copy(s[slotSize/2:], s[:slotSize/2])
		},
	}
	for name, spoil := range naive {
		file := bytes.Clone(good)
		spoil(slotOf(file, ids[0].slot))
		if odd := oddities(slotOf(file, ids[0].slot)); odd == nil {
			t.Errorf("%s: the battery sees nothing", name)
		}
	}
}

// changed returns the slots in which two snapshots of a vault differ, and fails if anything else
// does or if a difference is not that of two random slots.
func changed(t *testing.T, before, after []byte) (slots []int) {
	t.Helper()
	if len(before) != len(after) || !bytes.Equal(before[:saltSize], after[:saltSize]) {
		t.Error("the size or the salt changed")
	}
	for i := range Slots {
		a, b := slotOf(before, i), slotOf(after, i)
		if bytes.Equal(a, b) {
			continue
		}
		slots = append(slots, i)
		if odd := oddities(xor(a, b)); odd != nil {
			t.Errorf("slot %d: the difference shows more: %v", i, odd)
		}
	}
	return slots
}

func xor(a, b []byte) []byte {
	diff := make([]byte, len(a))
	subtle.XORBytes(diff, a, b)
	return diff
}

// Two copies of a vault, before and after, show which slots were written in between and no more
// than that (nor how often, nor what was done): the price of one file that cannot be rewritten
// where it is locked.
func TestTwoSnapshotsShowWhichSlotsWereWrittenAndNoMore(t *testing.T) {
	v, ids := population(t, 3)
	large := bytes.Repeat([]byte{7}, StateLimit)
	for name, work := range map[string]func(id *Identity) error{
		"nothing new":  func(id *Identity) error { return id.Save(id.State()) },
		"one byte":     func(id *Identity) error { return id.Save([]byte{1}) },
		"all it holds": func(id *Identity) error { return id.Save(large) },
		"twice": func(id *Identity) error {
			return errors.Join(id.Save(large), id.Save(nil))
		},
		"a password": func(id *Identity) error {
			return id.ChangePassword(password(t, rand.Text()))
		},
	} {
		for k := range len(ids) + 1 {
			before, want := mustRead(t, v), []int(nil)
			for _, id := range ids[:k] {
				if err := work(id); err != nil {
					t.Fatal(err)
				}
				want = append(want, id.slot)
			}
			slices.Sort(want)
			if got := changed(t, before, mustRead(t, v)); !slices.Equal(got, want) {
				t.Errorf("%s: slots %v changed, %v were written", name, got, want)
			}
		}
	}
	before := mustRead(t, v)
	if err := ids[1].Burn(); err != nil {
		t.Fatal(err)
	}
	if got := changed(t, before, mustRead(t, v)); !slices.Equal(got, []int{ids[1].slot}) {
		t.Errorf("burning slot %d changed %v", ids[1].slot, got)
	}
}

// What disk encryption does, one nonce for each place: two snapshots show where the state changed
// and how long it is.
func TestTwoSnapshotsOfANaiveVaultShowMore(t *testing.T) {
	key, nonce, plain := make([]byte, keySize), newNonce(), make([]byte, plainSize)
	before, after := make([]byte, slotSize), make([]byte, slotSize)
	sealSlot(before, key, 0, nonce, plain)
	copy(plain[headSize:], "one more contact")
	sealSlot(after, key, 0, nonce, plain)
	if odd := oddities(xor(before, after)); odd == nil {
		t.Error("the battery sees nothing in the difference")
	}
}
