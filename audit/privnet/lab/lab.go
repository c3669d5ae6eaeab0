// Package lab is a small world of network namespaces for tests that must see every packet. A test
// runs again in a process of its own, which lives in a namespace with one way to the world:
//
//	home: the test's process                      world: servers, opened by the same process
//	eth0 192.0.2.2, 2001:db8::2  ---- veth ----   eth0 192.0.2.1, 2001:db8::1
//	                                              lo   198.51.100.1, a host far away
//
// It needs root. Names of namespaces and interfaces are different for every test; all is gone when
// the test has ended.
package lab

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Addresses in the lab.
const (
	Home  = "192.0.2.2"    // of the test
	World = "192.0.2.1"    // of the servers
	Far   = "198.51.100.1" // of a host that is reached by way of the world
)

// A Lab is such a world, seen from inside.
type Lab struct {
	T    *testing.T
	ID   string   // differs between labs; a part of names
	Args []string // what prepare returned
}

const mark = "lab:"

// Run runs f in a lab: it starts the test that calls it once more, inside. What prepare returns is
// handed to the inside; it runs outside, and may be nil.
func Run(t *testing.T, prepare func(l *Lab) []string, f func(l *Lab)) {
	t.Helper()
	if id, ok := strings.CutPrefix(flag.Arg(0), mark); ok {
		f(&Lab{T: t, ID: id, Args: flag.Args()[1:]})
		return
	}
	for program, pkg := range map[string]string{"ip": "iproute2", "nft": "nftables",
		"nsenter": "util-linux", "dumpcap": "wireshark-common"} {
		Need(t, program, pkg)
	}
	var b [3]byte
	rand.Read(b[:])
	l := &Lab{T: t, ID: "nj" + hex.EncodeToString(b[:])}
	l.build()
	var args []string
	if prepare != nil {
		args = prepare(l)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	words := append([]string{"--net=/run/netns/" + l.home(), self, "-test.v", "-test.count", "1",
		"-test.run", "^" + t.Name() + "$", "-test.timeout", "4m", mark + l.ID}, args...)
	out, err := exec.CommandContext(ctx, "nsenter", words...).CombinedOutput()
	t.Logf("inside:\n%s", out)
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("inside the lab: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "FIGURE ") {
			fmt.Print(line)
		}
	}
}

// Need ends the test if a program is missing.
func Need(t *testing.T, program, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("%s is missing: install the Debian package %s", program, pkg)
	}
}

func (l *Lab) home() string  { return l.ID + "h" }
func (l *Lab) world() string { return l.ID + "w" }

// build makes the namespaces, and sees to it that they go.
func (l *Lab) build() {
	l.T.Cleanup(func() {
		for _, ns := range []string{l.home(), l.world()} {
			left, _ := exec.Command("ip", "netns", "pids", ns).Output()
			for _, pid := range strings.Fields(string(left)) {
				exec.Command("kill", "-9", pid).Run()
			}
			exec.Command("ip", "netns", "del", ns).Run()
		}
	})
	h, w := l.home(), l.world()
	for _, line := range []string{
		"netns add " + h, "netns add " + w,
		"-n " + w + " link add eth0 type veth peer name eth0 netns " + h,
		"-n " + h + " link set lo up", "-n " + w + " link set lo up",
		"-n " + h + " addr add " + Home + "/24 dev eth0",
		"-n " + w + " addr add " + World + "/24 dev eth0",
		"-n " + h + " addr add 2001:db8::2/64 dev eth0 nodad",
		"-n " + w + " addr add 2001:db8::1/64 dev eth0 nodad",
		"-n " + w + " addr add " + Far + "/32 dev lo",
		"-n " + h + " link set eth0 up", "-n " + w + " link set eth0 up",
		"-n " + h + " route add default via " + World,
	} {
		l.Do("ip", strings.Fields(line)...)
	}
}

// Do runs a command to its end, and fails the test if it does.
func (l *Lab) Do(name string, args ...string) string {
	l.T.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		l.T.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// InWorld runs a command in the world to its end.
func (l *Lab) InWorld(name string, args ...string) string {
	l.T.Helper()
	return l.Do("nsenter", append([]string{"--net=/run/netns/" + l.world(), name}, args...)...)
}

// Interface makes an interface to the world, as a VPN of the system's would, with the addresses of
// its two ends, and the default route through it, before that by eth0.
func (l *Lab) Interface(name, home, far string) {
	l.T.Helper()
	for _, line := range []string{
		"link add " + name + " type veth peer name far0 netns " + l.world(),
		"addr add " + home + "/24 dev " + name,
		"link set " + name + " up",
		"route replace default via " + far + " dev " + name + " metric 0",
		"route replace default via " + World + " dev eth0 metric 10",
	} {
		l.Do("ip", strings.Fields(line)...)
	}
	l.InWorld("ip", "addr", "add", far+"/24", "dev", "far0")
	l.InWorld("ip", "link", "set", "far0", "up")
}

// Start starts a program in the world, and ends it with the test. The function that it returns ends
// it sooner, and returns when it has ended.
func (l *Lab) Start(name string, args ...string) (stop func()) {
	l.T.Helper()
	words := append([]string{"--net=/run/netns/" + l.world(), name}, args...)
	cmd := exec.Command("nsenter", words...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	said := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		l.T.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		cmd.Wait()
		close(done)
	}()
	stop = func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // with those that it has started
		<-done
	}
	l.T.Cleanup(func() {
		stop()
		if l.T.Failed() {
			l.T.Logf("%s said: %s", name, said)
		}
	})
	return stop
}

// Visit runs f on a thread that is in the world: sockets that it opens are there, and stay there.
func (l *Lab) Visit(f func() error) {
	l.T.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good, unless the thread comes home: then it may be used again
		done <- l.visit(f)
	}()
	if err := <-done; err != nil {
		l.T.Fatal(err)
	}
}

func (l *Lab) visit(f func() error) error {
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer home.Close()
	world, err := os.Open("/run/netns/" + l.world())
	if err != nil {
		return err
	}
	defer world.Close()
	if err := unix.Setns(int(world.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	err = f()
	if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
		runtime.UnlockOSThread()
	}
	return err
}

// Await asks again and again until the answer is yes, for at most d.
func (l *Lab) Await(d time.Duration, what string, ok func() bool) {
	l.T.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(d)
	defer limit.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit.C:
			l.T.Fatal(errors.New("not in time: " + what))
		}
	}
}
