// Seccomp: the list of system calls, for every thread.

package seal

import (
	"encoding/binary"
	"runtime"
	"unsafe"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// What the kernel shows to the list (struct seccomp_data): words of the machine's byte order.
const (
	numberAt = 0
	abiAt    = 4
	argsAt   = 16 // six, of 8 bytes each
)

// x32 begins the numbers of a second ABI of amd64, which has the same name as the first.
const x32 = 0x40000000

// The answers of the list.
const (
	yes    = unix.SECCOMP_RET_ALLOW
	no     = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	absent = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
)

func answer(a uint32) bpf.Instruction { return bpf.RetConstant{Val: a} }

// loadFilter puts the list into force.
func loadFilter(anywhere bool) error {
	machine, err := arch.GetInfo("")
	if err != nil {
		return ErrUnsupported
	}
	raw, err := bpf.Assemble(assemble(machine, plainCalls(), boundCalls(anywhere)))
	if err != nil {
		return err
	}
	return load(raw)
}

// assemble writes the list as a program. What is not on it fails with EPERM, and so does every call
// by another ABI of the processor, which a list of what is forbidden would let pass.
func assemble(machine *arch.Info, plain []string, bounds []bound) []bpf.Instruction {
	code := []bpf.Instruction{
		bpf.LoadAbsolute{Off: abiAt, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(machine.ID), SkipTrue: 1},
		answer(no),
		bpf.LoadAbsolute{Off: numberAt, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: x32, SkipTrue: 1},
		answer(no),
	}
	on := func(name string, then ...bpf.Instruction) {
		if number, ok := machine.SyscallNames[name]; ok {
			code = append(code, bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(number),
				SkipFalse: uint8(len(then))})
			code = append(code, then...)
		}
	}
	for _, name := range plain {
		on(name, answer(yes))
	}
	for _, b := range bounds {
		on(b.name, b.code()...)
	}
	// The C library falls back to clone, whose flags can be looked at, if this is missing.
	on("clone3", answer(absent))
	return append(code, answer(no))
}

// A bound is a call that is allowed if all conditions of one of its cases hold.
type bound struct {
	name  string
	cases [][]condition
}

// code decides about a call whose number is known already. It always ends with an answer: the
// number is no longer at hand when an argument has been loaded.
func (b bound) code() (code []bpf.Instruction) {
	for _, c := range b.cases {
		var all []bpf.Instruction
		for i := len(c) - 1; i >= 0; i-- {
			all = append(c[i].code(len(all)+1), all...)
		}
		code = append(append(code, all...), answer(yes))
	}
	return append(code, answer(no))
}

// A condition is about one argument: that it is a value, that it has a bit, or that it has not.
type condition struct {
	arg   uint32
	test  bpf.JumpTest
	value uint32
}

func is(arg, value uint32) condition    { return condition{arg, bpf.JumpEqual, value} }
func with(arg, bit uint32) condition    { return condition{arg, bpf.JumpBitsSet, bit} }
func without(arg, bit uint32) condition { return condition{arg, bpf.JumpBitsNotSet, bit} }

// code goes on behind itself if the condition holds, and skips so many instructions more if not.
func (c condition) code(skip int) []bpf.Instruction {
	low, high := argsAt+8*c.arg, argsAt+8*c.arg+4
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		low, high = high, low
	}
	code := []bpf.Instruction{
		bpf.LoadAbsolute{Off: low, Size: 4},
		bpf.JumpIf{Cond: c.test, Val: c.value, SkipFalse: uint8(skip)},
	}
	if c.test == bpf.JumpEqual { // of the whole register
		code = append([]bpf.Instruction{
			bpf.LoadAbsolute{Off: high, Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipFalse: uint8(skip + len(code))},
		}, code...)
	}
	return code
}

// load hands a program to the kernel. It holds for all threads, or for none.
func load(raw []bpf.RawInstruction) error {
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	r, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(code)
	if errno != 0 {
		return errno
	}
	if r != 0 { // the number of a thread that could not be included
		return ErrUnsupported
	}
	return nil
}
