// The warden's life: it starts an engine, serves it, and clears up after it.

package warden

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"nightjar/onion/seal"
	"nightjar/onion/torproc"
)

// The descriptors of an engine.
const (
	lineFD = 3 + iota
	orderFD
	passwordFD
)

// patience is how long an engine may take to end when it is told to.
const patience = 30 * time.Second

// warden is what one engine has outside.
type warden struct {
	config  Config
	line    *line
	tors    tors
	outside *outside
	phones  phones
	busy    chan struct{}
	work    sync.WaitGroup
}

// Run starts an engine, serves it until it has ended, and returns its exit code. When ctx ends it
// tells the engine to stop; after half a minute it kills it.
//
// It takes no notice of Ctrl-Z, and neither does what it starts: of two processes at one terminal
// the shell would see only this one.
func Run(ctx context.Context, c Config) (code int, err error) {
	signal.Ignore(unix.SIGTSTP)
	dir, wipe, err := torproc.MakeDirectory(c.TorDir)
	if err != nil {
		return 1, err
	}
	defer wipe()
	var around *wall
	if c.Starter == nil {
		around = &wall{c.Command}
	}
	out, err := reach(c.Way, around)
	if err != nil {
		return 1, err
	}
	defer out.close()
	ours, theirs, err := pair()
	if err != nil {
		return 1, ErrEngine
	}
	w := &warden{config: c, line: ours, outside: out, busy: make(chan struct{}, maxBusy)}
	w.tors.wall = out.wall
	w.tors.order = torproc.Order{Exe: c.TorExe, Dir: dir, Exits: c.TorExits,
		Options: append(append([]string{}, c.TorOptions...), out.torrc()...)}
	if w.tors.starter = c.Starter; c.Starter == nil {
		w.tors.starter = torproc.Confined
	} else if os.Chmod(dir, 0o711) != nil {
		return 1, torproc.ErrDirectory
	}
	files, err := w.inherit(dir, theirs)
	if err != nil {
		return 1, err
	}
	started, ended := make(chan error, 1), make(chan int, 1)
	engine := &exec.Cmd{}
	go func() {
		// The engine is told of the end of the thread that started it, so that thread stays.
		runtime.LockOSThread()
		cmd, _, err := seal.Start(func() *exec.Cmd { return w.command(files) })
		for _, f := range files[:2] {
			f.Close()
		}
		*engine = *cmd
		started <- err
		if err == nil {
			cmd.Wait()
			ended <- exitCode(cmd.ProcessState)
		}
	}()
	if err := <-started; err != nil {
		ours.conn.Close()
		return 1, ErrEngine
	}
	defer w.close()
	w.work.Go(func() { w.serve(ctx) })
	watching, stop := context.WithCancel(ctx)
	defer stop()
	w.work.Go(func() { out.watch(watching, ours) })
	return w.watch(ctx, engine.Process, ended), nil
}

// inherit lists the files an engine is given, from descriptor 3 on.
func (w *warden) inherit(dir string, theirs *os.File) ([]*os.File, error) {
	o := order{Order: w.config.Order, Files: w.config.Files, Network: seal.Network(),
		Password: w.config.Password != nil, Loose: loose(), Resolver: resolver(),
		Astray:   w.outside.astray(),
		Anywhere: w.config.Way.anywhere() || len(w.config.Open) > 0}
	o.Files.Sockets = append([]string{dir}, o.Files.Sockets...)
	paper, err := write(o)
	if err != nil {
		return nil, err
	}
	files := []*os.File{theirs, paper}
	if w.config.Password != nil {
		files = append(files, w.config.Password)
	}
	return files, nil
}

// command prepares an engine: this same program, with no environment.
func (w *warden) command(files []*os.File) *exec.Cmd {
	return &exec.Cmd{
		Path: "/proc/self/exe", Args: append([]string{os.Args[0]}, w.config.Command...),
		Env: []string{}, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		ExtraFiles:  files,
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM},
	}
}

// watch waits for the end of the engine, which it tells to stop when ctx ends.
func (w *warden) watch(ctx context.Context, engine *os.Process, ended <-chan int) int {
	select {
	case code := <-ended:
		return code
	case <-ctx.Done():
	}
	_ = w.line.say(word{Stop: true}, nil)
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case code := <-ended:
		return code
	case <-limit.C:
		_ = engine.Kill()
		return <-ended
	}
}

// exitCode is that of a process, or of the signal that ended it as shells say it.
func exitCode(s *os.ProcessState) int {
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return s.ExitCode()
}

// close ends what the engine had outside.
func (w *warden) close() {
	w.line.conn.Close()
	w.work.Wait()
	w.tors.end()
	w.phones.close()
}

// serve answers the engine until the line is closed. An engine that says what is not of the line is
// not answered any more, and hears so.
func (w *warden) serve(ctx context.Context) {
	defer w.line.conn.Close()
	for {
		b, with, err := w.line.hear(maxAsk)
		if with != nil {
			with.Close() // nothing is taken from the engine
		}
		if err != nil {
			return
		}
		a, err := readAsk(b)
		if err != nil {
			return
		}
		w.busy <- struct{}{}
		w.work.Go(func() {
			defer func() { <-w.busy }()
			defer w.phones.hand(a.Do)()
			answer, with := w.answer(ctx, a)
			answer.ID = a.ID
			_ = w.line.say(answer, with)
			if with != nil {
				with.Close()
			}
		})
	}
}

// errno is the number of a system error, or of "not permitted".
func errno(err error) int {
	var no syscall.Errno
	if errors.As(err, &no) {
		return int(no)
	}
	return int(unix.EPERM)
}
