// The room's figures of words: what stays in memory of a phrase and a codename.

//go:build bench

package keystore

import "testing"

func TestFiguresOfWords(t *testing.T) {
	p := newWordPlant(t.TempDir())
	figure("words_planted", len(p.secrets), "secrets")
	open, locked, _ := look("words", p)
	figure("words_while_open", len(open), "secrets")
	figure("words_after_lock", len(locked), "secrets")
	if len(locked) != 0 {
		t.Errorf("after lock: %v", locked)
	}
	_, control, _ := look("words naive", newWordPlant(t.TempDir()))
	figure("words_after_lock_control", len(control), "secrets")
	if len(control) < 8 {
		t.Errorf("the control keeps only %v", control)
	}
}
