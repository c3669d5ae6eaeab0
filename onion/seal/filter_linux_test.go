// The list means what it says: its program is run here, instruction by instruction, beside a second
// reading of the same tables.

package seal

import (
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A call is what the kernel shows to the list.
type call struct {
	abi, number uint32
	args        [6]uint64
}

// packet lays a call out as the kernel does; the machine that runs programs here reads its words in
// network order.
func (c call) packet() []byte {
	b := make([]byte, 64)
	binary.BigEndian.PutUint32(b[numberAt:], c.number)
	binary.BigEndian.PutUint32(b[abiAt:], c.abi)
	for i, a := range c.args {
		low, high := argsAt+8*i, argsAt+8*i+4
		if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
			low, high = high, low
		}
		binary.BigEndian.PutUint32(b[low:], uint32(a))
		binary.BigEndian.PutUint32(b[high:], uint32(a>>32))
	}
	return b
}

// A reading is the second reading of the tables: for each name the cases in which it is allowed.
type reading map[string][][]condition

func read() reading {
	r := reading{}
	for _, name := range plainCalls() {
		r[name] = [][]condition{{}}
	}
	for _, b := range boundCalls(false) {
		r[b.name] = b.cases
	}
	return r
}

func (r reading) allows(c call, m *arch.Info) bool {
	name, known := m.SyscallNumbers[int(c.number)]
	return c.abi == uint32(m.ID) && known &&
		slices.ContainsFunc(r[name], func(all []condition) bool {
			return !slices.ContainsFunc(all, func(o condition) bool { return !o.holds(c) })
		})
}

func (o condition) holds(c call) bool {
	a := c.args[o.arg]
	switch o.test {
	case bpf.JumpEqual:
		return a == uint64(o.value)
	case bpf.JumpBitsSet:
		return a&uint64(o.value) != 0
	}
	return a&uint64(o.value) == 0
}

// calls are every number with many arguments: the values of the tables among them, values next to
// them, and with a bit of the upper half.
func calls(m *arch.Info) (out []call) {
	values := map[uint64]bool{0: true, 10: true, 1 << 32: true, 1<<63 | 1: true}
	for _, b := range boundCalls(false) {
		for _, all := range b.cases {
			for _, o := range all {
				v := uint64(o.value)
				for _, near := range []uint64{v, v | 1<<32} {
					values[near] = true
				}
			}
		}
	}
	some := slices.Sorted(maps.Keys(values))
	for number := range uint32(600) {
		for _, v := range some {
			out = append(out, call{uint32(m.ID), number, [6]uint64{v, v, v, v, v, v}})
			out = append(out, call{uint32(m.ID), number, [6]uint64{v, 1, 9, 0, v}})
			out = append(out, call{uint32(m.ID), number, [6]uint64{1, v, 3, 0, v}})
			out = append(out, call{uint32(m.ID), number, [6]uint64{1, 1, v, v, v}})
			out = append(out, call{uint32(m.ID), number, [6]uint64{0, 6, v, v, v}})
		}
		out = append(out, call{uint32(m.ID), number | x32, [6]uint64{}},
			call{uint32(m.ID) + 1, number, [6]uint64{}})
	}
	return out
}

func TestListAllowsWhatItNamesAndNothingElse(t *testing.T) {
	second := read()
	for _, m := range []*arch.Info{arch.X86_64, arch.AARCH64, arch.ARM, arch.I386} {
		vm, err := bpf.NewVM(assemble(m, plainCalls(), boundCalls(false)))
		if err != nil {
			t.Fatal(err)
		}
		allowed := 0
		for _, c := range calls(m) {
			got, err := vm.Run(c.packet())
			if err != nil {
				t.Fatal(err)
			}
			if want := second.allows(c, m); (uint32(got) == yes) != want {
				t.Fatalf("%s: call %d %x: answer %x, want allowed %v", m.Name, c.number, c.args,
					got, want)
			} else if want {
				allowed++
			}
		}
		if allowed < 1000 {
			t.Errorf("%s: only %d calls are allowed", m.Name, allowed)
		}
	}
}

// TestListOfWhatIsForbiddenHasHoles shows why a list ends with an answer for every call it looks
// into: one that looks at an argument and then goes on comparing takes the argument for the number
// of the call.
func TestListOfWhatIsForbiddenHasHoles(t *testing.T) {
	naive, err := bpf.NewVM([]bpf.Instruction{
		bpf.LoadAbsolute{Off: numberAt, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SYS_SOCKET, SkipTrue: 3},
		bpf.LoadAbsolute{Off: argsAt, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.AF_UNIX, SkipTrue: 1},
		answer(yes),
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SYS_MPROTECT, SkipTrue: 1},
		answer(yes),
		answer(no),
	})
	if err != nil {
		t.Fatal(err)
	}
	socket := call{number: unix.SYS_SOCKET, args: [6]uint64{unix.SYS_MPROTECT}}
	if got, _ := naive.Run(socket.packet()); uint32(got) != yes {
		t.Error("the naive list holds: this test proves nothing")
	}
	machine, err := arch.GetInfo("")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := bpf.NewVM(assemble(machine, plainCalls(), boundCalls(false)))
	if err != nil {
		t.Fatal(err)
	}
	socket.abi = uint32(machine.ID)
	if got, _ := ours.Run(socket.packet()); uint32(got) != no {
		t.Errorf("answer %x", got)
	}
}
