// Starting tor for an engine or a gateway, and telling how far it is.

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"nightjar/onion"
	"nightjar/onion/bridge"
	"nightjar/onion/torproc"
)

// errTorrc is a --torrc file that cannot be read.
var errTorrc = errors.New("the file of tor options cannot be read")

// stuckAfter is how long tor may stay at one step before the user is told what may be wrong.
const stuckAfter = 45 * time.Second

const stuckHint = "is there a network, and is this machine's clock right? " +
	"if tor is blocked here, ask a friend for a bridge line: nightjar bridge add LINE"

// torFlags are the flags of commands that start tor.
type torFlags struct {
	exe     *string
	torrc   *string
	control *string // of a tor that runs already; with socks
	socks   *string
	word    *string // the file with the password of control
	exits   exitFlags
}

func (o *options) torFlags() torFlags {
	return torFlags{exe: o.set.String("tor", "", ""), torrc: o.set.String("torrc", "", ""),
		control: o.set.String("tor-control", "", ""), socks: o.set.String("tor-socks", "", ""),
		word: o.set.String("tor-password", "", "")}
}

// existing is what uses a tor that runs already; nil means a tor of our own.
func (f torFlags) existing() torproc.Starter {
	if *f.control == "" && *f.socks == "" {
		return nil
	}
	return torproc.System{Control: *f.control, Socks: *f.socks, Password: *f.word}.Start
}

// startTor starts tor for an identity and shows how far it is and what it waits for.
func (c console) startTor(ctx context.Context, f torFlags, s *session) (t *onion.Tor, err error) {
	err = c.withTor(f, s, nil, func(config onion.TorConfig) (err error) {
		t, err = onion.StartTor(ctx, config)
		return err
	})
	return t, err
}

// withTor calls begin with what the tor of an identity is started with, and shows how far it is
// until that returns.
func (c console) withTor(f torFlags, s *session, changed func(torproc.Notice),
	begin func(onion.TorConfig) error) error {
	var lines []string
	if c.ward == nil { // else they are the warden's
		var err error
		if lines, err = optionLines(*f.torrc); err != nil {
			return err
		}
	}
	dir := ""
	if s.place.memory {
		dir = string(s.place.home)
	}
	starter := c.torStarter()
	if starter == nil {
		starter = f.existing()
	}
	ways := bridge.Order(s.memory.Bridges, s.memory.Last, s.memory.Only)
	if len(ways) == 0 {
		return errNoBridge
	}
	if f.existing() != nil {
		ways = nil // its bridges are its owner's
	}
	start := time.Now()
	patience := time.AfterFunc(stuckAfter, func() {
		c.step(start, "tor does not get on: "+stuckHint)
		s.door.Starting("tor does not get on; " + stuckHint)
	})
	defer patience.Stop()
	var reached atomic.Bool
	err := begin(onion.TorConfig{
		Exe: *f.exe, Dir: dir, State: s.memory.PathData, Options: lines,
		Starter: starter, Keep: true, Ways: ways, Exits: f.exits.allowed(),
		Changed: changed,
		Progress: func(p onion.Progress) {
			if !reached.Load() {
				patience.Reset(stuckAfter)
			}
			how := progressWords(p)
			s.door.Starting(how)
			c.step(start, how)
		},
	})
	reached.Store(true)
	return err
}

// progressWords says how far tor is, by what way, and what keeps it.
func progressWords(p onion.Progress) string {
	how := fmt.Sprintf("tor %3d%%: %s", p.Percent, phase(p.Reason))
	if p.Bridge != "" {
		how = fmt.Sprintf("tor %3d%% by a bridge (%s): %s", p.Percent, p.Bridge, phase(p.Reason))
	}
	if p.Trouble != nil {
		how += "; " + p.Trouble.Error()
		if next := hint(p.Trouble); next != "" {
			how += "; hint: " + next
		}
	}
	return how
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
	for i, line := range lines {
		if err := onion.CheckOptions([]string{line}); err != nil {
			return nil, fmt.Errorf("option %d of the file: %w", i+1, err)
		}
	}
	return lines, onion.CheckOptions(lines)
}

// step shows one line of progress with the time since start.
func (c console) step(start time.Time, text string) {
	c.line("%6.1f s  %s", time.Since(start).Seconds(), text)
}

// phase says tor's word for a step (control-spec, status/bootstrap-phase) in words, with what went
// wrong last, if anything did.
func phase(word string) string {
	tag, trouble, _ := strings.Cut(word, " ")
	words := map[string]string{
		"starting":               "starting",
		"conn_pt":                "reaching a bridge's transport program",
		"conn_done_pt":           "the bridge's transport program answers",
		"conn_proxy":             "reaching a proxy",
		"conn":                   "reaching a relay",
		"conn_done":              "a relay answers",
		"handshake":              "greeting a relay",
		"handshake_done":         "a relay is who it should be",
		"onehop_create":          "asking for the list of relays",
		"requesting_status":      "asking for the list of relays",
		"loading_status":         "loading the list of relays",
		"loading_keys":           "loading the keys of the directories",
		"requesting_descriptors": "asking for the relays' keys",
		"loading_descriptors":    "loading the relays' keys",
		"enough_dirinfo":         "knows enough relays",
		"ap_conn":                "reaching a guard",
		"ap_conn_done":           "a guard answers",
		"ap_handshake":           "greeting a guard",
		"ap_handshake_done":      "a guard is who it should be",
		"circuit_create":         "building the first circuit",
		"done":                   "ready",
	}
	said, known := words[tag]
	if !known {
		said = tag
	}
	return strings.TrimSpace(said + " " + trouble)
}
