//go:build teeth

// The audit's teeth: every mutant is caught, and what does not leak is not.

package mutants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nightjar/audit/scenes/report"
)

// limit bounds the whole trial.
const limit = 25 * time.Minute

// builder runs one build and adds its line to the trial.
type builder struct {
	t    *testing.T
	dir  string
	list strings.Builder
}

func (b *builder) add(name, scene string, build func(context.Context, string, string) (string,
	error)) {
	b.t.Helper()
	bin, err := build(b.t.Context(), root, b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	fmt.Fprintln(&b.list, name, bin, scene)
}

// audit plays all builds on one stage and returns what was seen of each.
func (b *builder) audit() map[string]*report.Scene {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), limit)
	defer cancel()
	own, list := filepath.Join(b.dir, "audit"), filepath.Join(b.dir, "builds")
	file := filepath.Join(b.dir, "report")
	build := exec.CommandContext(ctx, "go", "build", "-o", own, "./audit/scenes")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		b.t.Fatalf("%v: %s", err, out)
	}
	if err := os.WriteFile(list, []byte(b.list.String()), 0o600); err != nil {
		b.t.Fatal(err)
	}
	clean := filepath.Join(b.dir, "nightjar-clean")
	out, err := exec.CommandContext(ctx, own, "-nightjar", clean, "-builds", list,
		"-json", file).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == report.Leak) {
		b.t.Fatalf("the audit: %v: %s", err, out)
	}
	b.t.Logf("%s", out)
	text, err := os.ReadFile(file)
	if err != nil {
		b.t.Fatal(err)
	}
	var r report.Report
	if err := json.Unmarshal(text, &r); err != nil {
		b.t.Fatal(err)
	}
	if !r.Proven {
		b.t.Error("the recorder is not proven")
	}
	seen := map[string]*report.Scene{}
	for _, s := range r.Scenes {
		seen[s.Name] = s
	}
	return seen
}

func TestEveryLeakIsCaughtAndWhatIsCleanIsNot(t *testing.T) {
	b := &builder{t: t, dir: t.TempDir()}
	scenes := map[string]bool{}
	caught := 0
	for _, m := range All() {
		if m.Test == "" {
			b.add(m.Name, m.Scene, m.Build)
			scenes[m.Scene] = true
			continue
		}
		if failed, err := m.Try(t.Context(), root, b.dir); err != nil || !failed {
			t.Errorf("%s is not caught: %v", m.Name, err)
			continue
		}
		caught++
	}
	b.add("sealed", "first-start", Sealed)
	b.add("sealed", "message-link", Sealed)
	b.add("sealed", "exit-relays", Sealed)
	for s := range scenes {
		b.add("clean", s, Clean)
	}
	seen := b.audit()
	for _, m := range All() {
		if m.Test != "" {
			continue
		}
		s := seen[m.Name+"/"+m.Scene]
		if s == nil || !s.Leaks() {
			t.Errorf("%s is not caught", m.Name)
			continue
		}
		caught++
	}
	for s := range scenes {
		if c := seen["clean/"+s]; c == nil || c.Leaks() || c.Failed != "" {
			t.Errorf("the clean build in %s: %+v", s, c)
		}
	}
	for _, name := range []string{"sealed/first-start", "sealed/message-link",
		"sealed/exit-relays"} {
		if s := seen[name]; s == nil || s.Leaks() {
			t.Errorf("mutants leak through the seal: %s: %+v", name, s)
		}
	}
	fmt.Printf("FIGURE audit.mutants_caught %d of_%d\n", caught, len(All()))
}
