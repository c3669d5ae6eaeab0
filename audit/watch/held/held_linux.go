// Package held reads from the kernel which sockets there are, and which process holds one. It knows
// nothing of packets, or of who a process is.
package held

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxGap is how many descriptors in a row may be free before the rest is taken for free.
const maxGap = 256

// By calls each with the inode of every socket that a process holds, until it returns
// false. A process that the kernel keeps from being looked at, and that lives in a user namespace
// without a root of its own, has a list that no ordinary user may read, be he root of the namespace
// around it; then each descriptor is duplicated, looked at, and closed.
func By(pid int, each func(inode uint64) bool) {
	dir, err := os.Open(filepath.Join("/proc", strconv.Itoa(pid), "fd"))
	if errors.Is(err, fs.ErrPermission) {
		borrowed(pid, each)
		return
	}
	if err != nil {
		return
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	b := make([]byte, 64)
	for _, name := range names {
		size, err := unix.Readlinkat(int(dir.Fd()), name, b)
		if err != nil {
			continue
		}
		text, ok := strings.CutPrefix(string(b[:size]), "socket:[")
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSuffix(text, "]"), 10, 64)
		if err == nil && !each(n) {
			return
		}
	}
}

// borrowed is By by pidfd_getfd(2), which only asks for CAP_SYS_PTRACE over the process.
func borrowed(pid int, each func(inode uint64) bool) {
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(process)
	for fd, gap := 0, 0; gap < maxGap; fd++ {
		ours, err := unix.PidfdGetfd(process, fd, 0)
		if err != nil {
			if !errors.Is(err, unix.EBADF) {
				return
			}
			gap++
			continue
		}
		gap = 0
		var s unix.Stat_t
		err = unix.Fstat(ours, &s)
		unix.Close(ours)
		if err == nil && s.Mode&unix.S_IFMT == unix.S_IFSOCK && !each(s.Ino) {
			return
		}
	}
}
