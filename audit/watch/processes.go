// Who the processes are, and which of them holds a socket.

package watch

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A Process is one as the kernel describes it.
type Process struct {
	PID     int
	Program string   // the file that runs
	Args    []string // the first is how it was called
	Parent  Owner    // the one that started it, as it was named
}

// An Owner is whom a packet belongs to: a role, such as tor, and whose, such as desk. The zero Owner
// is nobody.
type Owner struct {
	Role string `json:"role"`
	Of   string `json:"of,omitempty"`
}

func (o Owner) String() string {
	switch {
	case o.Role == "":
		return "nobody"
	case o.Of == "":
		return o.Role
	}
	return o.Of + "'s " + o.Role
}

// Namer says who a process is. It is asked again when a process runs another program.
type Namer func(Process) Owner

// processes remembers who was who, since a process may be asked for when its parent has ended.
type processes struct {
	name  Namer
	known map[int]named
	holds map[uint64][]Owner // by inode
}

type named struct {
	program string
	args    string
	owner   Owner
}

func newProcesses(name Namer) *processes {
	return &processes{name: name, known: map[int]named{}, holds: map[uint64][]Owner{}}
}

// look names those that are new or run another program, and forgets those that have ended.
func (p *processes) look() (pids []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
			p.meet(pid, 0)
		}
	}
	here := make(map[int]bool, len(pids))
	for _, pid := range pids {
		here[pid] = true
	}
	for pid := range p.known {
		if !here[pid] {
			delete(p.known, pid)
		}
	}
	return pids
}

// maxAncestors bounds how far back parents are looked for.
const maxAncestors = 8

// meet names one process, and its parent first.
func (p *processes) meet(pid, depth int) Owner {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	program, err := os.Readlink(filepath.Join(dir, "exe"))
	if err != nil {
		return p.known[pid].owner
	}
	args, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
	if k, ok := p.known[pid]; ok && k.program == program && k.args == string(args) {
		return k.owner
	}
	var parent Owner
	if up := parentOf(dir); up > 0 && depth < maxAncestors {
		parent = p.meet(up, depth+1)
	}
	program = strings.TrimSuffix(program, " (deleted)")
	o := p.name(Process{PID: pid, Program: program, Parent: parent,
		Args: strings.Split(strings.TrimSuffix(string(args), "\x00"), "\x00")})
	p.known[pid] = named{program, string(args), o}
	return o
}

// parentOf reads the fourth field of stat, which stands behind a name that may hold anything.
func parentOf(dir string) int {
	b, _ := os.ReadFile(filepath.Join(dir, "stat"))
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(string(fields[1]))
	return n
}

// holders says who holds a socket; several do while it is handed from one to the other. Looking
// goes through the open files of all processes, so what is found is kept for the next question.
func (p *processes) holders(inode uint64) []Owner {
	if o, ok := p.holds[inode]; ok {
		return o
	}
	p.open()
	return p.holds[inode]
}

// open lists the sockets of every process.
func (p *processes) open() {
	clear(p.holds)
	for _, pid := range p.look() {
		dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			target, _ := os.Readlink(filepath.Join(dir, e.Name()))
			text, ok := strings.CutPrefix(target, "socket:[")
			if !ok {
				continue
			}
			n, err := strconv.ParseUint(strings.TrimSuffix(text, "]"), 10, 64)
			if err != nil {
				continue
			}
			o := p.known[pid].owner
			if !has(p.holds[n], o) {
				p.holds[n] = append(p.holds[n], o)
			}
		}
	}
}

func has(all []Owner, o Owner) bool {
	for _, x := range all {
		if x == o {
			return true
		}
	}
	return false
}
