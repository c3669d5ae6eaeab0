// Test vectors: what goes in and what must come out, in a file of a room.

package proof

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Hex is bytes that JSON shows in hexadecimal.
type Hex []byte

// MarshalText writes hexadecimal digits.
func (h Hex) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

// UnmarshalText reads them.
func (h *Hex) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

// Vectors fails unless compute, of what goes in, makes again what stands in a file. With write it
// writes them anew first, from given.
func Vectors[V any](t *testing.T, file string, write bool, given *V, compute func(*V)) {
	t.Helper()
	if write {
		compute(given)
		writeVectors(t, file, given)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var v V
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	compute(&v)
	if again, _ := json.MarshalIndent(&v, "", "\t"); !bytes.Equal(append(again, '\n'), b) {
		t.Error("what is made is no longer what the vectors say")
	}
}

func writeVectors(t *testing.T, file string, v any) {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
