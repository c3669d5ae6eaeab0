//go:build e2e

// Relays by https: the sealed engine asks them through exits, by names that only the exit asks for.

package whole

import (
	"context"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"nightjar/audit/privnet/lender"
	"nightjar/audit/privnet/stage"
)

// A host is a relay by https, behind a web server of others' making.
type host struct {
	port  string
	roots string // the file with its certificate

	mu    sync.Mutex
	asked []string // method and host name of each request
}

// hosted starts a relay that walks in the DHT of the stage.
func hosted(t *testing.T) *host {
	t.Helper()
	l, err := lender.Start(t.Context(), set.DHT.Addrs()[:8])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Stop)
	h := &host{roots: filepath.Join(t.TempDir(), "roots.pem")}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", "gateway"
		},
		Transport: &http.Transport{DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				link, err := l.Relay(context.WithoutCancel(ctx))
				if err != nil {
					return nil, err
				}
				return link.Stream, nil
			}},
	}
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.asked = append(h.asked, r.Method+" "+strings.TrimSuffix(r.Host, ":"+h.port))
		h.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	_, h.port, _ = net.SplitHostPort(s.Listener.Addr().String())
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(h.roots, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

// requests lists what was asked so far.
func (h *host) requests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.asked)
}

// served reports whether there was a request of that method.
func (h *host) served(method string) bool {
	return slices.ContainsFunc(h.requests(), func(a string) bool {
		return strings.HasPrefix(a, method+" ")
	})
}

// As many names of the relay are added beside one gateway that few operations pass it by.
const names = 8

func TestRelaysByHTTPSAreAskedThroughExitsIfAllowed(t *testing.T) {
	h := hosted(t)
	begin := func(name string, mode ...string) *stage.Party {
		p, err := set.Party(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		p.Mode(mode...)
		up(t, p)
		t.Cleanup(p.Stop)
		run(t, p, "gateway", "add", set.gateway)
		for i := range names {
			run(t, p, "relay", "add", fmt.Sprintf("https://%s-%d.example.com:%s", name, i, h.port))
		}
		return p
	}
	// One who did not allow it adds such relays as well, and is served by the gateway alone.
	desk := begin("exit-desk")
	source := begin("exit-source", "--exit-relays", "--relay-roots", h.roots)
	if err := stage.Befriend(t.Context(), desk, source); err != nil {
		t.Fatal(err)
	}
	for try := 0; !h.served("GET") || !h.served("PUT"); try++ { // chance led to the gateway
		if try == 5 {
			t.Fatal("it was not asked to find and to store")
		}
		source.Stop()
		up(t, source)
		err := stage.BothConnected(t.Context(), desk, source, source.Name, desk.Name)
		if err != nil {
			t.Fatal(err)
		}
	}
	asked, outside := h.requests(), set.Tor.Asked()
	t.Logf("asked: %q", asked)
	for _, a := range asked {
		_, name, _ := strings.Cut(a, " ")
		if !strings.HasPrefix(name, "exit-source-") {
			t.Errorf("%s is asked by one who did not allow it", name)
		}
		if !slices.Contains(outside, name) {
			t.Errorf("%s was reached without an exit that asked for its name", name)
		}
	}
}
