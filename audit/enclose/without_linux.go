// A kernel that has less: what some systems refuse or do not have, refused on purpose.

package enclose

import (
	"errors"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What can be taken away.
const (
	Namespaces = "namespaces" // as Ubuntu's AppArmor rule does, and containers do
	Landlock   = "landlock"   // as in kernels that are older, or were built without it
	Seccomp    = "seccomp"    // as in kernels that were built without it
)

// path is where such a program finds others; more of the environment it does not get.
const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// ErrUnknown is something else that is to be taken away.
var ErrUnknown = errors.New("this cannot be taken away")

// Without becomes another program, for which the kernel does not have what lacks names, with commas
// between; neither has it for what that program starts. It returns only if that fails.
func Without(lacks string, argv []string) error {
	filter, err := lacking(lacks)
	if err != nil {
		return err
	}
	runtime.LockOSThread() // the filter is one thread's, and so is what follows
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	err = unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER,
		uintptr(unsafe.Pointer(&program)), 0, 0)
	runtime.KeepAlive(filter)
	if err != nil {
		return err
	}
	return syscall.Exec(argv[0], argv, []string{path})
}

// Where seccomp(2) shows a filter the number of a call and the lower half of its first argument, on
// machines that begin with it.
const (
	numberAt   = 0
	argumentAt = 16
)

// A call is refused with an error: always, or when its first argument has a bit, or is a number.
type call struct {
	number  uintptr
	compare uint16 // BPF_JSET, BPF_JEQ, or 0 for always
	with    uint32
	errno   unix.Errno
}

// lacking is the filter.
func lacking(lacks string) (out []unix.SockFilter, err error) {
	known := map[string][]call{
		Namespaces: {
			{unix.SYS_CLONE, unix.BPF_JSET, unix.CLONE_NEWUSER, unix.EPERM},
			{unix.SYS_UNSHARE, unix.BPF_JSET, unix.CLONE_NEWUSER, unix.EPERM},
			{unix.SYS_CLONE3, 0, 0, unix.ENOSYS}}, // its flags cannot be looked at
		Landlock: {
			{unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.ENOSYS},
			{unix.SYS_LANDLOCK_ADD_RULE, 0, 0, unix.ENOSYS},
			{unix.SYS_LANDLOCK_RESTRICT_SELF, 0, 0, unix.ENOSYS}},
		Seccomp: {
			{unix.SYS_SECCOMP, 0, 0, unix.ENOSYS},
			{unix.SYS_PRCTL, unix.BPF_JEQ, unix.PR_SET_SECCOMP, unix.EINVAL}},
	}
	for word := range strings.SplitSeq(lacks, ",") {
		calls, ok := known[word]
		if !ok {
			return nil, ErrUnknown
		}
		for _, c := range calls {
			out = append(out, c.refuse()...)
		}
	}
	return append(out, answer(unix.SECCOMP_RET_ALLOW)), nil
}

// refuse is the part of a filter that refuses a call.
func (c call) refuse() []unix.SockFilter {
	look := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	unless := func(how uint16, k uint32, over uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_K | how, K: k, Jf: over}
	}
	no := answer(unix.SECCOMP_RET_ERRNO | uint32(c.errno))
	number := uint32(c.number)
	if c.compare == 0 {
		return []unix.SockFilter{look(numberAt), unless(unix.BPF_JEQ, number, 1), no}
	}
	return []unix.SockFilter{look(numberAt), unless(unix.BPF_JEQ, number, 3),
		look(argumentAt), unless(c.compare, c.with, 1), no}
}

// answer ends a filter.
func answer(k uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k}
}
