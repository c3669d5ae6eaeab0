// The story: what happens, in which order.

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"nightjar/audit/privnet/swarm"
	"nightjar/audit/privnet/tornet"
	"nightjar/cmd/control"
)

// dhtNodes is how many nodes the private DHT has.
const dhtNodes = 40

// production is the stage and everybody on it.
type production struct {
	ctx    context.Context // of the whole show; its end is everybody's
	dir    string
	bin    string
	speech string
	story  *story

	tor     *tornet.Network
	dht     *swarm.Swarm
	torrc   string
	gateway *actor
	desk    *actor
	source  *actor
	line    string // the gateway's
	card    string // the newsdesk's
}

// scene is one part of the story.
type scene struct {
	title string
	play  func() error
}

func (p *production) scenes() []scene {
	return []scene{
		{"a private tor network and a private DHT, on loopback", p.networks},
		{"a gateway lends its UDP, and two strangers start their engines", p.engines},
		{"the newsdesk prints a card", p.printCard},
		{"the source adds the card: a sealed invitation through the DHT", p.invite},
		{"the newsdesk finds the invitation, and accepts", p.accept},
		{"they find each other's onion service in blinded slots, and shake hands", p.meet},
		{"they write, and every message is acknowledged", p.write},
		{"they talk: baresip and linphonec, with recorded speech", p.talk},
		{"who could see what", p.witness},
	}
}

// close ends everybody, whatever happened.
func (p *production) close() {
	for _, a := range []*actor{p.source, p.desk, p.gateway} {
		a.stop()
	}
	if p.dht != nil {
		p.dht.Stop()
	}
	if p.tor != nil {
		_ = p.tor.Stop()
	}
}

// networks starts both private networks at once.
func (p *production) networks() error {
	g, ctx := errgroup.WithContext(p.ctx)
	g.Go(func() (err error) {
		p.tor, err = tornet.Start(ctx, tornet.Options{Dir: p.dir,
			Progress: func(step string, _ time.Duration) { p.story.line("tor: %s", step) }})
		return err
	})
	g.Go(func() (err error) {
		p.dht, err = swarm.Start(ctx, swarm.Options{Nodes: dhtNodes})
		if err == nil {
			p.story.line("dht: %d nodes know each other", dhtNodes)
		}
		return err
	})
	g.Go(p.makeVaults)
	if err := g.Wait(); err != nil {
		return err
	}
	p.torrc = filepath.Join(p.dir, "torrc")
	return os.WriteFile(p.torrc, []byte(strings.Join(p.tor.Torrc(), "\n")+"\n"), 0o600)
}

// makeVaults lets everybody make a vault and an identity, each under a password of its own.
func (p *production) makeVaults() (err error) {
	for _, who := range []struct {
		name string
		to   **actor
	}{{"gateway", &p.gateway}, {"newsdesk", &p.desk}, {"source", &p.source}} {
		a, err := newActor(p.ctx, p, who.name)
		if err != nil {
			return err
		}
		*who.to = a
	}
	p.story.line("three vaults of the same size, each opened by a password of its own")
	return nil
}

