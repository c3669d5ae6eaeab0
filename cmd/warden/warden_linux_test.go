// A warden and its engine, both of them this test binary.

package warden

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nightjar/onion/torproc"
	"nightjar/sip/sockets"
)

func TestMain(m *testing.M) {
	switch {
	case slices.Contains(os.Args, "--__OwningControllerFD"):
		pretendTor()
	case len(os.Args) > 1 && os.Args[1] == "engine":
		os.Exit(engine())
	case len(os.Args) > 2 && os.Args[1] == "warden":
		os.Exit(wardenRole(os.Args[2], os.Args[3]))
	}
	os.Exit(m.Run())
}

// pretendTor ends when its owner does, as tor.
func pretendTor() {
	c, err := net.FileConn(os.NewFile(3, "control"))
	if err != nil {
		os.Exit(2)
	}
	l, err := net.Listen("unix", filepath.Join("s", "socks"))
	if err != nil {
		os.Exit(3)
	}
	go func() {
		for {
			if s, err := l.Accept(); err == nil {
				_, _ = s.Write([]byte("tor"))
				s.Close()
			}
		}
	}()
	_, _ = c.Write([]byte("hello"))
	_, _ = io.Copy(io.Discard, c)
	os.Exit(0)
}

// engine plays the role of its order.
func engine() int {
	w, err := Take(os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, cancel := w.Context(context.Background())
	defer cancel()
	switch w.Order.Args[0] {
	case "ask":
		_ = json.NewEncoder(os.Stdout).Encode(asks(ctx, w))
	case "phone":
		serve(w)
	case "vpn", "proxy", "direct", "over":
		_ = json.NewEncoder(os.Stdout).Encode(reaches(ctx, w))
	case "past", "past, naive":
		_ = json.NewEncoder(os.Stdout).Encode(passes(ctx, w))
	case "stop":
		<-ctx.Done()
		fmt.Println(context.Cause(ctx))
	case "stay":
		p, err := w.StartTor(torproc.Order{})
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println(os.Getpid(), p.PID(), p.Dir())
		<-ctx.Done()
		_ = p.Control().Close()
		return 4
	}
	return 3
}

// asks are what an engine tries, with what became of it: "" is that it was given.
func asks(ctx context.Context, w *Ward) map[string]string {
	got := map[string]string{"sealed": fmt.Sprint(w.State.Sealed())}
	home := func(port uint16) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
	}
	note := func(what string, c io.Closer, err error) {
		got[what] = ""
		if err != nil {
			got[what] = err.Error()
		} else if c != nil {
			c.Close()
		}
	}
	udp, err := w.Packet(home(0))
	note("packet", udp, err)
	tcp, err := w.Stream(home(0))
	note("stream", tcp, err)
	second, err := w.Packet(home(45679))
	if err == nil {
		_, err = w.Packet(home(45679))
		second.Close()
	}
	note("packet twice", nil, err)
	f, err := w.Open(ctx, "allowed")
	note("open allowed", f, err)
	for what, a := range map[string]ask{
		"packet outside": {Do: "packet", At: "0.0.0.0:0"}, "packet named": {Do: "packet", At: "x:1"},
		"stream outside": {Do: "stream", At: "192.0.2.1:80"}, "nothing": {},
		"open else": {Do: "open", At: "else"}, "seat above": {Do: "seat", At: "../control"},
		"seat else": {Do: "seat", At: "vault"}, "no tor": {Do: "socks", Tor: 7},
		"program": {Do: "tor", Options: []string{"ClientTransportPlugin x exec /bin/true"}},
		"proxy":   {Do: "tor", Options: []string{"Socks5Proxy 192.0.2.1:1"}},
	} {
		a, err := w.ask(ctx, a)
		if err == nil && a.Why != "" {
			err = cause(a.Why)
		}
		note(what, nil, err)
	}
	c, err := w.Seat(filepath.Join(w.Order.Home, "control"))
	note("seat", nil, err)
	if err == nil {
		_, _ = io.WriteString(c, "POST /v1/identity/lock HTTP/1.1\r\nHost: engine\r\n\r\n")
		b, err := io.ReadAll(c)
		got["the other engine"] = fmt.Sprint(string(b), err)
		c.Close()
	}
	torAsks(ctx, w, got)
	longAsks(ctx, w, got)
	return got
}

