// Starting tor for an engine or a gateway, and telling how far it is.

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"nightjar/keystore"
	"nightjar/node"
	"nightjar/onion"
)

// errTorrc is a --torrc file that cannot be read.
var errTorrc = errors.New("the file of tor options cannot be read")

// torFlags are the flags of commands that start tor.
type torFlags struct {
	exe   *string
	torrc *string
}

func (o *options) torFlags() torFlags {
	return torFlags{exe: o.set.String("tor", "", ""), torrc: o.set.String("torrc", "", "")}
}

// startTor starts tor for an identity and shows how far it is and what it waits for.
func (c console) startTor(ctx context.Context, f torFlags, id *keystore.Identity) (
	*onion.Tor, error) {
	lines, err := optionLines(*f.torrc)
	if err != nil {
		return nil, err
	}
	guards, err := node.PathData(id)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	return onion.StartTor(ctx, onion.TorConfig{
		Exe: *f.exe, State: guards, Options: lines,
		Progress: func(p onion.Progress) {
			c.step(start, fmt.Sprintf("tor %3d%%: %s", p.Percent, p.Reason))
		},
	})
}

// optionLines reads the options of a --torrc file, without comments and empty lines.
func optionLines(file string) ([]string, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, errTorrc
	}
	defer f.Close()
	var lines []string
	scan := bufio.NewScanner(f)
	for scan.Scan() {
		line := strings.TrimSpace(scan.Text())
		if line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	if scan.Err() != nil {
		return nil, errTorrc
	}
	return lines, onion.CheckOptions(lines)
}

// step shows one line of progress with the time since start.
func (c console) step(start time.Time, text string) {
	fmt.Fprintf(c.err, "%6.1f s  %s\n", time.Since(start).Seconds(), text)
}
