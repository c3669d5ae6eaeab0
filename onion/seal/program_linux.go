// Other programs: tor, and those that speak a bridge's transport for it. They keep the network, and
// lose the user's files.

package seal

import (
	"debug/elf"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// devices are for every program.
func devices() []string { return []string{"/dev/null"} }

// common is what every program may read: how it resolves names, trusts certificates and tells the
// time, which programs of transports need. Nothing of it is the user's, nothing is a program.
func common() []string {
	return []string{"/etc/ld.so.cache", "/etc/localtime", "/etc/ssl", "/etc/pki",
		"/etc/ca-certificates", "/usr/lib/ssl", "/usr/share/ca-certificates", "/usr/share/pki",
		"/usr/share/zoneinfo", "/usr/share/tor",
		"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
		"/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
		"/dev/urandom", "/dev/random", "/proc/meminfo", "/proc/cpuinfo",
		"/proc/sys/net/core/somaxconn", "/proc/sys/vm/overcommit_memory",
		"/proc/sys/kernel/cap_last_cap", "/sys/devices/system/cpu"}
}

// system is where programs and libraries are that are not the user's.
func system() []string {
	return []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store",
		"/gnu/store"}
}

// StartProgram starts a program that, with whatever it starts, can open what f names, read the
// system's libraries and settings, and run only the programs in run; it gets no privileges. A
// script among them says only by running what else it runs, so it can read and run whatever
// belongs to the system.
//
// Where the kernel has no Landlock the program starts with all files: State says so of the engine,
// for which the same holds. cmd must not set Pdeathsig: the thread that starts it ends.
func StartProgram(cmd *exec.Cmd, f Files, run []string) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: a thread cannot get back what it gave up, and ends
		err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		if err == nil {
			err = confine(f, run)
		}
		if err == nil {
			err = cmd.Start()
		}
		started <- err
	}()
	return <-started
}

// confine takes from the calling thread what StartProgram takes.
func confine(f Files, run []string) error {
	version := landlock()
	if version == 0 {
		return nil
	}
	a, size := rights(version)
	a.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_EXECUTE
	a.Handled_access_net = 0
	set, err := ruleset(a, size)
	if err != nil {
		return err
	}
	defer unix.Close(set)
	reads := slices.Concat(common(), libraries(run), f.Read)
	for _, name := range run {
		runs := []string{name, interpreter(name)}
		if isScript(name) {
			runs, reads = append(runs, system()...), append(reads, system()...)
		}
		allow(set, runs, unix.LANDLOCK_ACCESS_FS_EXECUTE|unix.LANDLOCK_ACCESS_FS_READ_FILE)
	}
	allow(set, reads, a.Handled_access_fs&toRead)
	allow(set, append(devices(), f.Write...), a.Handled_access_fs&inFiles)
	allow(set, f.Dirs, a.Handled_access_fs&(inDirs|accessResolveUnix))
	return enforce(set)
}

// interpreter is the loader of a program that is linked to libraries, or "".
func interpreter(name string) string {
	f, err := elf.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	s := f.Section(".interp")
	if s == nil {
		return ""
	}
	b, err := s.Data()
	if err != nil {
		return ""
	}
	return strings.TrimRight(string(b), "\x00")
}

// isScript reports whether a program is a text for another program.
func isScript(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	var b [2]byte
	_, err = io.ReadFull(f, b[:])
	return err == nil && string(b[:]) == "#!"
}
