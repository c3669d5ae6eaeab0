// What a process that wants out would try. Every attempt is run sealed and unsealed: an attempt
// that fails unsealed proves nothing.

package seal

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A scene is what an attempt finds in its process.
type scene struct {
	udp     int    // a loopback socket, bound with its port named
	auto    int    // a loopback socket, bound to a port that the kernel chose
	tcp     int    // a loopback socket that listens
	answer  int    // a datagram socket, connected to a phone
	outside string // a directory that is not ours
	unix    string // a unix socket at which somebody outside listens
	target  [4]byte
	code    uintptr // memory with a system call of the 32-bit ABI in it, or 0
}

// attempts are the ways out, each with what it returns when it is stopped or comes through.
func attempts() map[string]func(scene) error {
	out := map[string]func(scene) error{
		"exec":   func(scene) error { return unix.Exec("/bin/true", []string{"true"}, nil) },
		"fork":   fork,
		"ptrace": func(scene) error { return unix.PtraceSeize(os.Getppid()) },
		"io_uring": func(scene) error {
			var params [120]byte
			return raw(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params)))
		},
		"signal the one outside": func(scene) error { return unix.Kill(os.Getppid(), 0) },
		"run memory made here": func(scene) error {
			_, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC,
				unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
			return err
		},
		"connect to a unix socket": func(s scene) error {
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|
				unix.SOCK_NONBLOCK, 0)
			if err != nil {
				return err
			}
			return unix.Connect(fd, &unix.SockaddrUnix{Name: s.unix})
		},
		"send with another source": withSource,
		"send where a socket is not connected to": func(s scene) error {
			return unix.Sendto(s.answer, []byte("x"), 0,
				&unix.SockaddrInet4{Port: 9, Addr: s.target})
		},
		"ask a name service from a phone's socket": func(s scene) error {
			return unix.Sendto(s.udp, []byte("x"), 0,
				&unix.SockaddrInet4{Port: 53, Addr: [4]byte{127, 0, 0, 53}})
		},
		"unbind and bind anywhere": func(s scene) error { return rebind(s.auto) },
		"turn the listener around": func(s scene) error { return rebind(s.tcp) },
		"bind to an interface": func(s scene) error {
			return unix.SetsockoptString(s.udp, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, "lo")
		},
		"set a multicast interface": func(s scene) error {
			return unix.SetsockoptInt(s.udp, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, 9)
		},
		"be read by others": func(scene) error {
			return unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)
		},
	}
	maps.Copy(out, onFiles())
	for name, kind := range map[string][2]int{
		"inet": {unix.AF_INET, unix.SOCK_DGRAM}, "inet stream": {unix.AF_INET, unix.SOCK_STREAM},
		"inet6": {unix.AF_INET6, unix.SOCK_DGRAM}, "netlink": {unix.AF_NETLINK, unix.SOCK_RAW},
		"unix datagram": {unix.AF_UNIX, unix.SOCK_DGRAM},
	} {
		out["socket "+name] = func(scene) error {
			_, err := unix.Socket(kind[0], kind[1], 0)
			return err
		}
	}
	if runtime.GOARCH == "amd64" {
		out["socket by the 32-bit ABI"] = func(s scene) error { return by32bit(s.code) }
	}
	return out
}

// onFiles are attempts on files that are not ours.
func onFiles() map[string]func(scene) error {
	return map[string]func(scene) error{
		"read a file": func(s scene) error {
			_, err := os.ReadFile(filepath.Join(s.outside, "file"))
			return err
		},
		"write a file": func(s scene) error {
			return os.WriteFile(filepath.Join(s.outside, "made"), []byte("x"), 0o600)
		},
		"make a file among sockets": func(s scene) error {
			name := filepath.Join(s.outside, "..", "sockets", "program")
			return os.WriteFile(name, []byte("x"), 0o600)
		},
		"change a mode": func(s scene) error {
			return unix.Fchmodat(unix.AT_FDCWD, filepath.Join(s.outside, "file"), 0o644, 0)
		},
		"change the mode of an open file": func(s scene) error { return unix.Fchmod(s.udp, 0o600) },
		"empty a file by name": func(s scene) error {
			return unix.Truncate(filepath.Join(s.outside, "file"), 1<<10)
		},
	}
}

