// Identities in memory touch no file: the kernel ends the process at the first call that could.

//go:build e2e || bench

package keystore

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/elastic/go-seccomp-bpf"
)

// harmless are the calls that a process keeps: for memory, threads, time and signals, and for
// reading and writing what was open before. No file can be opened, made, renamed, removed or
// asked about with them, and no socket made.
func harmless() []string {
	return []string{"read", "pread64", "write", "writev", "futex", "mmap", "munmap", "mremap",
		"mprotect", "madvise", "mlock", "munlock", "mincore", "getrandom", "nanosleep",
		"clock_nanosleep", "clock_gettime", "sched_yield", "sched_getaffinity", "getpid",
		"gettid", "tgkill", "clone", "clone3", "set_robust_list", "rseq", "rt_sigaction",
		"rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall", "exit",
		"exit_group", "epoll_create1", "epoll_ctl", "epoll_pwait", "eventfd2", "ppoll",
		"close", "fcntl", "ioctl"}
}

// seal leaves this process, all its threads and for ever, the harmless calls.
func seal() {
	check(seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionKillProcess,
			Syscalls:      []seccomp.SyscallGroup{{Action: seccomp.ActionAllow, Names: harmless()}},
		},
	}))
}

// memoryVictim does all that can be done with identities in memory.
func memoryVictim([]string) {
	seal()
	a := must(Ephemeral())
	check(a.Save(random(StateLimit)))
	must(a.Sign(nil))
	pw := must(NewPassword([]byte("pw")))
	b := must(ImportEphemeral(must(a.Export(pw)), pw))
	check(b.Save(b.State()))
	phrase := must(a.Phrase())
	check(CheckPhrase(phrase))
	check(phrase.WriteLine(1))
	c := must(Codename(must(NewCodename())))
	check(c.Save([]byte("state")))
	check(b.Burn())
	a.Lock()
	c.Lock()
	fmt.Println("done")
}

// openVictim only looks for a vault that is not there.
func openVictim(args []string) {
	seal()
	fmt.Println(Open(args[0], must(NewPassword([]byte("pw")))))
}

func TestIdentitiesInMemoryTouchNoFile(t *testing.T) {
	if out := said(t, victim("memory")); !strings.HasSuffix(out, "\ndone\n") {
		t.Errorf("%s", out)
	}
	// The same walls end a process that so much as looks for a file.
	cmd := victim("look", filepath.Join(t.TempDir(), "vault"))
	out, err := cmd.Output()
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if err == nil || !ok || status.Signal() != syscall.SIGSYS {
		t.Errorf("a process looked for a file and lived: %v, %s", err, out)
	}
}

// With the real cost: all codenames and exports of another implementation.
func TestAllGoldenCodenamesAndExportsOpen(t *testing.T) {
	for _, v := range codenames(t) {
		v.opensByCodename(t)
	}
	for _, v := range blocks(t, "exports.txt") {
		v.opensAsExport(t)
	}
}
