// Claims about where the phone's door opens.
package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"nightjar/keystore"
)

func TestSecondIdentityTakesTheNextPortAndSaysSo(t *testing.T) {
	said := map[string]string{}
	for range 2 {
		id, err := keystore.Ephemeral()
		if err != nil {
			t.Fatal(err)
		}
		defer id.Lock()
		var errs bytes.Buffer
		listen, none := "", false
		e := &engine{console: console{err: &errs}, session: &session{id: id}}
		if err := e.openPhone(phoneFlags{listen: &listen, none: &none}); err != nil {
			t.Fatal(err)
		}
		over, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); _ = e.phone.Run(over) }()
		at := e.phone.Addr().String()
		if e.phoneSettings().Settings[4].Value != at {
			t.Errorf("the phone is told of another door than %s: %v", at, e.phoneSettings().Settings)
		}
		said[at] = errs.String()
	}
	if len(said) != 2 {
		t.Fatalf("both have the same door: %q", said)
	}
	for at, what := range said {
		if (at == "127.0.0.1:5060") != (what == "") || what != "" &&
			!strings.Contains(what, "nightjar up --sip "+at) {
			t.Errorf("of the door at %s is said: %q", at, what)
		}
	}
}

func TestPortThatWasTypedIsTheOnlyOneTried(t *testing.T) {
	listen := "127.0.0.1:5090"
	if doors := (phoneFlags{listen: &listen}).doors(); len(doors) != 1 || doors[0] != listen {
		t.Errorf("tried: %q", doors)
	}
	listen = ""
	if doors := (phoneFlags{listen: &listen}).doors(); len(doors) < 16 {
		t.Errorf("%d doors for 16 identities", len(doors))
	}
}