// longAsks asks with the longest state, with more than the line takes, and in words that are not of
// the line, after which there is none.
func longAsks(ctx context.Context, w *Ward, got map[string]string) {
	line := append([]byte("Guard "), bytes.Repeat([]byte("x"), 64<<10-7)...)
	state := append(line[:len(line):len(line)], '\n')
	p, err := w.StartTor(torproc.Order{State: state})
	if err == nil {
		b, rerr := os.ReadFile(filepath.Join(p.Dir(), "data", "state"))
		got["longest state"] = fmt.Sprint(len(b) >= 64<<10-1, rerr)
		p.Control().Close()
		<-p.Done()
		_ = p.Wipe()
	}
	_, err = w.ask(ctx, ask{Do: "tor", State: make([]byte, maxAsk)})
	got["too long"] = fmt.Sprint(err)
	f, err := w.Open(ctx, "allowed")
	got["after it"] = fmt.Sprint(err)
	if err == nil {
		f.Close()
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_ = w.line.say(map[string]int{"unknown": 1}, nil)
	_, err = w.ask(ctx, ask{Do: "open", At: "allowed"})
	got["after a broken line"] = fmt.Sprint(err)
}

// torAsks follows one tor from start to end.
func torAsks(ctx context.Context, w *Ward, got map[string]string) {
	p, err := w.StartTor(torproc.Order{Options: []string{"UseBridges 1"}})
	if err != nil {
		got["tor"] = err.Error()
		return
	}
	b := make([]byte, 5)
	_, err = io.ReadFull(p.Control(), b)
	got["tor says"] = fmt.Sprint(string(b), err)
	c, err := p.Dial(ctx)
	if err == nil {
		b, err = io.ReadAll(c)
	}
	got["socks says"] = fmt.Sprint(string(b), err)
	_, err = p.(exiting).DialExit(ctx)
	got["exit"] = fmt.Sprint(err)
	got["wipe while it runs"] = fmt.Sprint(p.Wipe())
	_, err = os.ReadDir(p.Dir())
	got["its directory"] = fmt.Sprint(err)
	p.Control().Close()
	<-p.Done()
	got["refused"] = fmt.Sprint(p.Refused())
	got["wipe"] = fmt.Sprint(p.Wipe())
}

// stage makes a directory with a tor in it, and a socket of another engine.
func stage(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "nj") // a short name: sockets are in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "tor")); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "control"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go repeat(l)
	return dir
}

// repeat plays an engine that answers with the first line of what it was asked. An engine that was
// handed a connection to it would read its own words.
func repeat(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			line, _ := bufio.NewReader(c).ReadString('\n')
			_, _ = io.WriteString(c, strings.TrimSpace(line))
		}()
	}
}

func TestEngineIsGivenWhatItNeedsAndNothingElse(t *testing.T) {
	dir := stage(t)
	out, err := exec.Command("/proc/self/exe", "warden", "ask", dir).Output()
	var got map[string]string
	if jerr := json.Unmarshal(out, &got); jerr != nil {
		t.Fatalf("%v, %v: %s", err, jerr, out)
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("the engine's exit code was not passed on: %v", err)
	}
	const no = "operation not permitted"
	for what, want := range map[string]string{"sealed": "true", "packet": "", "stream": "",
		"packet twice": syscall.EADDRINUSE.Error(), "open allowed": "", "packet outside": no,
		"packet named": no, "stream outside": no, "nothing": no, "open else": no, "seat above": no,
		"seat else": no, "no tor": syscall.ECONNREFUSED.Error(), "seat": "",
		"longest state": "true <nil>", "too long": syscall.EMSGSIZE.Error(), "after it": "<nil>",
		"after a broken line": ErrGone.Error(),
		"the other engine":    "GET /v1/identity HTTP/1.1<nil>",
		"program":             torproc.ErrOption.Error(), "proxy": torproc.ErrOption.Error(),
		"tor says": "hello<nil>", "socks says": "tor<nil>", "exit": torproc.ErrNoExits.Error(), "its directory": "<nil>",
		"wipe while it runs": torproc.ErrDirectory.Error(), "refused": "false", "wipe": "<nil>",
	} {
		if answer, tried := got[what]; !tried || answer != want {
			t.Errorf("%s: %q, want %q", what, answer, want)
		}
	}
	nothingLeft(t, dir)
}

