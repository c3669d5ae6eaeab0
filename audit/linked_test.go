// This file holds what the finished program may contain: libraries that can dial, licences,
// packages, and names of hosts.

package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"nightjar/audit/rules/house"
	"nightjar/audit/rules/linked"
)

const command = "./cmd/nightjar"

// program is the command with all it links, loaded once.
var program = sync.OnceValues(func() (*linked.Program, error) {
	root, err := house.Find(".")
	if err != nil {
		return nil, err
	}
	return linked.Load(root, command)
})

func whole(t *testing.T) *linked.Program {
	t.Helper()
	p, err := program()
	if err != nil {
		t.Fatalf("%s must build before its contents can be read: %v", command, err)
	}
	return p
}

// golden compares lines with a golden file, or writes it anew.
func golden(t *testing.T, file string, lines []string, gained, lost string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	had, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: write it with make golden", err)
	}
	for _, change := range changes(strings.Split(strings.TrimSpace(string(had)), "\n"), lines) {
		if line, ok := strings.CutPrefix(change, "+"); ok {
			t.Errorf("%s: %s: %s", file, gained, line)
		} else {
			t.Errorf("%s: %s: %s", file, lost, change[1:])
		}
	}
}

// changes returns what has has and had had not, with a +, and the other way, with a -.
func changes(had, has []string) []string {
	var out []string
	for _, l := range has {
		if !slices.Contains(had, l) {
			out = append(out, "+"+l)
		}
	}
	for _, l := range had {
		if !slices.Contains(has, l) {
			out = append(out, "-"+l)
		}
	}
	return out
}

func TestDialersAreTheGoldenOnes(t *testing.T) {
	golden(t, "testdata/netreach.golden", whole(t).Dialers(),
		"a dependency learned to dial (see that we cannot reach it, then make golden)",
		"this is gone, and the golden file must say so (make golden)")
}

func TestLibraryThatLearnsToDialIsCaught(t *testing.T) {
	root, err := house.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	p, err := linked.Load(root, "./audit/testdata/src/linked/dials")
	if err != nil {
		t.Fatal(err)
	}
	dialers := p.Dialers()
	want := "golang.org/x/net/internal/socks: (*Dialer).Dial -> net.Dial"
	if !slices.Contains(dialers, want) {
		t.Errorf("no %q in %q", want, dialers)
	}
	without := slices.DeleteFunc(slices.Clone(dialers), func(l string) bool { return l == want })
	if got := changes(without, dialers); !slices.Equal(got, []string{"+" + want}) {
		t.Errorf("a new dialer reads %q", got)
	}
	if _, err := linked.Load(root, "./audit/rules/house"); err == nil {
		t.Error("a package that is no command loads as one")
	}
}

func TestLicencesAreTheGoldenOnes(t *testing.T) {
	found, err := whole(t).Licences()
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"# Licences of what is linked into nightjar", "",
		"nightjar itself is under BSD-3-Clause. Written by `make golden`.", "",
		"The words of phrases and codenames, which come with go-diceware, are the EFF's large",
		"wordlist of July 2016 by Joseph Bonneau and the Electronic Frontier Foundation, as it is,",
		"under CC BY 3.0 US (eff.org/dice, creativecommons.org/licenses/by/3.0/us).", "",
		"| module | version | licence |", "|---|---|---|"}
	for _, l := range found {
		if l.Name == "" {
			t.Errorf("%s %s: no licence that lets a BSD program link to it: leave it out",
				l.Module, l.Version)
		}
		lines = append(lines, fmt.Sprintf("| %s | %s | %s |", l.Module, l.Version, l.Name))
	}
	golden(t, "../docs/licences.md", lines,
		"a module came (read its licence, then make golden)", "a module went (make golden)")
}

