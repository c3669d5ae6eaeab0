// What is said on the line is read strictly.

package warden

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func FuzzAsk(f *testing.F) {
	for _, seed := range []string{`{"id":1,"do":"packet","at":"127.0.0.1:0"}`,
		`{"id":9,"do":"socket","net":"udp","at":"192.0.2.1:51820"}`,
		`{"id":3,"do":"tor","state":"R3VhcmQ=","options":["UseBridges 1"]}`, `{"id":0}`, `[]`, ``,
		`{"id":1,"do":"x"}{"id":2}`, `{"id":1,"other":2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := readAsk(b)
		if err != nil {
			return
		}
		again, _ := json.Marshal(a)
		if back, err := readAsk(again); err != nil && len(again) <= maxAsk {
			t.Errorf("%q became %q, which is refused", b, again)
		} else if err == nil && !same(a, back) {
			t.Errorf("%q became %q", b, again)
		}
	})
}

// same compares asks; nothing and an empty list are the same on the line.
func same(a, b ask) bool {
	if len(a.State) == 0 && len(b.State) == 0 {
		a.State, b.State = nil, nil
	}
	if len(a.Options) == 0 && len(b.Options) == 0 {
		a.Options, b.Options = nil, nil
	}
	return reflect.DeepEqual(a, b)
}

func FuzzWord(f *testing.F) {
	for _, seed := range []string{`{"id":1}`, `{"tor":1,"ended":true}`, `{"stop":true}`, `{}`, `1`,
		`{"id":1,"errno":98}`, `{"id":3,"why":"missing"}`,
		`{"id":4,"user":"u","key":"k"}`, `{"lost":true,"moved":true}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := readWord(b)
		if err != nil {
			return
		}
		again, _ := json.Marshal(w)
		if back, err := readWord(again); len(again) <= maxAnswer && (err != nil || back != w) {
			t.Errorf("%q became %q", b, again)
		}
	})
}

func TestLongMessagesAreRefused(t *testing.T) {
	long := `{"id":1,"do":"` + strings.Repeat("x", maxAsk) + `"}`
	if _, err := readAsk([]byte(long)); err == nil {
		t.Error("a long ask was read")
	}
	long = `{"id":1,"why":"` + strings.Repeat("x", maxAnswer) + `"}`
	if _, err := readWord([]byte(long)); err == nil {
		t.Error("a long word was read")
	}
}

func TestEngineCanAddBridgesAndNothingElse(t *testing.T) {
	for line, want := range map[string]bool{
		"UseBridges 1": true, "bridge 192.0.2.1:443": true, "Bridge obfs4 192.0.2.1:443 cert=x": true,
		"ClientTransportPlugin obfs4 exec /bin/sh": false, "Socks5Proxy 192.0.2.1:1": false,
		"DirAuthority x": false, "": false,
	} {
		if got := onlyBridges([]string{"UseBridges 1", line}); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}
