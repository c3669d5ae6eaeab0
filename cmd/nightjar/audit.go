// The audit: a program of its own, which lies beside this one. What it looks at holds nothing of
// it.

package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// Errors of the audit command.
var (
	errNoAudit    = errors.New("the program of the audit is not beside this one")
	errAuditStart = errors.New("the program of the audit cannot be started")
)

const (
	auditProgram = "nightjar-audit" // in the directory of this one
	auditPath    = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	anyNumber    = 1 << 10
)

// cmdAudit becomes the audit, which watches this very program, or the one that follows "--".
func cmdAudit(_ context.Context, _ console, args []string) error {
	o := &options{set: flag.NewFlagSet("audit", flag.ContinueOnError)}
	o.set.SetOutput(io.Discard)
	data, page := o.set.String("json", "", ""), o.set.String("html", "", "")
	only, list := o.set.String("only", "", ""), o.set.Bool("list", false, "")
	control, socks := o.set.String("tor-control", "", ""), o.set.String("tor-socks", "", "")
	command, err := o.parse(args, 0, anyNumber)
	if err != nil {
		return err
	}
	if len(command) > 0 && !slices.Contains(args, "--") {
		return usageError{"a program to watch follows a --"}
	}
	own, err := os.Executable()
	if err != nil {
		return errNoAudit
	}
	exe := filepath.Join(filepath.Dir(own), auditProgram)
	if _, err := os.Stat(exe); err != nil {
		return errNoAudit
	}
	words := []string{exe, "-nightjar", own, "-json", *data, "-html", *page, "-only", *only,
		"-tor-control", *control, "-tor-socks", *socks, "-list=" + strconv.FormatBool(*list), "--"}
	environment := []string{auditPath}
	if home, err := os.UserHomeDir(); err == nil {
		environment = append(environment, "HOME="+home)
	}
	if syscall.Exec(exe, append(words, command...), environment) != nil {
		return errAuditStart
	}
	return nil
}