// rare are attempts that this kernel or this user may refuse to everybody.
func rare() map[string]func(scene) error {
	out := map[string]func(scene) error{
		"unshare": func(scene) error { return unix.Unshare(unix.CLONE_NEWNET) },
		"mount":   func(s scene) error { return unix.Mount("none", s.outside, "tmpfs", 0, "") },
		"setns":   func(scene) error { return unix.Setns(0, unix.CLONE_NEWNET) },
		"bpf":     func(scene) error { return raw(unix.SYS_BPF, 0, 0) },
		"type into the terminal": func(scene) error {
			c := byte('x')
			return raw(unix.SYS_IOCTL, 0, unix.TIOCSTI, uintptr(unsafe.Pointer(&c)))
		},
		"memory of the one outside": func(scene) error {
			var b [1]byte
			here := []unix.Iovec{{Base: &b[0], Len: 1}}
			_, err := unix.ProcessVMReadv(os.Getppid(), here,
				[]unix.RemoteIovec{{Base: 4096, Len: 1}}, 0)
			return err
		},
		"socket by the x32 ABI": func(scene) error {
			return raw(0x40000000|unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_DGRAM, 0)
		},
	}
	for name, family := range map[string]int{"packet": unix.AF_PACKET, "vsock": unix.AF_VSOCK,
		"bluetooth": unix.AF_BLUETOOTH, "alg": unix.AF_ALG} {
		out["socket "+name] = func(scene) error {
			_, err := unix.Socket(family, unix.SOCK_RAW, 0)
			return err
		}
	}
	return out
}

// raw makes a system call by number.
func raw(number uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	if _, _, no := unix.Syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5]); no != 0 {
		return no
	}
	return nil
}

// fork makes a process, which ends at once.
func fork(scene) error {
	pid, _, no := unix.RawSyscall(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0)
	if no != 0 {
		return no
	}
	if pid == 0 {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	return nil
}

// withSource sends from a loopback socket, but with another source address in ancillary data.
func withSource(s scene) error {
	info := unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: [4]byte{127, 9, 9, 9}})
	_, err := unix.SendmsgN(s.udp, []byte("x"), info,
		&unix.SockaddrInet4{Port: 9, Addr: s.target}, 0)
	return err
}

// rebind takes a socket's address from it and binds it to all of them.
func rebind(fd int) error {
	unspec := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	if err := raw(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&unspec)), 16); err != nil {
		return err
	}
	return unix.Bind(fd, &unix.SockaddrInet4{})
}

// code32 returns memory with: push rbx; mov eax, 359 (socket); mov ebx, 2; mov ecx, 2;
// xor edx, edx; int 0x80; pop rbx; ret. The answer stays in eax, where a function's result is.
func code32() uintptr {
	if runtime.GOARCH != "amd64" {
		return 0
	}
	mem, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return 0
	}
	copy(mem, "\x53\xb8\x67\x01\x00\x00\xbb\x02\x00\x00\x00\xb9\x02\x00\x00\x00\x31\xd2"+
		"\xcd\x80\x5b\xc3")
	if unix.Mprotect(mem, unix.PROT_READ|unix.PROT_EXEC) != nil {
		return 0
	}
	return uintptr(unsafe.Pointer(&mem[0]))
}

// by32bit runs code32.
func by32bit(code uintptr) error {
	entry := &code
	answer := (*(*func() int32)(unsafe.Pointer(&entry)))()
	if answer < 0 {
		return syscall.Errno(-answer)
	}
	return nil
}
