// The list: system calls that need no second look, and those that do.

package seal

import (
	"os"

	"golang.org/x/sys/unix"
)

// plainCalls are allowed whatever their arguments, the most frequent first. The Go runtime needs
// most of them, locked memory and the vault the rest. Some are those of other processors.
func plainCalls() []string {
	return []string{
		"futex", "epoll_pwait", "read", "write", "nanosleep", "clock_nanosleep", "recvfrom",
		"clock_gettime", "sched_yield", "madvise", "rt_sigprocmask", "rt_sigreturn", "getpid",
		"gettid", "epoll_ctl", "futex_time64", "clock_gettime64", "clock_nanosleep_time64",

		// memory, threads, signals of our own, the end
		"brk", "munmap", "mremap", "mincore", "mlock", "mlock2", "munlock", "membarrier", "rseq",
		"set_robust_list", "set_tid_address", "sched_getaffinity", "getcpu", "rt_sigaction",
		"sigaltstack", "rt_sigpending", "rt_sigtimedwait", "restart_syscall", "exit", "exit_group",
		"sigreturn", "set_thread_area", "timer_create", "timer_settime", "timer_delete",
		"setitimer",

		// time and chance
		"gettimeofday", "time", "clock_getres", "clock_getres_time64", "getrandom",

		// who we are, how much we may and have used
		"getppid", "getuid", "geteuid", "getgid", "getegid", "getgroups", "getuid32", "geteuid32",
		"getgid32", "getegid32", "getrlimit", "ugetrlimit", "setrlimit", "getrusage", "times",
		"uname",

		// files that are open
		"close", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "lseek", "_llseek",
		"fstat", "fstat64", "fsync", "fdatasync", "ftruncate", "ftruncate64", "fallocate",
		"fadvise64", "arm_fadvise64_64", "flock", "getdents64", "dup", "dup3", "pipe2", "splice",
		"sendfile", "sendfile64", "copy_file_range", "fstatfs", "fstatfs64",

		// files by name: which, is Landlock's affair. It has no say about modes in any version, nor
		// about truncate before the third: chmod and truncate are not here.
		"open", "openat", "stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx",
		"access", "faccessat", "faccessat2", "readlink", "readlinkat", "getcwd", "mkdir", "mkdirat",
		"rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "umask", "statfs",
		"statfs64",

		// waiting, and sockets that we were given or listen at
		"epoll_create1", "epoll_wait", "epoll_pwait2", "eventfd2", "poll", "ppoll", "ppoll_time64",
		"select", "_newselect", "pselect6", "bind", "listen", "accept", "accept4", "getsockname",
		"getpeername", "getsockopt", "recvmsg", "shutdown",
	}
}

// boundCalls are the calls that are allowed with certain arguments only. Anywhere lets datagrams go
// to addresses that the process names. A socket that is connected is no wall by itself: the kernel
// sends from it to whatever address sendto names.
func boundCalls(anywhere bool) []bound {
	pid := uint32(os.Getpid())
	all := func(c ...condition) [][]condition { return [][]condition{c} }
	send := [][]condition{{without(3, unix.MSG_FASTOPEN), is(4, 0)}} // to where it is connected
	if anywhere {
		send = all(without(3, unix.MSG_FASTOPEN))
	}
	return []bound{
		// A socket that can be listened at by name, where Landlock lets a name be made. There is no
		// connect, no sendmsg and no socketpair: a message with ancillary data can name another
		// source address than the socket's own.
		{"socket", all(is(0, unix.AF_UNIX),
			is(1, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK))},
		{"sendto", send},
		{"clone", all(with(0, unix.CLONE_THREAD))}, // a thread, never a process
		{"kill", all(is(0, pid))},
		{"tgkill", all(is(0, pid))},
		{"prlimit64", all(is(0, 0))},
		{"mmap", all(without(2, unix.PROT_EXEC))},
		{"mmap2", all(without(2, unix.PROT_EXEC))},
		{"mprotect", all(without(2, unix.PROT_EXEC))},
		{"prctl", append(all(is(0, unix.PR_SET_DUMPABLE), is(1, 0)),
			oneOf(0, unix.PR_GET_DUMPABLE, unix.PR_GET_NO_NEW_PRIVS, unix.PR_GET_SECCOMP,
				unix.PR_SET_VMA, unix.PR_SET_PDEATHSIG)...)},
		{"setsockopt", append(
			oneOf(2, unix.SO_REUSEADDR, unix.SO_KEEPALIVE, unix.SO_LINGER, unix.SO_RCVBUF,
				unix.SO_SNDBUF).and(is(1, unix.SOL_SOCKET)),
			oneOf(2, unix.TCP_NODELAY, unix.TCP_KEEPIDLE, unix.TCP_KEEPINTVL,
				unix.TCP_KEEPCNT).and(is(1, unix.IPPROTO_TCP))...)},
		// A terminal can be asked and set, but nothing typed into it for the shell to read.
		{"ioctl", oneOf(1, unix.TCGETS, unix.TCSETS, unix.TCSETSW, unix.TCSETSF, unix.TIOCGWINSZ)},
		{"fcntl", oneOf(1, filing()...)},
		{"fcntl64", oneOf(1, filing()...)},
	}
}

// filing is what fcntl may do: nothing that sends signals.
func filing() []uint32 {
	return []uint32{unix.F_DUPFD, unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL,
		unix.F_GETLK, unix.F_SETLK, unix.F_SETLKW, unix.F_DUPFD_CLOEXEC, unix.F_SETPIPE_SZ}
}

// A choice is cases of which one must hold.
type choice [][]condition

// oneOf is the choice that an argument is one of some values.
func oneOf(arg uint32, values ...uint32) (out choice) {
	for _, v := range values {
		out = append(out, []condition{is(arg, v)})
	}
	return out
}

// and has one condition more hold in every case.
func (c choice) and(more condition) choice {
	for i := range c {
		c[i] = append(c[i], more)
	}
	return c
}
