// What a killed play leaves is gone with the next.

package scratch

import (
	"os"
	"path/filepath"
	"testing"
)

func TestNextPlayClearsWhatAKilledOneLeft(t *testing.T) {
	parent := t.TempDir()
	left := filepath.Join(parent, "play-killed")
	making := filepath.Join(parent, "play-being-made")
	for _, dir := range []string{left, making} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(left, "lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	first, remove, err := Directory(parent, "play-")
	if err != nil {
		t.Fatal(err)
	}
	second, removeSecond, err := Directory(parent, "play-")
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]bool{left: false, making: true, first: true, second: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s is there: %v", filepath.Base(dir), err == nil)
		}
	}
	remove()
	removeSecond()
	if _, err := os.Stat(first); err == nil {
		t.Error("it is still there when the play is over")
	}
}
