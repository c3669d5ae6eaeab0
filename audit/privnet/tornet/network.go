// A network from start to stop.

package tornet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"nightjar/audit/scratch"
)

// dirPrefix begins the names of networks' directories.
const dirPrefix = "nightjar-tornet-"

// Options say what network to start; the zero value is right for tests.
type Options struct {
	Relays  int    // besides the authority; 0 means 6, and fewer than 6 make clients stick
	Dir     string // parent of the network's own directory; "" means the system's temporary one
	Tor     string // the tor program; "" means the one in PATH or in /usr/sbin
	Gencert string // the tor-gencert program; "" means the one in PATH
	Bridge  bool   // also start a bridge that speaks obfs4
	Exit    bool   // the last relay is an exit, to loopback alone; all names are 127.0.0.1 there
	// Progress is called on each step, one call at a time; it may be nil.
	Progress func(step string, elapsed time.Duration)
}

// ErrMissing means that tor or tor-gencert is not installed; both are in Debian's package tor.
var ErrMissing = errors.New("tor or tor-gencert is missing: install the package tor")

// A Network is a running private Tor network.
type Network struct {
	tor, gencert string
	dir          string
	remove       func() error // of its directory
	base         int
	held         net.Listener
	authority    string // the DirAuthority line
	nursery      *nursery
	procs        []*process // the authority first
	bridge       *process
	bridgeAt     string // where its transport listens
	bridgeLine   string // how a client reaches it
	transport    string // the program that speaks its transport
	names        *names // of the exit, if there is one
	pace         pace
	begun        time.Time
	progress     func(string, time.Duration)
}

const defaultRelays = 6

// Start runs a network and returns when clients can use it. If a network does not become whole
// (a relay too slow for the first vote on a busy machine), it is stopped and another one started.
func Start(ctx context.Context, o Options) (*Network, error) {
	if o.Relays == 0 {
		o.Relays = defaultRelays
	}
	if o.Relays+4 >= blockSize {
		return nil, fmt.Errorf("start tor network: at most %d relays", blockSize-5)
	}
	tor, gencert, err := programs(o)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	for _, p := range paces {
		n := &Network{tor: tor, gencert: gencert, begun: begun, progress: o.Progress, pace: p}
		if err = n.start(ctx, o); err == nil {
			return n, nil
		}
		n.Stop()
		if ctx.Err() != nil {
			break
		}
		n.say("starting over: " + err.Error())
	}
	return nil, fmt.Errorf("start tor network: %w", err)
}

// programs finds the two programs.
func programs(o Options) (tor, gencert string, err error) {
	find := func(name string, given ...string) string {
		for _, try := range append(given, name, "/usr/sbin/"+name, "/usr/bin/"+name) {
			if path, err := exec.LookPath(try); try != "" && err == nil {
				return path
			}
		}
		return ""
	}
	tor, gencert = find("tor", o.Tor), find("tor-gencert", o.Gencert)
	if tor == "" || gencert == "" {
		return "", "", ErrMissing
	}
	return tor, gencert, nil
}

func (n *Network) start(ctx context.Context, o Options) error {
	var err error
	if n.dir, n.remove, err = scratch.Directory(o.Dir, dirPrefix); err != nil {
		return err
	}
	if n.base, n.held, err = reservePorts(o.Relays + 4); err != nil {
		return err
	}
	n.say("making the authority's keys")
	authority := filepath.Join(n.dir, authorityName)
	if n.authority, err = n.makeAuthority(ctx, authority); err != nil {
		return err
	}
	n.say("waiting for the clock: votes are held at fixed times")
	if err := n.pace.awaitVote(ctx); err != nil {
		return err
	}
	if o.Exit {
		if n.names, err = serveNames(); err != nil {
			return err
		}
	}
	if err := n.spawn(authority, o.Relays); err != nil {
		return err
	}
	if err := n.awaitUsable(ctx); err != nil || !o.Bridge {
		return err
	}
	return n.startBridge(ctx, o.Relays)
}

// spawn starts the authority and the relays.
func (n *Network) spawn(authority string, relays int) error {
	n.nursery = newNursery()
	p, err := n.nursery.spawn(n.tor, authorityName, authority, n.authorityTorrc(authority))
	if err != nil {
		return err
	}
	n.procs = append(n.procs, p)
	for i := range relays {
		name := fmt.Sprintf("relay%d", i)
		dir := filepath.Join(n.dir, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		torrc := n.relayTorrc(name, dir, relayIP, n.base+2+i)
		if i == relays-1 && n.names != nil {
			if torrc, err = n.exitTorrc(torrc, dir); err != nil {
				return err
			}
		}
		if p, err = n.nursery.spawn(n.tor, name, dir, torrc); err != nil {
			return err
		}
		n.procs = append(n.procs, p)
	}
	n.say(fmt.Sprintf("%d processes started", len(n.procs)))
	return nil
}

// Torrc returns the lines with which a client tor uses this network and no other.
func (n *Network) Torrc() []string { return n.common() }

// DirPort is where relays, and no clients, fetch and leave documents in plain HTTP.
func (n *Network) DirPort() netip.AddrPort {
	return netip.MustParseAddrPort(at(authorityIP, n.base+1))
}

// Stop ends every process and removes the network's directory. It may be called twice.
func (n *Network) Stop() error {
	if n.bridge != nil {
		n.procs = append(n.procs, n.bridge)
		n.bridge = nil
	}
	for _, p := range n.procs {
		p.cmd.Process.Kill()
	}
	for _, p := range n.procs {
		p.kill()
	}
	n.procs = nil
	if n.nursery != nil {
		n.nursery.close()
		n.nursery = nil
	}
	if n.held != nil {
		n.held.Close()
	}
	if n.names != nil {
		n.names.conn.Close()
		n.names.work.Wait()
		n.names = nil
	}
	if n.remove == nil {
		return nil
	}
	err := n.remove()
	n.remove = nil
	return err
}

func (n *Network) say(step string) {
	if n.progress != nil {
		n.progress(step, time.Since(n.begun))
	}
}

// complain returns the last words of a process that died.
func (p *process) complain() string {
	var last string
	for _, file := range []string{"out", "log"} {
		b, _ := os.ReadFile(filepath.Join(p.dir, file))
		if lines := strings.Split(strings.TrimSpace(string(b)), "\n"); lines[0] != "" {
			last = lines[len(lines)-1]
		}
	}
	return last
}
