// What holds, and how it is said.

package seal

import (
	"errors"
	"strconv"
	"strings"
)

// ErrUnsupported means a system that has none of the layers.
var ErrUnsupported = errors.New("this system cannot seal a program")

// Files says what a sealed process may open. Names that do not exist are left out.
type Files struct {
	Read  []string // files to be read, or directories all below which can be read
	Write []string // files and devices to be read and written
	Dirs  []string // directories in which everything is allowed but to run programs
	// Sockets are directories in which files can be read, and unix sockets made and removed: what
	// another program runs or loads there is not made by this one.
	Sockets []string
}

// State says which layers hold. The zero value is a process that is not sealed.
type State struct {
	Namespaces bool // the network namespace is empty, and not that of the one who started us
	Files      int  // version of Landlock that holds; 0 is none
	Calls      bool // the list of system calls holds, and no_new_privs
}

// Sealed reports whether the process cannot reach a network by itself: by its namespace, by its
// list of calls, or both.
func (s State) Sealed() bool { return s.Namespaces || s.Calls }

// Missing says in words for people which layers do not hold; nothing when all do.
func (s State) Missing() []string {
	var out []string
	if !s.Sealed() {
		return []string{"the engine is not sealed: it has no rule in the kernel that keeps it " +
			"from the network, only its own code"}
	}
	if !s.Namespaces {
		out = append(out, "the engine has no network namespace of its own (this system refuses "+
			"them): the list of system calls alone keeps it from the network")
	}
	if !s.Calls {
		out = append(out, "the engine has no list of system calls (this system refuses it): its "+
			"empty network namespace alone keeps it from the network")
	}
	if s.Files == 0 {
		out = append(out, "the engine can open every file of this user, and so can its tor "+
			"(a tor can be told to write files, and to run programs): this kernel has no Landlock")
	}
	return out
}

// Words names the layers that hold, for status.
func (s State) Words() string {
	var on []string
	if s.Namespaces {
		on = append(on, "an empty network")
	}
	if s.Calls {
		on = append(on, "a list of system calls")
	}
	if s.Files > 0 {
		on = append(on, "its own files only")
	}
	if len(on) == 0 {
		return "not sealed"
	}
	return strings.Join(on, ", ")
}

// text is what Enter tells Apply of the layers that came first.
func (s State) text() string {
	return strconv.FormatBool(s.Namespaces) + ":" + strconv.Itoa(s.Files)
}

// readState reads what text returned; whatever else it is, nothing holds.
func readState(text string) (s State) {
	namespaces, files, _ := strings.Cut(text, ":")
	s.Namespaces = namespaces == "true"
	if n, err := strconv.Atoi(files); err == nil && n > 0 {
		s.Files = n
	}
	return s
}