func TestCopyleftIsCaught(t *testing.T) {
	for text, want := range map[string]string{
		"GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007":                           "",
		"GNU LESSER GENERAL PUBLIC LICENSE Version 2.1":                                 "",
		"GNU AFFERO GENERAL PUBLIC LICENSE Version 3":                                   "",
		"All rights reserved.":                                                          "",
		"Mozilla Public License Version 2.0 ... GNU General Public License":             "MPL-2.0",
		"Permission is hereby granted, free of\ncharge, to any person obtaining a copy": "MIT",
		"Redistribution and use in source and binary forms ... Neither the name of":     "BSD-3-Clause",
	} {
		if got := linked.Classify(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// mustNotLink names packages that have no place in the program, with the libraries that
// bring them along nevertheless.
var mustNotLink = map[string][]string{
	"net/http/pprof": nil,
	"plugin":         nil,
	"testing":        {"github.com/anacrolix/log"}, // a helper for tests, which nothing calls
	"expvar": { // counters; nothing serves them, since net/http never listens here
		"github.com/anacrolix/dht/v2", "github.com/anacrolix/missinggo",
		"github.com/anacrolix/missinggo/v2", "github.com/anacrolix/stm"},
}

func TestProgramLinksNoToolsOfTests(t *testing.T) {
	for _, wrong := range intruders(whole(t).Imports()) {
		t.Error(wrong)
	}
}

func intruders(imports map[string][]string) []string {
	var out []string
	for pkg, from := range imports {
		brought, refused := mustNotLink[pkg]
		refused = refused || house.Within(pkg, house.Module+"/audit")
		for _, f := range from {
			if refused && !slices.Contains(brought, f) {
				out = append(out, f+" brings "+pkg+" into the program: leave it out")
			}
		}
	}
	return out
}

func TestToolOfTestsInTheProgramIsCaught(t *testing.T) {
	got := intruders(map[string][]string{
		"testing":                  {"github.com/anacrolix/log", "nightjar/onion"},
		"nightjar/audit/privnet":   {"nightjar/cmd/nightjar"},
		"nightjar/keystore":        {"nightjar/cmd/nightjar"},
		"net/http/pprof":           {"example.org/lib"},
		"github.com/anacrolix/log": {"nightjar/node/meet"},
	})
	if len(got) != 3 {
		t.Errorf("found %q, want onion, audit and pprof", got)
	}
}

// freeHosts are the forms of hosts that the program may contain, with the reason.
var freeHosts = map[string]string{
	"https://go.dev":     "where panics of the standard library are explained",
	"https://github.com": "where messages of a library are explained, which are not shown",
}

func TestProgramHoldsNoHost(t *testing.T) {
	root, err := house.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "nightjar")
	if err := linked.Build(t.Context(), root, out); err != nil {
		t.Fatalf("%s must build before its contents can be read: %v", command, err)
	}
	bin, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range linked.Reached(bin, freeHosts) {
		t.Errorf("the program holds %q: take hosts from a card, the vault or the user", host)
	}
	for _, host := range linked.Named(bin, bootstrap(t)) {
		t.Errorf("the program holds %q: see scripts/nohosts.sh", host)
	}
}

// bootstrap reads the host names that the DHT library would start from.
func bootstrap(t *testing.T) []string {
	t.Helper()
	dir, ok := whole(t).Directory("github.com/anacrolix/dht/v2")
	if !ok {
		return nil // no longer linked
	}
	src, err := os.ReadFile(filepath.Join(dir, "dht.go"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile(`"([a-z.]+\.[a-z]+):\d+"`).FindAllSubmatch(src, -1) {
		out = append(out, string(m[1]))
	}
	if len(out) < 5 {
		t.Fatalf("only %d host names in the library: it keeps them elsewhere now", len(out))
	}
	return out
}

func TestHostInTheProgramIsCaught(t *testing.T) {
	for bytes, want := range map[string]string{
		"signrouter.bittorrent.com:6881specified": "signrouter.bittorrent.com:6881",
		"\x00185.157.221.247:25401\x00":           "185.157.221.247:25401",
		"x[2a01:4f8::1]:6881":                     "[2a01:4f8::1]:6881",
		"GET https://relay.pkarr.org/ HTTP":       "https://relay.pkarr.org",
	} {
		if got := linked.Reached([]byte(bytes), freeHosts); !slices.Equal(got, []string{want}) {
			t.Errorf("%q: found %q", bytes, got)
		}
	}
	if got := linked.Named([]byte("..dht.aelitis.com:1"), []string{"dht.aelitis.com"}); len(got) != 1 {
		t.Errorf("a name in the middle of bytes: found %q", got)
	}
	free := map[string]string{"http://www.w3.org": "a namespace"}
	if got := linked.Reached([]byte("xhttp://www.w3.org"), free); len(got) != 0 {
		t.Errorf("a free host: found %q", got)
	}
}
