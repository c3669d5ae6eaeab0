// A sealed process, its unsealed twin, and the one who starts them: all three are this test binary.

package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "start":
			os.Exit(startRole(os.Args[2], os.Args[3]))
		case "engine":
			os.Exit(engineRole(os.Args[2:]))
		case "world":
			os.Exit(worldRole(os.Args[2]))
		case "sink":
			os.Exit(sinkRole())
		}
	}
	os.Exit(m.Run())
}

// A report is what a process found.
type report struct {
	State   State
	Tried   map[string]string // by attempt: "" if it came through
	Works   map[string]string // by need: "" if it is there
	UserIDs int
}

// startRole starts an engine in the way named by how, and hands it loopback sockets.
func startRole(how, dir string) int {
	files, phone, err := loopbacks()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	build := func() *exec.Cmd {
		cmd := exec.Command("/proc/self/exe", "engine", how, dir, Network())
		cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = os.Stdout, os.Stderr, files
		return cmd
	}
	cmd := build()
	if strings.HasPrefix(how, "sealed") {
		cmd, _, err = Start(build)
	} else {
		err = cmd.Start()
	}
	if err == nil {
		talk(files, phone)
		err = cmd.Wait()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// loopbacks opens the sockets of a scene, in its order, and that of a phone.
func loopbacks() (files []*os.File, phone *net.UDPConn, err error) {
	home := net.IPv4(127, 0, 0, 1)
	free, err := net.ListenUDP("udp4", &net.UDPAddr{IP: home})
	if err != nil {
		return nil, nil, err
	}
	port := free.LocalAddr().(*net.UDPAddr).Port
	free.Close()
	named, err := net.ListenUDP("udp4", &net.UDPAddr{IP: home, Port: port})
	if err != nil {
		return nil, nil, err
	}
	auto, err := net.ListenUDP("udp4", &net.UDPAddr{IP: home})
	if err != nil {
		return nil, nil, err
	}
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: home})
	if err != nil {
		return nil, nil, err
	}
	if phone, err = net.ListenUDP("udp4", &net.UDPAddr{IP: home}); err != nil {
		return nil, nil, err
	}
	answer, err := net.DialUDP("udp4", nil, phone.LocalAddr().(*net.UDPAddr))
	if err != nil {
		return nil, nil, err
	}
	for _, s := range []interface{ File() (*os.File, error) }{named, auto, listener, answer} {
		f, err := s.File()
		if err != nil {
			return nil, nil, err
		}
		files = append(files, f)
	}
	return files, phone, nil
}

// talk is the phone: it sends a datagram, and opens a stream, to the engine's sockets. It does not
// matter when the engine listens; the kernel keeps both.
func talk(files []*os.File, phone *net.UDPConn) {
	at, _ := unix.Getsockname(int(files[0].Fd()))
	to, _ := unix.Getsockname(int(files[2].Fd()))
	phone.WriteTo([]byte("ping"), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1),
		Port: at.(*unix.SockaddrInet4).Port})
	s, err := net.DialTCP("tcp4", nil, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1),
		Port: to.(*unix.SockaddrInet4).Port})
	if err == nil {
		s.Write([]byte("ping"))
	}
}

// engineRole is the engine: how, dir, the network outside, and what Enter adds.
func engineRole(args []string) int {
	how, dir, outside := args[0], args[1], args[2]
	naive := strings.HasPrefix(how, "naive")
	if !naive && len(args) == 3 {
		files := Files{Dirs: []string{filepath.Join(dir, "home")},
			Sockets: []string{filepath.Join(dir, "sockets")}}
		err := Enter(files, outside, append([]string{"engine", "engine"}, args...))
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s := scene{udp: 3, auto: 4, tcp: 5, answer: 6,
		outside: filepath.Join(dir, "outside"), target: [4]byte{127, 0, 0, 1}, code: code32()}
	s.unix = filepath.Join(s.outside, "somebody")
	r := report{Tried: map[string]string{}, Works: map[string]string{}, UserIDs: os.Getuid()}
	if !naive {
		r.State = Apply(args[3], false)
	}
	switch {
	case strings.HasSuffix(how, leaving):
		leave(s)
		return 0
	case strings.HasSuffix(how, measured):
		measure()
		return 0
	}
	for name, need := range needs() {
		r.Works[name] = text(need(s, filepath.Join(dir, "home")))
	}
	all := attempts()
	if !naive {
		for name, try := range rare() {
			all[name] = try
		}
	}
	delete(all, "exec") // would end the twin
	for _, name := range slices.Sorted(maps.Keys(all)) {
		r.Tried[name] = text(all[name](s))
	}
	_ = json.NewEncoder(os.Stdout).Encode(r)
	if exec := attempts()["exec"]; exec(s) == nil {
		return 1
	}
	return 0
}

// file is a second handle of a socket: the first stays open when the file goes.
func file(fd int) *os.File {
	second, _ := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	return os.NewFile(uintptr(second), "")
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// measured ends the names of plays in which nothing is done but to measure.
const measured = "+measured"

// measure prints the nanoseconds it takes itself, and those that a small read takes.
func measure() {
	const many = 100_000
	begun := time.Now()
	var b [1]byte
	for range many {
		_, _ = unix.Read(0, b[:])
	}
	took := time.Since(begun)
	fmt.Println(int64(took), int64(took)/many)
}

// needs are what an engine must still be able to do.
func needs() map[string]func(s scene, home string) error {
	return map[string]func(scene, string) error{
		"hear and answer a phone": func(s scene, _ string) error {
			return answerPhone(s.udp, s.answer)
		},
		"accept a stream":  func(s scene, _ string) error { return acceptStream(s.tcp) },
		"store atomically": func(_ scene, home string) error { return store(home) },
		"listen at a name": func(_ scene, home string) error { return listen(home) },
		"listen and read among sockets": func(_ scene, home string) error {
			sockets := filepath.Join(home, "..", "sockets")
			_, err := os.ReadDir(sockets)
			return errors.Join(err, listen(sockets))
		},
		"lock memory": func(scene, string) error {
			mem, err := unix.Mmap(-1, 0, 8192, unix.PROT_READ|unix.PROT_WRITE,
				unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
			if err == nil {
				err = errors.Join(unix.Mlock(mem), unix.Mprotect(mem, unix.PROT_NONE),
					unix.Mprotect(mem, unix.PROT_READ|unix.PROT_WRITE), unix.Munmap(mem))
			}
			return err
		},
		"close itself to others": func(scene, string) error {
			return errors.Join(unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0),
				unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}))
		},
		"run many threads": func(scene, string) error { manyThreads(); return nil },
	}
}

