// Scenes of what goes wrong.

package play

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"nightjar/audit/privnet/stage"
)

// below finds a process of a name among those that a process has started, and they in turn.
func below(pid int, name string) int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		b, _ := os.ReadFile(file)
		end := bytes.LastIndexByte(b, ')')
		fields := strings.Fields(string(b[end+1:]))
		if len(fields) < 2 || fields[1] != strconv.Itoa(pid) || fields[0] == "Z" {
			continue
		}
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if string(b[bytes.IndexByte(b, '(')+1:end]) == name {
			return child
		}
		if found := below(child, name); found != 0 {
			return found
		}
	}
	return 0
}

// signal sends a signal to a process of a party.
func signal(p *stage.Party, name string, s syscall.Signal) error {
	pid := below(p.Pid(), name)
	if pid == 0 {
		return fmt.Errorf("%s has no process %s", p.Name, name)
	}
	return syscall.Kill(pid, s)
}

// until asks ten times a second.
func until(ctx context.Context, what string, ask func() bool) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !ask() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.New("waited in vain for " + what)
		}
	}
	return nil
}

// killEarly starts an engine, kills its tor as soon as ready says so, and looks what it does.
func (c *Cast) killEarly(ctx context.Context, name string, ready func(*stage.Party) bool) error {
	p, err := c.party(ctx, name)
	if err != nil {
		return err
	}
	if err := c.begin(ctx, p, "--no-phone"); err != nil {
		return err
	}
	defer p.Stop()
	if err := until(ctx, "tor", func() bool { return ready(p) }); err != nil {
		return err
	}
	if err := signal(p, "tor", syscall.SIGKILL); err != nil {
		return err
	}
	c.Did("tor is killed; nothing goes another way")
	pause(ctx, 4*time.Second)
	return nil
}

func torKilledEarly(ctx context.Context, c *Cast) error {
	return c.killEarly(ctx, "early", func(p *stage.Party) bool {
		return below(p.Pid(), "tor") != 0
	})
}

func torKilledPublishing(ctx context.Context, c *Cast) error {
	return c.killEarly(ctx, "publishing", func(p *stage.Party) bool {
		return strings.Contains(p.Log(100), "100%") && below(p.Pid(), "tor") != 0
	})
}

func torKilledConnected(ctx context.Context, c *Cast) error {
	if err := c.friends(ctx); err != nil {
		return err
	}
	if err := signal(c.desk, "tor", syscall.SIGKILL); err != nil {
		return err
	}
	_ = c.source.Run(ctx, nil, "send", "desk", "are you there?")
	c.Did("tor is killed under a tunnel, and somebody writes into it")
	pause(ctx, 5*time.Second)
	return c.friends(ctx)
}

func torStopped(ctx context.Context, c *Cast) error {
	if err := c.friends(ctx); err != nil {
		return err
	}
	if err := signal(c.desk, "tor", syscall.SIGSTOP); err != nil {
		return err
	}
	_ = c.desk.Run(ctx, nil, "send", "source", "anybody?")
	pause(ctx, 6*time.Second)
	c.Did("tor is stopped for 6 s")
	_ = signal(c.desk, "tor", syscall.SIGCONT) // if the engine has not ended it
	return c.friends(ctx)
}

// alone starts an engine with other options of tor, watches it for some time, and ends it.
func (c *Cast) alone(ctx context.Context, name string, torrc []string, reach bool,
	more ...string) error {
	file := c.file(name + ".torrc")
	err := os.WriteFile(file, []byte(strings.Join(torrc, "\n")+"\n"), 0o600)
	if err != nil {
		return err
	}
	p, err := c.party(ctx, name)
	if err != nil {
		return err
	}
	args := append([]string{"up", "--no-phone", "--torrc", file}, more...)
	if err := p.Start(context.WithoutCancel(ctx), args...); err != nil {
		return err
	}
	defer p.Stop()
	if reach {
		return p.Reachable(ctx)
	}
	if err := until(ctx, "tor", func() bool { return below(p.Pid(), "tor") != 0 }); err != nil {
		return fmt.Errorf("%w: %s", err, p.Log(3))
	}
	pause(ctx, 8*time.Second)
	return nil
}

// deaf is a host outside that never answers: what is sent to it is sent by the way it should.
const deaf = "198.51.100.9"

