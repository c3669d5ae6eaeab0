// Command scenes is the audit behind "nightjar audit": it plays what people do with nightjar, and
// what befalls them, on private networks in namespaces of its own, records every packet of every
// process there, and says which of them should not have been. It watches other programs as well.
//
// It is a program beside nightjar and no part of it: what is audited holds nothing of the auditor,
// no recorder and no DHT nodes.
//
//	scenes [-nightjar FILE] [-json FILE] [-html FILE] [-only NAME,...] [-list]
//	       [-tor-control unix:SOCKET -tor-socks unix:SOCKET] [-- COMMAND...]
//
// Exit codes: 0 clean, 1 something leaked, 2 the audit could not see or do all it should have.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"nightjar/audit/enclose"
	"nightjar/audit/scenes/play"
	"nightjar/audit/scenes/report"
)

// limit is when an audit gives up; by a tor that is not ours everything takes longer.
const (
	limit     = 20 * time.Minute
	limitAfar = 2 * time.Hour
)

// errTor is a tor that cannot be reached from a namespace.
var errTor = errors.New("an audit reaches a tor that runs already by unix sockets alone: " +
	"--tor-control unix:/run/tor/control --tor-socks unix:/run/tor/socks")

// options are what the command line says.
type options struct {
	nightjar, json, html string
	only, builds         string
	control, socks       string
	list, inside         bool
	part                 string
	command              []string
}

func main() {
	o := options{}
	flag.StringVar(&o.nightjar, "nightjar", "bin/nightjar", "the program that is watched")
	flag.StringVar(&o.json, "json", "", "where the report goes, for programs")
	flag.StringVar(&o.html, "html", "", "where the report goes, as a page")
	flag.StringVar(&o.only, "only", "", "names of scenes, with commas between them")
	flag.StringVar(&o.control, "tor-control", "", "where a tor is controlled that runs already")
	flag.StringVar(&o.socks, "tor-socks", "", "where it listens for SOCKS")
	flag.StringVar(&o.builds, "builds", "", "a file of other builds")
	flag.BoolVar(&o.list, "list", false, "list the scenes and do nothing")
	flag.BoolVar(&o.inside, "inside", false, "already in namespaces of its own")
	flag.StringVar(&o.part, "part", "", "play a part for the audit")
	flag.Parse()
	o.command = flag.Args()
	os.Exit(o.run())
}

// run does what the command line says, in namespaces, and returns the exit code.
func (o options) run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	by, err := o.system()
	if err != nil {
		return failed(err)
	}
	most := limit
	if by != nil {
		most = limitAfar
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	switch {
	case o.part != "":
		return failed(playPart(ctx, o.part, o.command))
	case o.list:
		for _, s := range play.Scenes() {
			fmt.Printf("%-22s %s\n", s.Name, s.Says)
		}
		return 0
	case !o.inside:
		code, err := enclose.Again(ctx, append([]string{"-inside"}, os.Args[1:]...)...)
		if err != nil {
			return failed(err)
		}
		return code
	}
	r, err := o.audit(ctx)
	if err != nil {
		return failed(err)
	}
	if err := o.write(r); err != nil {
		return failed(err)
	}
	r.Text(os.Stdout)
	return r.Totals.Exit
}

// refused says what to do where namespaces are.
const refused = `hint: run it as root: sudo nightjar audit
hint: on Ubuntu, sysctl kernel.apparmor_restrict_unprivileged_userns=0 lets every user have them
hint: a container needs CAP_SYS_ADMIN: docker run --privileged`

// failed says why there is no report.
func failed(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "audit: %v\n", err)
	if errors.Is(err, enclose.ErrRefused) {
		fmt.Fprintln(os.Stderr, refused)
	}
	return report.Untrusted
}

// system are the arguments of an engine for a tor that runs already, if one is named. Its packets
// are not looked at: it is outside, and nobody inside may send any.
func (o options) system() ([]string, error) {
	if o.control == "" && o.socks == "" {
		return nil, nil
	}
	for _, at := range []string{o.control, o.socks} {
		if !strings.HasPrefix(at, "unix:/") {
			return nil, errTor
		}
	}
	return []string{"--tor-control", o.control, "--tor-socks", o.socks}, nil
}

// chosen are the scenes to play.
func (o options) chosen() ([]play.Scene, error) {
	all := play.Scenes()
	if o.only == "" {
		return slices.DeleteFunc(all, func(s play.Scene) bool {
			return s.OwnTor && o.control != ""
		}), nil
	}
	var out []play.Scene
	for name := range strings.SplitSeq(o.only, ",") {
		i := slices.IndexFunc(all, func(s play.Scene) bool { return s.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no scene %q: see -list", name)
		}
		if all[i].OwnTor && o.control != "" {
			return nil, fmt.Errorf("%s needs a tor of its own", name)
		}
		out = append(out, all[i])
	}
	return out, nil
}

// write writes the reports that were asked for.
func (o options) write(r *report.Report) error {
	var errs []error
	for file, write := range map[string]func(*os.File) error{
		o.json: func(f *os.File) error { return r.JSON(f) },
		o.html: func(f *os.File) error { return r.HTML(f) },
	} {
		if file == "" {
			continue
		}
		f, err := os.Create(file)
		if err != nil {
			return err
		}
		errs = append(errs, write(f), f.Close())
	}
	return errors.Join(errs...)
}

// program finds the nightjar that is watched.
func (o options) program() (string, error) {
	bin, err := filepath.Abs(o.nightjar)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(bin); err != nil {
		return "", errors.New("there is no nightjar to watch: make build")
	}
	return bin, nil
}
