// What an engine that is in an attacker's hands gets of the network: what its user typed.

package warden

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nightjar/onion/exposure"
	"nightjar/onion/torproc"
)

const (
	endpoint = "127.0.0.1:51820"
	proxy    = "127.0.0.2:1080"
)

// wayOf is the way out of a role.
func wayOf(role string) Way {
	switch role {
	case "vpn":
		return Way{Kind: exposure.VPN, To: netip.MustParseAddrPort(endpoint)}
	case "over", "past", "past, naive":
		return Way{Kind: exposure.TorOverVPN, To: netip.MustParseAddrPort(endpoint)}
	case "proxy":
		return Way{Kind: exposure.SOCKS, To: netip.MustParseAddrPort(proxy)}
	case "direct":
		return Way{Kind: exposure.Direct, Word: "direct-reveals-my-address"}
	}
	return Way{}
}

// hijacked is what an engine could ask for to get past its way: by which network, and to where.
var hijacked = []struct{ network, at string }{
	{"udp", endpoint}, {"tcp", endpoint}, {"udp", "127.0.0.1:51821"}, {"udp", "127.0.0.3:51820"},
	{"tcp", proxy}, {"udp", proxy}, {"udp", "127.0.0.2:40000"}, {"udp", "127.0.0.2:0"},
	{"tcp", "127.0.0.2:80"}, {"tcp", "198.51.100.1:80"}, {"udp", "198.51.100.1:6881"},
	{"udp", "127.0.0.53:53"}, {"tcp", "[::ffff:127.0.0.1]:51820"}, {"udp", "[::1]:53"},
	{"tcp", "0.0.0.0:80"}, {"tcp", "169.254.169.254:80"}, {"tcp", "224.0.0.1:80"},
	{"unix", "127.0.0.1:51820"}, {"udp4", endpoint}, {"", endpoint},
}

func TestWayLeadsWhereTheUserSaidAndNowhereElse(t *testing.T) {
	for role, want := range map[string][]string{
		"":       nil,
		"vpn":    {"udp " + endpoint},
		"over":   {"udp " + endpoint},
		"proxy":  {"tcp " + proxy, "udp " + proxy, "udp 127.0.0.2:40000"},
		"direct": nil, // but datagrams
	} {
		var got []string
		for _, h := range hijacked {
			if wayOf(role).leads(h.network, netip.MustParseAddrPort(h.at)) {
				got = append(got, h.network+" "+h.at)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q leads to %q", role, got)
		}
	}
	naive := func(w Way, network string) bool { return w.Kind == exposure.VPN && network == "udp" }
	if !naive(wayOf("vpn"), "udp") || wayOf("vpn").leads("udp",
		netip.MustParseAddrPort("198.51.100.1:6881")) {
		t.Error("a warden that looks at the kind of socket alone is stopped too: " +
			"this test proves nothing")
	}
}

// reaches is what an engine gets that asks for everything: "" is that it was given.
func reaches(ctx context.Context, w *Ward) map[string]string {
	got := map[string]string{}
	note := func(what string, c io.Closer, err error) {
		if got[what] = ""; err != nil {
			got[what] = err.Error()
			return
		}
		c.Close()
	}
	for _, h := range hijacked {
		if !netip.MustParseAddrPort(h.at).Addr().Unmap().IsLoopback() {
			continue // nothing of a test goes out
		}
		f, err := w.fetch(ctx, ask{Do: "socket", Net: h.network, At: h.at})
		note(h.network+" "+h.at, f, err)
	}
	u, err := w.datagrams(ctx)
	note("datagrams", u, err)
	l, login, err := w.Outlet(ctx)
	note("outlet", l, err)
	if err == nil {
		got["told"] = fmt.Sprint(told(w, l.Addr().String(), login.User, login.Password))
	}
	return got
}

// told reports whether a tor that the engine has started was told to leave by its outlet.
func told(w *Ward, words ...string) bool {
	p, err := w.StartTor(torproc.Order{})
	if err != nil {
		return false
	}
	defer func() {
		p.Control().Close()
		<-p.Done()
		_ = p.Wipe()
	}()
	var said strings.Builder
	_ = filepath.WalkDir(p.Dir(), func(name string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			b, _ := os.ReadFile(name)
			said.Write(b)
		}
		return nil
	})
	for _, word := range words {
		if !strings.Contains(said.String(), word) {
			return false
		}
	}
	return true
}

func TestHijackedEngineGetsNoSocketButThoseOfItsWay(t *testing.T) {
	dir := stage(t)
	for role, given := range map[string][]string{
		"vpn":    {"udp " + endpoint},
		"over":   {"udp " + endpoint, "outlet"},
		"proxy":  nil, // nobody is there, so that no port there is a relay of the proxy
		"direct": {"datagrams"},
	} {
		out, _ := exec.Command("/proc/self/exe", "warden", role, dir).Output()
		var got map[string]string
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%s: %v: %s", role, err, out)
		}
		for what, err := range got {
			switch {
			case what == "told" && err != "true":
				t.Error("a tor is not told to leave by the VPN")
			case what == "told", slices.Contains(given, what) && err == "":
			case slices.Contains(given, what):
				t.Errorf("%s is not given %s: %s", role, what, err)
			case err == "":
				t.Errorf("%s is given %s", role, what)
			}
		}
	}
}
