//go:build e2e && linux

// A machine that stands still for a while, as when a lid is closed for a moment.

package whole

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	stands = 20 * time.Second // longer than any silence that an engine bears of its tor
	awake  = 45 * time.Second // the contact has to be found and dialled again, on a busy machine
)

func TestEngineThatStoodStillIsReachedAgainAndBlamesNobody(t *testing.T) {
	desk, source := pair(t, "sleeper", "waker")
	all := append([]int{desk.Pid()}, descendants(desk.Pid())...)
	if len(all) < 3 {
		t.Fatalf("only %d processes: warden, engine and tor are three", len(all))
	}
	signal := func(s syscall.Signal) {
		for _, pid := range all {
			if err := syscall.Kill(pid, s); err != nil {
				t.Errorf("%v: a process is gone", err)
			}
		}
	}
	signal(syscall.SIGSTOP)
	t.Cleanup(func() { signal(syscall.SIGCONT) })
	run(t, source, "send", "sleeper", "while you slept")
	<-time.After(stands)
	signal(syscall.SIGCONT)
	begun := time.Now()
	if err := desk.Wait(t.Context(), "the message", func() (bool, error) {
		return unread(t, desk) == 1, nil
	}); err != nil {
		t.Fatal(err)
	}
	took := time.Since(begun)
	t.Logf("reached again %v after it woke", took.Round(time.Millisecond))
	if took > awake {
		t.Errorf("it took %v", took)
	}
	if said := desk.Log(50); strings.Contains(said, "tor has ended") {
		t.Errorf("tor was blamed for the sleep: %s", said)
	}
}
