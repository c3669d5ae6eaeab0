// Claims about the control socket.
package control

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/cmd/control/api"
)

// opened is a door with an engine behind it.
func opened(e Engine) *Door {
	d := NewDoor(func() {}, func() {})
	d.Open(e)
	return d
}

func TestSocketIsForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "control")
	l, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, err %v", info.Mode(), err)
	}
}

func TestSocketWorksHoweverLongThePathIs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 40))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "control")
	l, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	door := opened(Engine{Phone: func() api.Phone { return api.Phone{On: true} }})
	go func() { done <- Serve(ctx, l, door) }()
	var p api.Phone
	if err := NewClient(path).Do(ctx, http.MethodGet, "/v1/phone", nil, &p); err != nil || !p.On {
		t.Errorf("answer %v, err %v", p, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("serve ended with %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("the socket is still there")
	}
}

func TestSocketOfAKilledEngineIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "control")
	old, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	old.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = old.Close()
	l, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
}

func TestNobodyThereIsSaid(t *testing.T) {
	c := NewClient(filepath.Join(t.TempDir(), "control"))
	err := c.Do(t.Context(), http.MethodGet, "/v1/status", nil, nil)
	if !errors.Is(err, ErrNoEngine) {
		t.Errorf("no engine: %v", err)
	}
}

func TestRequestWithATypoIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "control")
	l, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- Serve(ctx, l, opened(Engine{})) }()
	typo := map[string]string{"contcat": "x"}
	err = NewClient(path).Do(ctx, http.MethodPost, "/v1/messages", typo, nil)
	var refused *Error
	if !errors.As(err, &refused) || refused.Code != "bad-request" {
		t.Errorf("a typo: %v", err)
	}
	cancel()
	<-done
}

func TestAskingTwiceToLockLocksOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locked := make(chan struct{})
		door := NewDoor(func() { close(locked) }, func() {}) // to close twice is to panic
		for range 2 {
			w := httptest.NewRecorder()
			door.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/lock", nil))
			if w.Code != http.StatusOK {
				t.Errorf("status %d", w.Code)
			}
		}
		<-locked
		<-time.After(time.Minute)
	})
}

func TestUnknownErrorsStayInside(t *testing.T) {
	e, status := asError(errors.New("dial 192.0.2.7: secret"))
	if status != http.StatusInternalServerError || strings.Contains(e.Message, "192") {
		t.Errorf("%d %q", status, e.Message)
	}
}

func TestEngineThatStartsSaysHowFarItIsAndCanBeLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "control")
	l, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	locked := make(chan struct{})
	d := NewDoor(func() { close(locked) }, func() {})
	d.Starting("tor is at 45%")
	done := make(chan error)
	go func() { done <- Serve(ctx, l, d) }()
	var refused *Error
	err = NewClient(path).Do(ctx, http.MethodGet, "/v1/status", nil, nil)
	if !errors.As(err, &refused) || refused.Code != "starting" ||
		!strings.Contains(refused.Message, "45%") {
		t.Errorf("while starting: %v", err)
	}
	if err := NewClient(path).Do(ctx, http.MethodPost, "/v1/lock", nil, nil); err != nil {
		t.Error(err)
	}
	<-locked
	err = NewClient(path).Do(ctx, http.MethodPost, "/v1/messages", nil, nil)
	if !errors.As(err, &refused) || refused.Code != "locked" {
		t.Errorf("a message to one that is being locked: %v", err)
	}
	if err := NewClient(path).Do(ctx, http.MethodGet, "/v1/identity", nil, nil); err != nil {
		t.Errorf("before it is gone: %v", err)
	}
	cancel()
	<-done
}
