// Landlock: which files, and two things more that it can take away. Called by number: three calls,
// of which the last counts for the calling thread alone.

package seal

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The rights that later versions of Landlock added, and that package unix does not know yet.
const (
	accessIoctlDev    = 1 << 15 // version 5
	accessResolveUnix = 1 << 16 // version 9: connect to a named unix socket
	scopeAbstractUnix = 1 << 0  // version 6
	scopeSignal       = 1 << 1  // version 6
)

// program is the file that this process runs.
const program = "/proc/self/exe"

const (
	// inFiles are the rights that a file or device can have by itself.
	inFiles = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_TRUNCATE | accessIoctlDev
	toRead = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	// inDirs are the rights in a directory of our own: files, directories and sockets, but no
	// links, devices or programs.
	inDirs = toRead | inFiles | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR |
		unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
		unix.LANDLOCK_ACCESS_FS_REFER
	// inSockets are the rights in a directory of sockets.
	inSockets = toRead | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE
)

// landlock returns the version of Landlock that this kernel has, or 0.
func landlock() int {
	version, _, no := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0,
		unix.LANDLOCK_CREATE_RULESET_VERSION)
	if no != 0 {
		return 0
	}
	return int(version)
}

// ruleset makes a set of rules that takes away what a names.
func ruleset(a unix.LandlockRulesetAttr, size uintptr) (int, error) {
	set, _, no := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&a)),
		size, 0)
	if no != 0 {
		return -1, no
	}
	return int(set), nil
}

// enforce puts a set of rules into force for the calling thread.
func enforce(set int) error {
	if _, _, no := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(set), 0, 0); no != 0 {
		return no
	}
	return nil
}

// restrict takes everything from the calling thread that f does not name, and returns the version
// of Landlock that does it, or 0.
func restrict(f Files) int {
	version := landlock()
	if version == 0 {
		return 0
	}
	a, size := rights(version)
	set, err := ruleset(a, size)
	if err != nil {
		return 0
	}
	defer unix.Close(set)
	allow(set, append(mapped(), f.Read...), a.Handled_access_fs&toRead)
	allow(set, f.Write, a.Handled_access_fs&inFiles)
	allow(set, f.Dirs, a.Handled_access_fs&inDirs)
	allow(set, f.Sockets, a.Handled_access_fs&inSockets)
	if enforce(set) != nil {
		return 0
	}
	return version
}

// mapped lists what this program needs to start again: itself, and the libraries of a build that is
// linked to some.
func mapped() []string {
	names := []string{program, "/etc/ld.so.cache"}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return names
	}
	for line := range strings.Lines(string(maps)) {
		if _, name, found := strings.Cut(line, "/"); found {
			names = append(names, "/"+strings.TrimSpace(name))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// rights are what a version of Landlock can take away, but for the right to run programs: this one
// starts again before the list of system calls ends that.
func rights(version int) (a unix.LandlockRulesetAttr, size uintptr) {
	a.Handled_access_fs = unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1 // all of version 1
	a.Handled_access_fs &^= unix.LANDLOCK_ACCESS_FS_EXECUTE
	for since, right := range map[int]uint64{2: unix.LANDLOCK_ACCESS_FS_REFER,
		3: unix.LANDLOCK_ACCESS_FS_TRUNCATE, 5: accessIoctlDev, 9: accessResolveUnix} {
		if version >= since {
			a.Handled_access_fs |= right
		}
	}
	size = 8
	if version >= 4 {
		a.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP |
			unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
		size = 16
	}
	if version >= 6 {
		a.Scoped = scopeAbstractUnix | scopeSignal
		size = 24
	}
	return a, size
}

// allow gives rights on names that exist. What cannot be allowed stays forbidden.
func allow(set int, names []string, rights uint64) {
	for _, name := range names {
		fd, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		var st unix.Stat_t
		if unix.Fstat(fd, &st) == nil {
			may := rights
			if st.Mode&unix.S_IFMT != unix.S_IFDIR {
				may &= inFiles | unix.LANDLOCK_ACCESS_FS_EXECUTE
			}
			r := unix.LandlockPathBeneathAttr{Allowed_access: may, Parent_fd: int32(fd)}
			unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(set), unix.LANDLOCK_RULE_PATH_BENEATH,
				uintptr(unsafe.Pointer(&r)), 0, 0, 0)
			runtime.KeepAlive(&r)
		}
		unix.Close(fd)
	}
}
