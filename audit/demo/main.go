// Command demo does the main job of nightjar, end to end, on networks of its own: a private tor
// network, a private DHT and one gateway; then a newsdesk and a source, each an engine of its own
// with a vault of its own, meet, write and talk by phone. Every part is real: tor, the DHT nodes,
// the engines, the phones, the recorded speech.
//
// It needs nothing from outside this machine and reaches nothing outside it: where the kernel
// allows it, it runs in a network namespace that has only loopback, and in a process namespace
// whose end is the end of every process in it.
//
//	demo [-nightjar FILE] [-report FILE] [-keep]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"nightjar/audit/enclose"
	"nightjar/audit/scratch"
)

// limit is when the demonstration gives up.
const limit = 5 * time.Minute

func main() {
	o := options{}
	flag.StringVar(&o.nightjar, "nightjar", "bin/nightjar", "the program to demonstrate")
	flag.StringVar(&o.report, "report", "demo-report.json", "where the report goes")
	flag.BoolVar(&o.keep, "keep", false, "keep the working directory")
	flag.BoolVar(&o.inside, "inside", false, "already in namespaces of its own")
	flag.Parse()
	os.Exit(play(o))
}

// options are what the command line says.
type options struct {
	nightjar, report string
	keep, inside     bool
}

// play runs the demonstration, in namespaces when it can, and returns the exit code.
func play(o options) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if !o.inside {
		code, err := enclose.Again(ctx, append([]string{"-inside"}, os.Args[1:]...)...)
		switch {
		case err == nil:
			return code
		case !errors.Is(err, enclose.ErrRefused):
			fmt.Fprintf(os.Stderr, "demo: FAILED: %v\n", err)
			return 1
		}
		fmt.Printf("%v: running on this machine's own loopback\n", err)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := show(ctx, o)
	if errors.Is(context.Cause(ctx), context.Canceled) {
		fmt.Fprintln(os.Stderr, "demo: interrupted; everything it started has ended")
		return 1
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "demo: FAILED: %v\n", err)
		return 1
	}
	return 0
}

// show sets the stage, plays every scene and writes the report.
func show(ctx context.Context, o options) (err error) {
	bin, err := filepath.Abs(o.nightjar)
	if err != nil {
		return err
	}
	if _, err := os.Stat(bin); err != nil {
		return errors.New("there is no nightjar to demonstrate: make build")
	}
	dir, remove, err := scratch.Directory("", "nj-demo-")
	if err != nil {
		return err
	}
	if o.keep {
		os.Remove(filepath.Join(dir, "lock")) // or the next demonstration would clear it away
	} else {
		defer remove()
	}
	p := &production{ctx: ctx, dir: dir, bin: bin, story: newStory(),
		guarded: o.inside}
	if o.inside {
		if err := guardDoor(); err != nil {
			return err
		}
	}
	defer func() {
		p.close()
		if werr := p.story.write(o.report, err); werr != nil && err == nil {
			err = werr
		}
	}()
	for _, s := range p.scenes() {
		if err = p.story.scene(ctx, s.title, s.play); err != nil {
			return err
		}
	}
	return nil
}
