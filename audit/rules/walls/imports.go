// Package walls holds the rules about who may reach what: which room imports which, which
// library has its home in which room, and who may open a socket.
//
// It reads syntax and types that house has loaded. It runs nothing.
package walls

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"path"
	"slices"
	"strconv"
	"strings"

	"nightjar/audit/rules/house"
)

// Wall says what one room may import of ours, and why no more.
type Wall struct {
	May []string // rooms, exactly; "*" stands for every room but audit
	Why string
}

// naked are the packages that must be seen under their own name wherever they are used, so
// that a reader and a grep find every use.
var naked = []string{
	"C", "crypto/tls", "expvar", "net", "net/http", "net/http/pprof", "os", "os/exec",
	"plugin", "reflect", "syscall", "unsafe", "golang.org/x/sys/unix",
}

// Imports finds imports that go over a wall. A room without its own entry has that of the
// nearest room above it, and always its own subrooms. A test tagged e2e or bench may also
// import audit, where the private networks are.
func Imports(ps []*house.Package, table map[string]Wall) []house.Finding {
	var out []house.Finding
	for _, p := range ps {
		if p.Under("audit") && p.Proof == "" {
			continue
		}
		for _, f := range p.All() {
			for _, spec := range f.Imports {
				to, _ := strconv.Unquote(spec.Path.Value)
				to, ours := strings.CutPrefix(to, house.Module+"/")
				if !ours || (f.Test && slow(f.File) && house.Within(to, "audit")) {
					continue
				}
				if entry, w := wall(table, p.Room); !w.lets(p.Room, entry, to) {
					out = append(out, p.At(spec.Pos(), p.Room+" imports "+to,
						fmt.Sprintf("%s may import %s: %s", entry, w.words(), w.Why)))
				}
			}
		}
	}
	return out
}

// wall returns the entry that holds for room, and its name.
func wall(table map[string]Wall, room string) (string, Wall) {
	for at := room; at != "."; at = path.Dir(at) {
		if w, ok := table[at]; ok {
			return at, w
		}
	}
	return room, Wall{Why: "it is not in the table of walls"}
}

func (w Wall) lets(room, entry, to string) bool {
	if house.Within(to, entry) && (room == entry || to != entry) {
		return true // its own subrooms, and they each other
	}
	return slices.Contains(w.May, to) ||
		slices.Contains(w.May, "*") && !house.Within(to, "audit")
}

func (w Wall) words() string {
	if len(w.May) == 0 {
		return "none of ours"
	}
	return strings.Join(w.May, ", ")
}

// slow reports whether a file is built only for the slow tests or the measurements.
func slow(f *ast.File) bool {
	for _, group := range f.Comments {
		for _, c := range group.List {
			if x, err := constraint.Parse(c.Text); err == nil && c.Pos() < f.Package {
				return !x.Eval(func(tag string) bool {
					return tag != "e2e" && tag != "bench" && tag != "teeth"
				})
			}
		}
	}
	return false
}

// Home says in which rooms a library may be used; audit may use any.
type Home struct {
	Library string // path prefix
	Rooms   []string
	Tests   bool // tests of other rooms may use it too
	Why     string
}

// Homes finds libraries used outside the rooms they belong to.
func Homes(ps []*house.Package, table []Home) []house.Finding {
	var out []house.Finding
	for _, p := range ps {
		if p.Under("audit") && p.Proof == "" {
			continue
		}
		for _, f := range p.All() {
			for _, spec := range f.Imports {
				to, _ := strconv.Unquote(spec.Path.Value)
				for _, h := range table {
					in := func(room string) bool { return p.Under(room) }
					if house.Within(to, h.Library) && !(f.Test && h.Tests) &&
						!slices.ContainsFunc(h.Rooms, in) {
						out = append(out, p.At(spec.Pos(), p.Room+" uses "+to,
							"it lives in "+strings.Join(h.Rooms, ", ")+": "+h.Why))
					}
				}
			}
		}
	}
	return out
}

// Names finds imports that hide what they import: a dangerous package under another name,
// or with no name, and go:linkname, which imports without an import.
func Names(ps []*house.Package) []house.Finding {
	var out []house.Finding
	for _, p := range ps {
		for _, f := range p.All() {
			for _, spec := range f.Imports {
				to, _ := strconv.Unquote(spec.Path.Value)
				if spec.Name != nil && slices.Contains(naked, to) {
					out = append(out, p.At(spec.Pos(), "import of "+to+" as "+spec.Name.Name,
						"import it under its own name"))
				}
			}
			out = append(out, linknames(p, f)...)
		}
	}
	return out
}

func linknames(p *house.Package, f house.Source) []house.Finding {
	var out []house.Finding
	for _, group := range f.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//go:linkname") {
				out = append(out, p.At(c.Pos(), "go:linkname", "use what the package exports"))
			}
		}
	}
	return out
}
