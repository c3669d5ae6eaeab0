// Who the processes are, and which of them holds a socket.

package watch

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"nightjar/audit/watch/held"
)

// A Process is one as the kernel describes it.
type Process struct {
	PID     int
	Program string   // the file that runs
	Args    []string // the first is how it was called
	Parent  Owner    // the one that started it, as it was named
}

// An Owner is whom a packet belongs to: a role, such as tor, and whose, such as desk. The zero
// Owner is nobody.
type Owner struct {
	Role string `json:"role"`
	Of   string `json:"of,omitempty"`
}

// String is "desk's tor", or "nobody".
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
	holds map[uint64]Owner // by inode; the zero Owner if none was found
}

type named struct {
	program string
	args    string
	owner   Owner
	first   time.Time
	found   time.Time // when it was last found to hold a socket that was looked for
}

// settling is how long after its beginning a process may still become another program.
const settling = 3 * time.Second

func newProcesses(name Namer) *processes {
	return &processes{name: name, known: map[int]named{}, holds: map[uint64]Owner{}}
}

// look names those that are new or may run another program, and forgets those that have ended.
func (p *processes) look() {
	dir, err := os.Open("/proc")
	if err != nil {
		return
	}
	names, _ := dir.Readdirnames(-1)
	dir.Close()
	now := time.Now()
	here := make(map[int]bool, len(names))
	for _, n := range names {
		pid, err := strconv.Atoi(n)
		if err != nil {
			continue
		}
		here[pid] = true
		if k, ok := p.known[pid]; !ok || now.Sub(k.first) < settling {
			p.meet(pid, 0)
		}
	}
	for pid := range p.known {
		if !here[pid] {
			delete(p.known, pid)
		}
	}
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
	program0 := program
	o := p.name(Process{PID: pid, Program: strings.TrimSuffix(program, " (deleted)"),
		Parent: parent,
		Args:   strings.Split(strings.TrimSuffix(string(args), "\x00"), "\x00")})
	first := p.known[pid].first
	if first.IsZero() {
		first = time.Now()
	}
	p.known[pid] = named{program: program0, args: string(args), owner: o, first: first}
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

// find looks for those who hold some sockets, first among those who held others lately. A socket
// that is handed from one process to another may be found with either.
func (p *processes) find(inodes map[uint64]bool) {
	p.look()
	pids := slices.SortedFunc(maps.Keys(p.known), func(a, b int) int {
		return p.known[b].found.Compare(p.known[a].found)
	})
	for _, pid := range pids {
		if len(inodes) == 0 {
			return
		}
		p.open(pid, inodes)
	}
	for n := range inodes {
		p.holds[n] = Owner{}
	}
}

// open takes those sockets out of inodes that a process holds.
func (p *processes) open(pid int, inodes map[uint64]bool) {
	held.By(pid, func(n uint64) bool {
		if inodes[n] {
			delete(inodes, n)
			k := p.known[pid]
			k.found = time.Now()
			p.known[pid] = k
			p.holds[n] = k.owner
		}
		return len(inodes) > 0
	})
}

// maxHolds bounds what is remembered of sockets.
const maxHolds = 50_000

// want notes that the holder of a socket is to be found, if it is not known. Sockets that nobody
// held are looked for again: one on its way from one process to another is with neither.
func (p *processes) want(inode uint64, inodes map[uint64]bool) {
	if len(p.holds) > maxHolds {
		clear(p.holds)
	}
	if p.holds[inode] == (Owner{}) {
		inodes[inode] = true
	}
}
