// Other builds of the program, each in one scene on the same stage: for the audit of the audit.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"nightjar/audit/scenes/play"
	"nightjar/audit/scenes/report"
)

// errBuilds is a file of builds that cannot be understood.
var errBuilds = errors.New("each line of the builds is a name, a file and a scene")

// A build is one program and the scene it is tried in.
type build struct {
	name, bin string
	scene     play.Scene
}

// others reads the file of builds.
func (o options) others() (out []build, err error) {
	if o.builds == "" {
		return nil, nil
	}
	b, err := os.ReadFile(o.builds)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(b)) {
		words := strings.Fields(line)
		if len(words) != 3 {
			return nil, errBuilds
		}
		found, err := options{only: words[2]}.chosen()
		if err != nil {
			return nil, err
		}
		s := found[0]
		s.Name = words[0] + "/" + s.Name
		out = append(out, build{words[0], words[1], s})
	}
	return out, nil
}

// visits plays each build's scene.
func (w *watching) visits(ctx context.Context, c *play.Cast, all []build, r *report.Report) error {
	for i, b := range all {
		other, err := c.With(b.bin, filepath.Join(c.Dir, fmt.Sprintf("%d-%s", i, b.name)))
		if err != nil {
			return err
		}
		stopped := b.scene
		stopped.Play = func(ctx context.Context, c *play.Cast) error {
			defer c.Close() // what it sends when it ends counts
			return b.scene.Play(ctx, c)
		}
		done := w.scene(ctx, other, stopped)
		r.Scenes = append(r.Scenes, done)
		done.Text(os.Stdout)
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
	}
	return nil
}