// engines starts the gateway and both engines and waits until all can be found.
func (p *production) engines() error {
	args := []string{"gateway", "--torrc", p.torrc, "--allow-private-addresses",
		"--listen", "127.0.0.1:0"}
	for _, a := range p.dht.Addrs()[:8] {
		args = append(args, "--node", a.String())
	}
	if err := p.gateway.start(p.ctx, args...); err != nil {
		return err
	}
	ports := map[*actor]string{p.desk: "127.0.0.1:5060", p.source: "127.0.0.1:5062"}
	for _, a := range []*actor{p.desk, p.source} {
		a.sip = ports[a]
		if err := a.start(p.ctx, "up", "--torrc", p.torrc, "--sip", a.sip); err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(p.ctx)
	g.Go(func() error { return p.readGateway(ctx) })
	for _, a := range []*actor{p.desk, p.source} {
		g.Go(func() error {
			var s control.Status
			return a.wait(ctx, "its onion service to be published", func() (bool, error) {
				err := a.run(ctx, &s, "status")
				return s.Reachable, err
			})
		})
	}
	return g.Wait()
}

// readGateway takes the line the gateway prints.
func (p *production) readGateway(ctx context.Context) error {
	for {
		select {
		case line, open := <-p.gateway.out:
			if !open {
				return errors.New("the gateway ended: " + lastLines(p.gateway.log.String(), 3))
			}
			if strings.HasPrefix(line, "nightjar-gateway:") {
				p.line = line
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// printCard gives the newsdesk the gateway and takes its card.
func (p *production) printCard() error {
	if err := p.desk.run(p.ctx, nil, "gateway", "add", p.line); err != nil {
		return err
	}
	var reply control.CardReply
	if err := p.desk.run(p.ctx, &reply, "card", "show"); err != nil {
		return err
	}
	p.card = reply.Card
	p.story.line("%s... (%d characters; it carries the gateway)", p.card[:48], len(p.card))
	return nil
}

// invite lets the source add the card. The command waits until the invitation lies in the inbox.
func (p *production) invite() error {
	var reply control.NameReply
	err := p.source.run(p.ctx, &reply, "contact", "add", p.card, "newsdesk",
		"--greeting", "about the harbour")
	if err == nil {
		p.story.line("the source added the card; its engine left the invitation, sealed")
	}
	return err
}

// accept lets the newsdesk look into its inbox, see who asks, and accept.
func (p *production) accept() error {
	if err := p.desk.run(p.ctx, nil, "check"); err != nil {
		return err
	}
	var asking control.Contact
	err := p.desk.wait(p.ctx, "the invitation", func() (bool, error) {
		var list []control.Contact
		err := p.desk.run(p.ctx, &list, "contact", "list")
		for _, c := range list {
			if c.Standing == "asking" {
				asking = c
			}
		}
		return asking.Name != "", err
	})
	if err != nil {
		return err
	}
	p.story.line("%q asks: %q", asking.Name, asking.Greeting)
	if err := p.quiet(); err != nil {
		return err
	}
	return p.desk.run(p.ctx, nil, "contact", "accept", asking.Name, "source")
}

// quiet makes sure that before acceptance the source has learned nothing.
func (p *production) quiet() error {
	var list []control.Contact
	if err := p.source.run(p.ctx, &list, "contact", "list"); err != nil {
		return err
	}
	if len(list) != 1 || list[0].Connected || list[0].Standing != "invited" {
		return errors.New("the source learned something before it was accepted")
	}
	p.story.line("the source still sees nothing but \"invited\"")
	return nil
}

// meet waits until both see the tunnel.
func (p *production) meet() error {
	g, ctx := errgroup.WithContext(p.ctx)
	for a, name := range map[*actor]string{p.desk: "source", p.source: "newsdesk"} {
		g.Go(func() error {
			return a.wait(ctx, "the tunnel", func() (bool, error) {
				var list []control.Contact
				err := a.run(ctx, &list, "contact", "list")
				for _, c := range list {
					if c.Name == name && c.Connected {
						return true, err
					}
				}
				return false, err
			})
		})
	}
	return g.Wait()
}

// write sends one message each way and reads it at the other end.
func (p *production) write() error {
	for _, m := range []struct {
		from, to         *actor
		fromName, toName string
		text             string
	}{
		{p.source, p.desk, "source", "newsdesk", "I have the harbour papers. Ünïcode too: ✓"},
		{p.desk, p.source, "newsdesk", "source", "Good. Can we talk?"},
	} {
		start := time.Now()
		var sent control.SendReply
		if err := m.from.run(p.ctx, &sent, "send", "--wait", m.toName, m.text); err != nil {
			return err
		}
		if sent.State != "delivered" {
			return fmt.Errorf("%s: the message is only %s", m.fromName, sent.State)
		}
		var got []control.Message
		if err := m.to.run(p.ctx, &got, "read", m.fromName); err != nil {
			return err
		}
		if len(got) != 1 || got[0].Text != m.text {
			return fmt.Errorf("%s: what arrived is not what was sent", m.toName)
		}
		p.story.line("%s -> %s: %q, acknowledged after %d ms", m.fromName, m.toName, m.text,
			time.Since(start).Milliseconds())
	}
	return nil
}

// witness tells what each party could see of the others.
func (p *production) witness() error {
	gateway := map[netip.Addr]bool{}
	for _, a := range p.dht.Seen() {
		gateway[a.Addr()] = true
	}
	var from []string
	for a := range gateway {
		from = append(from, a.String())
	}
	p.story.saw("DHT nodes", "packets of the gateway only, for slots of random-looking keys", from...)
	p.story.saw("the gateway", "streams from tor; whose they are it cannot tell", "a unix socket")
	p.story.saw("tor relays", "cells; the first of them the address of a tor client",
		"127.0.0.1")
	for _, a := range []*actor{p.source, p.desk} {
		open, err := sockets(a.cmd.Process.Pid)
		if err != nil {
			return err
		}
		p.story.saw(a.name, "of the other: its onion service, never an address; its own sockets:",
			open...)
		for _, s := range open {
			if !strings.HasPrefix(s, "udp 127.0.0.1:") && !strings.HasPrefix(s, "tcp 127.0.0.1:") {
				return fmt.Errorf("%s: its engine has a socket that is not on loopback", a.name)
			}
		}
	}
	return nil
}