func listen(dir string) error {
	l, err := net.Listen("unix", filepath.Join(dir, "service"))
	if err != nil {
		return err
	}
	return l.Close()
}

func answerPhone(fd, answer int) error {
	c, err := net.FilePacketConn(file(fd))
	if err != nil {
		return err
	}
	var b [10]byte
	if _, _, err = c.ReadFrom(b[:]); err != nil {
		return err
	}
	led, err := net.FileConn(file(answer))
	if err != nil {
		return err
	}
	_, err = led.Write([]byte("pong"))
	return err
}

func acceptStream(fd int) error {
	l, err := net.FileListener(file(fd))
	if err != nil {
		return err
	}
	c, err := l.Accept()
	if err != nil {
		return err
	}
	var b [4]byte
	_, err = io.ReadFull(c, b[:])
	return err
}

func store(home string) error {
	f, err := os.CreateTemp(home, "vault")
	if err != nil {
		return err
	}
	_, err = f.Write([]byte("sealed"))
	d, err2 := os.Open(home)
	return errors.Join(err, err2, f.Sync(), f.Close(),
		os.Rename(f.Name(), filepath.Join(home, "vault")), d.Sync())
}

func manyThreads() {
	done := make(chan bool)
	for range 50 {
		go func() {
			runtime.LockOSThread()
			runtime.GC()
			done <- true
		}()
	}
	for range 50 {
		<-done
	}
}

// play starts an engine by one who starts it, as the given user, and returns what it found.
func play(t *testing.T, how string, uid int) report {
	t.Helper()
	dir := t.TempDir()
	self := filepath.Join(dir, "self")
	for _, sub := range []string{"home", "outside", "sockets"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	outside := filepath.Join(dir, "outside")
	if err := os.WriteFile(filepath.Join(outside, "file"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(outside, "somebody"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(self, program, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "start", how, dir)
	if uid != os.Getuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
		os.Chmod(filepath.Dir(dir), 0o755)
		for name := range strings.FieldsSeq(". home outside outside/file outside/somebody sockets") {
			if err := os.Chown(filepath.Join(dir, name), uid, uid); err != nil {
				t.Fatal(err)
			}
		}
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	var r report
	if jerr := json.Unmarshal(out, &r); jerr != nil || how != "naive" && err != nil {
		t.Fatalf("%s: %v, %v: %s%s", how, err, jerr, out, said.String())
	}
	return r
}

// users are those who may run it: the one who runs the test and, if that is root, nobody.
func users() []int {
	if os.Getuid() == 0 {
		return []int{0, 65534}
	}
	return []int{os.Getuid()}
}

// stopped are the answers of the kernel that mean no.
var stopped = []string{unix.EPERM.Error(), unix.EACCES.Error(), unix.ENOSYS.Error()}

func TestEveryWayOutOfASealedProcessIsRefused(t *testing.T) {
	for _, uid := range users() {
		for _, how := range []string{"sealed", "calls"} {
			r := play(t, how, uid)
			want := State{Namespaces: how == "sealed", Files: r.State.Files, Calls: true}
			if r.State != want || r.State.Files == 0 {
				t.Errorf("%s, user %d: %+v", how, uid, r.State)
			}
			for name, answer := range r.Tried {
				if !slices.ContainsFunc(stopped, func(no string) bool {
					return strings.HasSuffix(answer, no)
				}) {
					t.Errorf("%s, user %d: %s: %q", how, uid, name, answer)
				}
			}
			for name, trouble := range r.Works {
				if trouble != "" {
					t.Errorf("%s, user %d: cannot %s: %s", how, uid, name, trouble)
				}
			}
			if how == "sealed" && r.UserIDs != inside(uid) {
				t.Errorf("it knows itself as %d", r.UserIDs)
			}
		}
	}
}

func TestEveryWayOutIsOpenToAnUnsealedProcess(t *testing.T) {
	for _, uid := range users() {
		r := play(t, "naive", uid)
		for name, answer := range r.Tried {
			may := name == "ptrace" || name == "socket by the 32-bit ABI" || name == "io_uring"
			if answer != "" && !may { // those depend on how the kernel was built and set
				t.Errorf("user %d: %s is refused to everybody (%s): it proves nothing", uid, name,
					answer)
			}
		}
		if r.State.Sealed() || len(r.State.Missing()) == 0 {
			t.Errorf("it takes itself for sealed")
		}
	}
}
