// The wall around the tors of tor-over-vpn. Each runs in a network of its own, in which there is
// nothing but the outlet: whatever a tor is told by the engine that holds its control connection,
// it reaches nothing else.

package warden

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"nightjar/onion/native"
	"nightjar/onion/seal"
)

// wallWord is the argument of a process that becomes a tor behind a wall, after the Config's
// Command.
const wallWord = "wall"

// The descriptors of such a process, besides 3, the control connection of the tor it becomes.
const (
	planFD = 4 + iota
	passFD // by which it hands out the outlet's listener
)

// wallBroken is the exit code of one that does not become a tor; 1 is that of tors.
const wallBroken = 3

// wallTime is how long such a process may take to hand it out.
const wallTime = 20 * time.Second

// A plan is what it becomes; nothing if there is no path.
type plan struct {
	Network string     `json:"network"` // of the warden
	Path    string     `json:"path"`
	Args    []string   `json:"args"`
	Files   seal.Files `json:"files"`
	Run     []string   `json:"run"`
}

// A wall starts programs behind one.
type wall struct{ command []string }

// start starts a tor, and returns the listener of the outlet in its network. Errors are ErrEngine.
func (w wall) start(cmd *exec.Cmd, f seal.Files, run []string) (*os.File, error) {
	paper, err := write(plan{Network: seal.Network(), Path: cmd.Path, Args: cmd.Args, Files: f,
		Run: run})
	if err != nil {
		return nil, err
	}
	defer paper.Close()
	ours, theirs, err := pair()
	if err != nil {
		return nil, ErrEngine
	}
	defer ours.conn.Close()
	cmd.Path = "/proc/self/exe"
	cmd.Args = slices.Concat(os.Args[:1], w.command, []string{wallWord})
	cmd.ExtraFiles = append(cmd.ExtraFiles, paper, theirs)
	seal.Seclude(cmd)
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return nil, ErrEngine
	}
	_ = ours.conn.SetReadDeadline(time.Now().Add(wallTime))
	_, out, err := ours.hear(maxAnswer)
	if err != nil || out == nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, ErrEngine
	}
	return out, nil
}

// holds tries whether this system lets there be a wall.
func (w wall) holds() bool {
	none, err := os.Open(os.DevNull)
	if err != nil {
		return false
	}
	defer none.Close()
	cmd := &exec.Cmd{Env: []string{}, ExtraFiles: []*os.File{none}}
	out, err := w.start(cmd, seal.Files{}, nil)
	if err != nil {
		return false
	}
	out.Close()
	return cmd.Wait() == nil
}

// immure opens the outlet in the network that this process was started in, hands out its listener,
// and becomes the planned tor. It returns only if it does not.
func immure() error {
	var p plan
	if err := read(planFD, &p); err != nil {
		return err
	}
	unix.CloseOnExec(planFD)
	unix.CloseOnExec(passFD)
	if err := seal.Secluded(p.Network); err != nil {
		return err
	}
	l, err := native.Loopback(wallPort)
	if err != nil {
		return err
	}
	f, err := handle(l)
	if err != nil {
		return err
	}
	pass, err := newLine(os.NewFile(passFD, "line"))
	if err != nil {
		return err
	}
	if err := pass.say(word{}, f); err != nil || p.Path == "" {
		return err
	}
	return seal.Become(p.Path, p.Args, p.Files, p.Run)
}

// write puts a message into a file in memory.
func write(message any) (*os.File, error) {
	b, err := json.Marshal(message)
	if err != nil {
		return nil, ErrEngine
	}
	fd, err := unix.MemfdCreate("order", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, ErrEngine
	}
	paper := os.NewFile(uintptr(fd), "order")
	if _, err := paper.Write(b); err != nil {
		paper.Close()
		return nil, ErrEngine
	}
	return paper, nil
}
