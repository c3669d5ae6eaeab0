//go:build e2e

// Claims about the lines that "phone show" gives to paste.

package sip

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestPastedLinesRegisterALinphone(t *testing.T) {
	// The default port: a linphone that is not told otherwise wants it for itself.
	cfg := Config{Listen: DefaultListen, User: "me", Password: password}
	p, err := New(cfg, &fakeEngine{self: "me"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 40*time.Second)
	defer stop()
	var work sync.WaitGroup
	work.Go(func() { _ = p.Run(ctx) })
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".local/share/linphone"), 0o700); err != nil {
		t.Fatal(err)
	}
	rc := filepath.Join(home, ".linphonerc")
	if err := os.WriteFile(rc, []byte(Setup(cfg).Paste["linphone"]), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, "linphonec", "-c", rc)
	cmd.Env = append(os.Environ(), "HOME="+home)
	in, err := cmd.StdinPipe() // open: linphonec ends at its end
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := cmd.Start(); err != nil {
		t.Fatalf("linphonec: %v: apt-get install linphone-cli", err)
	}
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for !p.Registered() {
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatal("linphone did not register")
		}
	}
	stop()
	_ = cmd.Wait()
	work.Wait()
}

func TestPastedLinesSendEveryCallToTheDoor(t *testing.T) {
	for phone, line := range Setup(Config{User: "me", Password: password}).Paste {
		want := map[string]string{"baresip": `outbound="sip:127.0.0.1:5060;transport=tcp"`,
			"linphone": "reg_route=<sip:127.0.0.1:5060;transport=tcp;lr>"}[phone]
		if want == "" || !strings.Contains(line, want) {
			t.Errorf("%s could call past the door: %s", phone, line)
		}
	}
}
