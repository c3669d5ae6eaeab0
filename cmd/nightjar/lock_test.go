// Locking, as the one who locks sees it.

package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"nightjar/cmd/control"
	"nightjar/cmd/control/api"
	"nightjar/keystore"
)

func TestLockReturnsWhenTheIdentityIsGoneAndNotBefore(t *testing.T) {
	dir, err := os.MkdirTemp("", "nj")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	o := newOptions("up")
	o.home = dir
	var upSaid, lockSaid bytes.Buffer
	open, ended := make(chan struct{}), make(chan error)
	var unlocked atomic.Bool
	work := func(ctx context.Context, s *session) error {
		close(open)
		<-ctx.Done()
		for range 10 { // it takes its time to end
			cl, err := o.client(t.Context())
			if err != nil {
				t.Error("the socket is gone before the identity:", err)
				break
			}
			var refused *control.Error
			err = cl.Do(t.Context(), http.MethodPost, "/v1/messages", nil, nil)
			if !errors.As(err, &refused) || refused.Code != "locked" {
				t.Error("a message to one that is being locked:", err)
			}
		}
		unlocked.Store(true)
		return ctx.Err()
	}
	go func() {
		p := place{home: home(dir), memory: true, leave: func() {}}
		ended <- o.withIdentity(t.Context(), console{err: &upSaid}, api.RoleEngine, p,
			func(context.Context, home) (*keystore.Identity, error) {
				return keystore.Ephemeral()
			}, work)
	}()
	<-open
	cl, err := o.client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if words := keptWords(t.Context(), cl, "desk"); !strings.Contains(words, "until this engine") {
		t.Errorf("of a message in memory: %q", words)
	}
	if err := (console{err: &lockSaid}).lock(t.Context(), cl); err != nil {
		t.Error(err)
	}
	if !unlocked.Load() {
		t.Error("lock returned while the engine was at work")
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, said := range []string{upSaid.String(), lockSaid.String()} {
		if !strings.Contains(said, "locked: ") {
			t.Errorf("said %q", said)
		}
	}
}
