// This file reads the licence of every module that is linked into the program.

package linked

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"

	"nightjar/audit/rules/house"
)

// Licence is that of one linked module.
type Licence struct {
	Module, Version string
	Name            string // SPDX identifier, or empty if the text is none we know
}

// licences holds a phrase for each licence that may stand under a BSD program. The first
// that fits counts; a text that gives more rights than it must comes first.
var licences = []struct{ name, phrase string }{
	{"MPL-2.0", `mozilla public license,? version 2\.0`},
	{"Apache-2.0", `apache license,? version 2\.0`},
	{"Unlicense", `this is free and unencumbered software released into the public domain`},
	{"ISC", `permission to use, copy, modify, and(?:/or)? distribute this software for any ` +
		`purpose with or without fee`},
	{"MIT", `permission is hereby granted, free of charge, to any person obtaining a copy`},
	{"BSD-3-Clause", `redistribution and use in source and binary forms.*neither the name`},
	{"BSD-2-Clause", `redistribution and use in source and binary forms`},
}

// Licences reads the licence file of every module the program links, sorted by module.
func (p *Program) Licences() ([]Licence, error) {
	dirs := map[string]*packages.Module{}
	packages.Visit(p.pkgs, nil, func(q *packages.Package) {
		if q.Module != nil && q.Module.Path != house.Module {
			dirs[q.Module.Path] = q.Module
		}
	})
	var out []Licence
	for _, path := range slices.Sorted(maps.Keys(dirs)) {
		m := dirs[path]
		files, err := filepath.Glob(filepath.Join(m.Dir, "[LCU][INO][CPL]*"))
		if err != nil {
			return nil, fmt.Errorf("find licence: %w", err)
		}
		l := Licence{Module: path, Version: m.Version}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err == nil && l.Name == "" {
				l.Name = Classify(string(text))
			}
		}
		out = append(out, l)
	}
	return out, nil
}

// Classify returns the SPDX identifier of a licence text, or nothing if it is not one that
// lets a BSD program link to it.
func Classify(text string) string {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	if strings.Contains(text, "gnu general public license") && !strings.Contains(text, "mozilla") {
		return ""
	}
	for _, l := range licences {
		if regexp.MustCompile(l.phrase).MatchString(text) {
			return l.name
		}
	}
	return ""
}

// Directory returns where the source of a linked module lies.
func (p *Program) Directory(module string) (string, bool) {
	dir := ""
	packages.Visit(p.pkgs, nil, func(q *packages.Package) {
		if q.Module != nil && q.Module.Path == module {
			dir = q.Module.Dir
		}
	})
	return dir, dir != ""
}