// Deaf are the addresses of relays and bridges that never answer. Only tor and its transports may
// write to them.
func Deaf() []netip.AddrPort {
	host := netip.MustParseAddr(deaf)
	return []netip.AddrPort{netip.AddrPortFrom(host, 9001), netip.AddrPortFrom(host, 9030)}
}

func noNetwork(ctx context.Context, c *Cast) error {
	nobody := strings.Repeat("f", 40)
	c.Did("the only relay tor knows does not answer")
	return c.alone(ctx, "no-network", []string{"TestingTorNetwork 1",
		"DirAuthority x orport=9001 no-v2 v3ident=" + nobody + " " + deaf + ":9030 " +
			nobody}, false)
}

func bridgeOnly(ctx context.Context, c *Cast) error {
	c.Did("obfs4 to a bridge, and no other relay")
	return c.alone(ctx, "bridge-only", c.stage.Tor.BridgeTorrc(), true)
}

func bridgeBlocked(ctx context.Context, c *Cast) error {
	lines := c.stage.Tor.BridgeTorrc()
	at := regexp.MustCompile(`127\.0\.0\.1:\d+ `)
	last := len(lines) - 1
	lines[last] = at.ReplaceAllString(lines[last], deaf+":9001 ")
	c.Did("obfs4 to a bridge that does not answer; the relays would")
	return c.alone(ctx, "bridge-blocked", lines, false)
}

func ipv6(ctx context.Context, c *Cast) error {
	if _, err := os.Stat("/proc/net/if_inet6"); err != nil {
		return errors.New("this kernel has no IPv6: the scene would prove nothing")
	}
	return c.say(ctx, "an address and a route of IPv6 are there")
}

func resolver(ctx context.Context, c *Cast) error {
	b, err := os.ReadFile("/etc/resolv.conf")
	if err != nil || !strings.Contains(string(b), "nameserver 192.0.2.53") {
		return errors.New("the resolver is not the one that is watched")
	}
	if err := c.say(ctx, "write to me at desk@leak.example"); err != nil {
		return err
	}
	return refused(ctx, c.desk, "send", "leak.example", "hello")
}

func clockJump(ctx context.Context, c *Cast) error {
	if _, err := exec.LookPath("faketime"); err != nil {
		return errors.New("faketime is missing: install the package faketime")
	}
	tor, err := exec.LookPath("tor")
	if err != nil {
		return err
	}
	script := c.file("tor-of-another-day")
	// Not by the program faketime: it keeps its time in shared memory, where tor may not write.
	text := "#!/bin/sh\nexport FAKETIME=+40d FAKETIME_DISABLE_SHM=1 " +
		"LD_PRELOAD=$(echo /usr/lib/*/faketime/libfaketime.so.1)\nexec " + tor + " \"$@\"\n"
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		return err
	}
	c.Did("tor lives 40 days ahead")
	return c.alone(ctx, "clock-jump", c.stage.Tor.Torrc(), false, "--tor", script)
}

func engineCrash(ctx context.Context, c *Cast) error {
	if err := c.friends(ctx); err != nil {
		return err
	}
	if err := signal(c.source, "nightjar", syscall.SIGKILL); err != nil {
		if err := syscall.Kill(c.source.Pid(), syscall.SIGKILL); err != nil { // it is unsealed
			return err
		}
	}
	c.Did("the engine is killed; what it had started ends")
	if err := gone(ctx, c.source); err != nil {
		return err
	}
	return c.friends(ctx)
}

func wardenCrash(ctx context.Context, c *Cast) error {
	if err := c.friends(ctx); err != nil {
		return err
	}
	engine := below(c.source.Pid(), "nightjar")
	c.source.Kill()
	c.Did("the process that guards the engine is killed; the engine ends")
	err := until(ctx, "the end of the engine", func() bool {
		return engine == 0 || syscall.Kill(engine, 0) != nil
	})
	if err != nil {
		return err
	}
	return c.friends(ctx)
}

func gatewayGone(ctx context.Context, c *Cast) error {
	if err := c.friends(ctx); err != nil {
		return err
	}
	c.lender.Kill()
	if err := c.desk.Run(ctx, nil, "check"); err != nil {
		return err
	}
	c.Did("the gateway is killed; nobody goes to the DHT without it")
	pause(ctx, 4*time.Second)
	_, err := c.stage.Lend(context.WithoutCancel(ctx), c.lender, lendsFrom)
	return err
}