// nothingLeft fails if a directory of a tor is there.
func nothingLeft(t *testing.T, dir string) {
	t.Helper()
	if left, _ := filepath.Glob(filepath.Join(dir, "nightjar-tor-*")); len(left) != 0 {
		t.Errorf("%d directories are left", len(left))
	}
}

func TestStopReachesTheEngine(t *testing.T) {
	out, _ := exec.Command("/proc/self/exe", "warden", "stop", stage(t)).Output()
	if strings.TrimSpace(string(out)) != ErrStop.Error() {
		t.Errorf("it heard %q", out)
	}
}

// A cast is a warden, its engine and its tor, as processes.
type cast struct {
	warden      *exec.Cmd
	engine, tor int
	dir         string
}

func start(t *testing.T, dir string) cast {
	t.Helper()
	c := cast{warden: exec.Command("/proc/self/exe", "warden", "stay", dir)}
	out, err := c.warden.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.warden.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fscan(out, &c.engine, &c.tor, &c.dir); err != nil {
		t.Fatal(err)
	}
	// The engine knows its number inside; namespaces of processes are not used, so it is the same.
	return c
}

// gone waits until a process has ended.
func gone(t *testing.T, what string, pid int) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for begun := time.Now(); ; <-tick.C {
		b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(b), ") Z ") {
			return
		}
		if time.Since(begun) > 5*time.Second {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("%s outlives it", what)
		}
	}
}

func TestKilledEngineTakesTorAndWardenWithIt(t *testing.T) {
	dir := stage(t)
	c := start(t, dir)
	if err := syscall.Kill(c.engine, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	err := c.warden.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 128+int(syscall.SIGKILL) {
		t.Errorf("the warden ended with %v", err)
	}
	gone(t, "tor", c.tor)
	nothingLeft(t, dir)
}

func TestKilledWardenTakesEngineAndTorWithIt(t *testing.T) {
	dir := stage(t)
	c := start(t, dir)
	if err := c.warden.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.warden.Wait()
	gone(t, "the engine", c.engine)
	gone(t, "tor", c.tor)
	// What a killed warden left is wiped by the next.
	if _, wipe, err := torproc.MakeDirectory(dir); err != nil {
		t.Error(err)
	} else {
		_ = wipe()
	}
	nothingLeft(t, dir)
}

func TestProcessThatNobodyOrderedIsNoEngine(t *testing.T) {
	out, err := exec.Command("/proc/self/exe", "engine").CombinedOutput()
	if err == nil || strings.TrimSpace(string(out)) != ErrOrder.Error() {
		t.Errorf("%v: %s", err, out)
	}
}

func TestWardsSocketsStayOnLoopback(t *testing.T) {
	w := &Ward{}
	for _, at := range []string{"0.0.0.0:0", "[::]:1", "192.0.2.1:5060", "[::1]:5060"} {
		_, udp := w.Packet(netip.MustParseAddrPort(at))
		_, tcp := w.Stream(netip.MustParseAddrPort(at))
		for _, err := range []error{udp, tcp} {
			if !errors.Is(err, sockets.ErrNotLoopback) {
				t.Errorf("%s: %v", at, err)
			}
		}
	}
}
