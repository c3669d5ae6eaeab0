// Claims about what comes from others and waits for the user's word.

package control

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nightjar/cmd/control/api"
	"nightjar/keystore"
	"nightjar/node"
	"nightjar/node/bundle"
	"nightjar/onion"
)

// engine is one with an identity of its own, which is not running.
func engine(t *testing.T) Engine {
	t.Helper()
	pw, err := keystore.NewPassword([]byte("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	id, err := keystore.Create(filepath.Join(t.TempDir(), "vault"), pw)
	if err != nil {
		t.Fatal(err)
	}
	path := onion.NewMemory().Path()
	t.Cleanup(func() { _ = path.Close(); id.Lock() })
	n, err := node.New(node.Config{Identity: id, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return Engine{Node: n}
}

// ask sends a request and reads the answer.
func ask[T any](t *testing.T, e Engine, path string, in any) (out T) {
	t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	opened(e).ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(string(b))))
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK {
		t.Fatalf("status %d, %v", w.Code, err)
	}
	return out
}

func TestBridgesOfABundleAreListedAndNotUsed(t *testing.T) {
	e := engine(t)
	lines := []string{"obfs4 192.0.2.7:443 " + strings.Repeat("A", 40) + " cert=abc"}
	text, err := (&bundle.Bundle{Bridges: lines}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	in := ask[api.Imported](t, e, "/v1/bundle", api.Bundle{Bundle: text})
	if !slices.Equal(in.Bridges, lines) || len(e.Node.Entries().Bridges) != 0 {
		t.Errorf("told of %q, uses %q", in.Bridges, e.Node.Entries().Bridges)
	}
}
