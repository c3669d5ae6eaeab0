//go:build e2e

// Claims about cards as pictures, checked by a program that knows nothing of us.

package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rsc.io/qr"
)

func TestPictureOfACardIsReadByAnotherProgram(t *testing.T) {
	card := "NIGHTJAR:" + strings.Repeat("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 12)
	code, err := qr.Encode(card, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "card.png")
	if err := writePNG(file, code); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("zbarimg", "--quiet", "--raw", file).Output()
	if err != nil {
		t.Fatalf("zbarimg: %v: apt-get install zbar-tools", err)
	}
	if got := strings.TrimSpace(string(out)); got != card {
		t.Errorf("read %q", got)
	}
}
