// Bridge lines are read as their operators write them, and nothing else passes.

package bridge

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const print = "224FAB4B7EA0824D204A58D91932114FB33A3AA2"

// lines are as bridges are handed out, with addresses for documentation.
var lines = []string{
	"192.0.2.1:443 " + print,
	"[2001:db8::1]:443 " + print,
	"obfs4 192.0.2.1:9443 " + print + " cert=U+EP/xC iat-mode=0",
	"snowflake 192.0.2.3:80 " + print + " fingerprint=" + print +
		" url=https://broker.example/ fronts=a.example,b.example ice=stun:stun.example:3478 " +
		"utls-imitate=hellorandomizedalpn",
	"webtunnel [2001:db8::2]:443 " + print + " url=https://site.example/secret ver=0.0.1",
	"meek_lite 192.0.2.20:80 " + print + " url=https://meek.example front=www.example",
}

func TestLinesOfEveryTransportAreRead(t *testing.T) {
	for _, text := range lines {
		l, err := Parse(text)
		if err != nil || l.String() != text {
			t.Errorf("%q became %q, %v", text, l, err)
		}
		spaced := "  bridge  " + strings.ReplaceAll(text, " ", "   ") + " "
		if again, err := Parse(spaced); err != nil || again.String() != text {
			t.Errorf("%q became %q, %v", spaced, again, err)
		}
		if l.Option() != "Bridge "+text || l.Kind() == "" {
			t.Errorf("option %q of kind %q", l.Option(), l.Kind())
		}
	}
}

func TestWhatIsNoBridgeIsRefused(t *testing.T) {
	for _, text := range []string{"", "Bridge", "bridge obfs4", "192.0.2.1", "192.0.2.1:0 " + print,
		"relay.example:443 " + print, "ssh 192.0.2.1:22 " + print, "192.0.2.1:443 " + print + " a=b",
		"obfs4 192.0.2.1:1 " + print + " cert", "obfs4 192.0.2.1:1 " + print + " CERT=a",
		"obfs4 192.0.2.1:1 " + print + " cert=a =b", "192.0.2.1:1 " + print + "\nControlPort 9051",
		"192.0.2.1:1 " + print + " # x", "192.0.2.1:1\x00 " + print, "[fe80::1%eth0]:1 " + print,
		"[::ffff:192.0.2.1]:443 " + print, "webtunnel 192.0.2.1:1 " + print,
		"obfs4 192.0.2.1:1 " + print + " cert=a" + strings.Repeat(" k=v", maxArgs),
		"obfs4 192.0.2.1:1 " + print + " cert=" + strings.Repeat("a", MaxLine),
	} {
		if _, err := Parse(text); !errors.Is(err, ErrLine) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Whoever stands between could be any bridge, if the line does not say which it must be.
func TestLineWithoutProofOfWhoTheBridgeIsIsRefused(t *testing.T) {
	for _, text := range []string{"192.0.2.1:443", "obfs4 192.0.2.1:443 " + print + " iat-mode=0",
		"obfs4 192.0.2.1:443 cert=abc", "snowflake 192.0.2.3:80 url=https://broker.example/"} {
		if _, err := Parse(text); !errors.Is(err, ErrWeak) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, text := range lines {
		f.Add(text)
		f.Add("Bridge " + text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(l.String())
		if err != nil || again.String() != l.String() || len(l.Option()) > MaxLine {
			t.Errorf("%q became %q, then %q, %v", text, l, again, err)
		}
		if strings.ContainsAny(l.String(), "\r\n\"\\#%") {
			t.Errorf("%q holds what tor reads otherwise", l)
		}
	})
}

func have(names ...string) Finder {
	return func(name string) string {
		if slices.Contains(names, name) {
			return "/usr/bin/" + name
		}
		return ""
	}
}

func options(lines ...string) (out []string) {
	for _, l := range lines {
		out = append(out, "Bridge "+l)
	}
	return out
}

func TestProgramOfATransportIsFound(t *testing.T) {
	got, err := Plugins(options(lines...), have("obfs4proxy", "snowflake-client", "lyrebird"))
	want := []string{"ClientTransportPlugin obfs4 exec /usr/bin/lyrebird",
		"ClientTransportPlugin snowflake exec /usr/bin/snowflake-client",
		"ClientTransportPlugin webtunnel exec /usr/bin/lyrebird",
		"ClientTransportPlugin meek_lite exec /usr/bin/lyrebird"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	given := append(options(lines[2]), "ClientTransportPlugin obfs3,obfs4 exec /opt/mine")
	if got, err := Plugins(given, have()); err != nil || len(got) != 0 {
		t.Errorf("a program that was named: %q, %v", got, err)
	}
	if got, err := Plugins(options(lines[0]), have()); err != nil || len(got) != 0 {
		t.Errorf("no transport: %q, %v", got, err)
	}
}

func TestMissingProgramIsNamedWithItsPackage(t *testing.T) {
	for line, want := range map[string]error{lines[2]: ErrNoObfs4, lines[3]: ErrNoSnowflake,
		lines[4]: ErrNoWebtunnel, lines[5]: ErrNoObfs4} {
		if _, err := Plugins(options(line), have("tor")); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	for err, pkg := range map[error]string{ErrNoObfs4: "package obfs4proxy",
		ErrNoSnowflake: "package snowflake-client"} {
		if !strings.Contains(err.Error(), pkg) {
			t.Errorf("%q does not name the %s", err, pkg)
		}
	}
}

func TestProgramIsNeverTakenFromTheWorkingDirectory(t *testing.T) {
	if at := Installed("no-such-program-here"); at != "" {
		t.Errorf("found %q", at)
	}
	if at := Installed("sh"); !strings.HasPrefix(at, "/") {
		t.Errorf("sh is at %q", at)
	}
}

func TestWayThatWorkedComesFirst(t *testing.T) {
	for _, c := range []struct {
		bridges string
		last    string
		only    bool
		want    string
	}{
		{"a b", Plain, false, " a b"},
		{"a b", "b", false, "b  a"},
		{"a b", "gone", false, " a b"},
		{"a b", "b", true, "b a"},
		{"a b", Plain, true, "a b"},
		{"a a", Plain, false, " a"},
		{"", Plain, false, ""},
	} {
		got := strings.Join(Order(strings.Fields(c.bridges), c.last, c.only), " ")
		if got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
	if got := Order(nil, Plain, true); len(got) != 0 {
		t.Errorf("bridges alone, and there is none: %q", got)
	}
}
