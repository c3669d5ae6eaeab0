// Whoever holds the control connection of a tor holds what that tor can do. With the real program:
// what it can be told to do to this machine.

package torproc

import (
	"bufio"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nightjar/onion/seal"
)

// taken is a tor with a transport, so that it may run programs, whose control connection an
// attacker has. Its network is one authority where nobody listens, on this machine.
type taken struct {
	t       *testing.T
	p       Program
	answers *bufio.Reader
}

func take(t *testing.T, s Starter) *taken {
	t.Helper()
	p, err := s(Order{Dir: t.TempDir(), Options: []string{
		"TestingTorNetwork 1", "GeoIPFile /dev/null", "GeoIPv6File /dev/null",
		"DirAuthority a orport=1 no-v2 v3ident=" + strings.Repeat("A", 40) + " 127.0.0.1:1 " +
			strings.Repeat("B", 40),
		"ClientTransportPlugin mine exec /bin/true"}})
	if err != nil {
		t.Fatalf("%v (apt-get install tor)", err)
	}
	t.Cleanup(func() {
		p.Control().Close()
		<-p.Done()
		p.Wipe()
	})
	if err := p.Control().SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &taken{t, p, bufio.NewReader(p.Control())}
}

// tell gives a command and returns the end of the answer.
func (a *taken) tell(command string) string {
	fmt.Fprintf(a.p.Control(), "%s\r\n", command)
	return a.until(func(line string) bool {
		return len(line) > 3 && line[3] == ' ' && !strings.HasPrefix(line, "6")
	})
}

// until reads to a line.
func (a *taken) until(is func(string) bool) string {
	for {
		line, err := a.answers.ReadString('\n')
		if err != nil {
			a.t.Fatalf("tor does not answer: %v", err)
		}
		if is(line) {
			return strings.TrimSpace(line)
		}
	}
}

// write has tor write a log to a file.
func (a *taken) write(name string) bool {
	a.tell(`SETCONF Log="notice file ` + name + `"`)
	_, err := os.Stat(name)
	return err == nil
}

// launch has tor run a command for a bridge, and returns when its program has ended: whether it
// left a trace.
func (a *taken) launch(command, trace string) bool {
	program, _, _ := strings.Cut(command, " ")
	for _, command := range []string{"SETEVENTS NOTICE WARN",
		`SETCONF UseBridges=1 Bridge="foo 127.0.0.1:1" ClientTransportPlugin="foo exec ` + command +
			` ` + trace + `"`, "SETCONF DisableNetwork=0"} {
		if got := a.tell(command); !strings.HasPrefix(got, "250") {
			a.t.Fatalf("%s: %s", command, got)
		}
	}
	a.until(func(line string) bool {
		return strings.Contains(line, "anaged proxy") && strings.Contains(line, program)
	})
	_, err := os.Stat(trace)
	_ = os.Remove(trace)
	return err == nil
}

func TestConfinedTorWritesNoFilesAndRunsNoPrograms(t *testing.T) {
	for how, want := range map[string]bool{"confined": false, "naive": true} {
		start := Confined
		if how == "naive" {
			start = Run
		}
		home := t.TempDir()
		a := take(t, start)
		a.tell("AUTHENTICATE")
		if got := a.write(filepath.Join(home, "log")); got != want {
			t.Errorf("%s: writes a file of the user: %v", how, got)
		}
		if got := a.write(filepath.Join(a.p.Dir(), "data", "log")); !got {
			t.Errorf("%s: writes not even where it may: this test proves nothing", how)
		}
		// Where tor may write, so that nothing but running it can fail.
		trace := filepath.Join(a.p.Dir(), "data", "ran")
		if got := a.launch("/usr/bin/touch", trace); got != want {
			t.Errorf("%s: runs a program: %v", how, got)
		}
	}
}

// loader is the one of this machine's programs.
func loader(t *testing.T) string {
	t.Helper()
	f, err := elf.Open("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := f.Section(".interp").Data()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(string(b), "\x00")
}

// A tor that may run a program may run that program's loader, which runs what it can read.
func TestLoaderFindsNoProgramToRun(t *testing.T) {
	seesPrograms := func(o Order) (Program, error) {
		return run(o, func(cmd *exec.Cmd, f seal.Files, programs []string) error {
			f.Read = append(f.Read, "/usr")
			return seal.StartProgram(cmd, f, programs)
		})
	}
	for how, start := range map[string]Starter{"confined": Confined, "naive": seesPrograms} {
		a := take(t, start)
		a.tell("AUTHENTICATE")
		trace := filepath.Join(a.p.Dir(), "data", "ran")
		got := a.launch(loader(t)+" /usr/bin/touch", trace)
		if want := how == "naive"; got != want {
			t.Errorf("%s: runs a program by its loader: %v", how, got)
		}
	}
}
