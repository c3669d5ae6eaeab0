// Command model has ProVerif prove what the handshake promises, and fail to prove it of variants
// that are broken on purpose. handshake.pvl is the handshake; each .pv file says what the attacker
// has and what must hold; those in broken must not. What came out stands in results.txt, with the
// digest of every file it came of; a test compares the digests, so that the models and what is
// said of them do not part.
//
//	model [-proverif PROGRAM]
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	dir     = "audit/model"
	library = "handshake.pvl"
	results = "results.txt"
	limit   = 20 * time.Minute // for one scenario
)

// errUnproved says that a result is not the one that was meant.
var errUnproved = errors.New("a result is not the one that was meant")

func main() {
	proverif := flag.String("proverif", "proverif", "the program; version 2.05 is known to do")
	flag.Parse()
	if err := run(*proverif); err != nil {
		fmt.Fprintln(os.Stderr, "model:", err)
		os.Exit(1)
	}
}

// run has every scenario proved and writes the results.
func run(proverif string) error {
	if _, err := exec.LookPath(proverif); err != nil {
		return errors.New("install ProVerif (OPAM package proverif), or say where it is: -proverif")
	}
	var out strings.Builder
	for _, path := range scenarios(dir) {
		name, _ := filepath.Rel(dir, path)
		fmt.Println(name)
		lines, err := prove(proverif, path)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(&out, "%s\n\t%s\n", name, strings.Join(lines, "\n\t"))
	}
	digests, err := digests(dir)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, results), []byte(out.String()+"\n"+digests), 0o644)
}

// scenarios lists the files to prove, those that must hold first.
func scenarios(dir string) []string {
	good, _ := filepath.Glob(filepath.Join(dir, "*.pv"))
	broken, _ := filepath.Glob(filepath.Join(dir, "broken", "*.pv"))
	return slices.Concat(good, broken)
}

// prove runs one scenario and returns its results, if they are those that were meant: as many as
// there are queries, each true; or, of a broken one, each false.
func prove(proverif, path string) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	lib := filepath.Join(dir, library)
	said, err := exec.CommandContext(ctx, proverif, "-lib", lib, path).Output()
	if err != nil {
		return nil, err
	}
	want := "is true."
	if filepath.Base(filepath.Dir(path)) == "broken" {
		want = "is false."
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(string(said)) {
		line, ok := strings.CutPrefix(strings.TrimSpace(line), "RESULT ")
		if !ok || strings.HasPrefix(line, "(") { // a remark on the result before
			continue
		}
		if !strings.HasSuffix(line, want) {
			return nil, fmt.Errorf("%w: %s", errUnproved, line)
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 || len(lines) != bytes.Count(source, []byte("\nquery ")) {
		return nil, fmt.Errorf("%w: %d results", errUnproved, len(lines))
	}
	return lines, nil
}

// digests is a line for each file that the results depend on.
func digests(dir string) (string, error) {
	var out strings.Builder
	for _, path := range append(scenarios(dir), filepath.Join(dir, library)) {
		b, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		name, _ := filepath.Rel(dir, path)
		fmt.Fprintf(&out, "sha256 %x %s\n", sha256.Sum256(b), name)
	}
	return out.String(), nil
}
