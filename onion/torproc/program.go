// The tor program itself: started, waited for, ended, its directory wiped. Whoever talks with it
// can be another process than the one that starts it.

package torproc

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"nightjar/onion/bridge"
	"nightjar/onion/seal"
	"nightjar/onion/torconf"
)

// An Order says which tor to start.
type Order struct {
	Exe     string   // "" means the one in PATH or in /usr/sbin
	Dir     string   // parent of the runtime directory; "" means os.TempDir
	State   []byte   // what an earlier State returned, or nil
	Options []string // further settings, that pass torconf.Check; programs of bridges are found
	Exits   bool     // also open a socket for streams that leave the network: Process.DialExit
	// Start is what Confined starts the program by, and lets it open those files and run those
	// programs alone; nil means seal.StartProgram.
	Start func(*exec.Cmd, seal.Files, []string) error
}

// A Program is a tor program that was started, as seen by whoever talks with it.
type Program interface {
	// Control is the one control connection; tor ends when it is closed.
	Control() net.Conn
	// Dir is the runtime directory: the socket for SOCKS is s/socks, the state is data/state.
	Dir() string
	// Dial opens a connection to the socket for SOCKS.
	Dial(ctx context.Context) (net.Conn, error)
	// Done is closed when the process has been reaped.
	Done() <-chan struct{}
	// Refused reports, after Done, whether tor ended because it did not like its settings.
	Refused() bool
	// Kill ends the process now.
	Kill()
	// Wipe removes the directory, after Done. The error is ErrDirectory.
	Wipe() error
	// PID is the number of the process, for those who watch what it sends.
	PID() int
}

// A Starter starts a tor program. Errors are ErrMissing, ErrOption, ErrDirectory and ErrDied, and
// those of bridge.Plugins.
type Starter func(Order) (Program, error)

// Run is the Starter of a process that holds the identity itself: whoever speaks with the tor can
// do what its user can, and so can the tor.
func Run(o Order) (Program, error) {
	return run(o, func(cmd *exec.Cmd, _ seal.Files, _ []string) error { return cmd.Start() })
}

// Confined is a Starter of tors that can be told to do no more than they are there for: where the
// kernel has Landlock they write in their own directory alone, read what belongs to the system, and
// run only the programs that the options name or need (package seal, of scripts).
func Confined(o Order) (Program, error) {
	if o.Start != nil {
		return run(o, o.Start)
	}
	return run(o, seal.StartProgram)
}

// A starting starts a command that may open files and run programs.
type starting func(*exec.Cmd, seal.Files, []string) error

func run(o Order, start starting) (Program, error) {
	exe, err := find(o.Exe)
	if err != nil {
		return nil, err
	}
	plugins, err := bridge.Plugins(o.Options, bridge.Installed)
	if err != nil {
		return nil, err
	}
	o.Options = slices.Concat(o.Options, plugins)
	if err := torconf.Check(o.Options); err != nil {
		return nil, err
	}
	dir, err := makeDirectory(o.Dir)
	if err != nil {
		return nil, err
	}
	p := &program{dir: dir, start: start, done: make(chan struct{})}
	if err := p.launch(exe, o); err != nil {
		dir.wipe()
		return nil, err
	}
	return p, nil
}

// find finds the tor program.
func find(exe string) (string, error) {
	tries := []string{"tor", "/usr/sbin/tor", "/usr/local/bin/tor"}
	if exe != "" {
		tries = []string{exe}
	}
	for _, try := range tries {
		if path, err := exec.LookPath(try); err == nil {
			if path, err = filepath.Abs(path); err == nil {
				return path, nil
			}
		}
	}
	return "", ErrMissing
}

// A program is a child of this process.
type program struct {
	dir     *directory
	start   starting
	cmd     *exec.Cmd
	exit    string // the socket of streams that leave the network, or ""
	control net.Conn
	done    chan struct{}
}

// launch writes the settings and starts the program with one end of a socket pair.
func (p *program) launch(exe string, o Order) error {
	if o.Exits {
		p.exit = p.dir.socket("exit")
	}
	torrc, err := torconf.Torrc(p.dir.file("data"), p.dir.socket("socks"), p.exit, o.Options)
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.dir.file("torrc"), []byte(torrc), 0o600); err != nil {
		return ErrDirectory
	}
	if state := torconf.Guards(o.State); len(state) > 0 {
		if err := os.WriteFile(stateIn(p.dir.path), state, 0o600); err != nil {
			return ErrDirectory
		}
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return errors.ErrUnsupported
	}
	defer theirs.Close()
	p.cmd = exec.Command(exe, "--defaults-torrc", p.dir.file("none"), "-f", p.dir.file("torrc"),
		"--quiet", "--__OwningControllerFD", "3")
	p.cmd.Dir, p.cmd.Env, p.cmd.ExtraFiles = p.dir.path, []string{}, []*os.File{theirs}
	files := seal.Files{
		Read: append(torconf.Tables(o.Options), p.dir.file("torrc")),
		Dirs: []string{p.dir.file("data"), p.dir.file("s")},
	}
	err = p.start(p.cmd, files, append(torconf.Programs(o.Options), exe))
	if err != nil {
		ours.Close()
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return ErrMissing
		}
		return ErrDied
	}
	p.control = ours
	go func() { // ends with tor, which its owner sees to
		p.cmd.Wait()
		close(p.done)
	}()
	return nil
}

func (p *program) Control() net.Conn     { return p.control }
func (p *program) Dir() string           { return p.dir.path }
func (p *program) Done() <-chan struct{} { return p.done }
func (p *program) Refused() bool         { return p.cmd.ProcessState.ExitCode() == 1 }
func (p *program) Kill()                 { p.cmd.Process.Kill() }
func (p *program) Wipe() error           { return p.dir.wipe() }
func (p *program) PID() int              { return p.cmd.Process.Pid }

func (p *program) Dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", p.dir.socket("socks"))
}

// DialExit opens a connection to the socket for streams that leave the network; ErrNoExits.
func (p *program) DialExit(ctx context.Context) (net.Conn, error) {
	if p.exit == "" {
		return nil, ErrNoExits
	}
	var d net.Dialer
	return d.DialContext(ctx, "unix", p.exit)
}
