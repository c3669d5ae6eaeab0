// The story: what happens, in which order.

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"nightjar/audit/privnet/stage"
	"nightjar/audit/watch"
	"nightjar/audit/watch/held"
	"nightjar/cmd/control/api"
)

const (
	dhtNodes       = 40               // of the private DHT
	gatewayAddress = "127.0.0.77"     // where the gateway's datagrams leave
	deskPhone      = "127.0.0.1:5060" // where baresip registers
	sourcePhone    = "127.0.0.1:5062" // where linphonec registers
)

// production is the stage and everybody on it.
type production struct {
	ctx   context.Context // of the whole show; its end is everybody's
	dir   string
	bin   string
	story *story

	stage   *stage.Stage
	gateway *stage.Party
	desk    *stage.Party
	source  *stage.Party
	line    string // the gateway's
	card    string // the newsdesk's
	guarded bool   // the kernel counts what leaves
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
	for _, a := range []*stage.Party{p.source, p.desk, p.gateway} {
		a.Stop()
	}
	if p.stage != nil {
		p.stage.Stop()
	}
}

// options are those of the stage.
func (p *production) options() stage.Options {
	return stage.Options{Bin: p.bin, Dir: p.dir, Nodes: dhtNodes,
		Tell: func(who, line string) { p.story.line("%-9s %s", who, line) }}
}

// networks starts both private networks while the vaults are made.
func (p *production) networks() error {
	g, ctx := errgroup.WithContext(p.ctx)
	g.Go(func() (err error) { p.stage, err = stage.Start(ctx, p.options()); return err })
	g.Go(p.makeVaults)
	return g.Wait()
}

// makeVaults lets everybody make a vault and an identity, each under a password of its own.
func (p *production) makeVaults() (err error) {
	for _, who := range []struct {
		name string
		to   **stage.Party
	}{{"gateway", &p.gateway}, {"newsdesk", &p.desk}, {"source", &p.source}} {
		if *who.to, err = stage.NewParty(p.ctx, p.options(), who.name); err != nil {
			return err
		}
	}
	p.story.line("three vaults of the same size, each opened by a password of its own")
	return nil
}

// engines starts the gateway and both engines and waits until all can be found.
func (p *production) engines() error {
	var g errgroup.Group
	g.Go(func() (err error) {
		p.line, err = p.stage.Lend(p.ctx, p.gateway, gatewayAddress)
		return err
	})
	g.Go(func() error { return p.stage.Up(p.ctx, p.desk, deskPhone) })
	g.Go(func() error { return p.stage.Up(p.ctx, p.source, sourcePhone) })
	return g.Wait()
}

// printCard gives the newsdesk the gateway and takes its card.
func (p *production) printCard() (err error) {
	if err := p.desk.Run(p.ctx, nil, "gateway", "add", p.line); err != nil {
		return err
	}
	if p.card, err = p.desk.Card(p.ctx); err != nil {
		return err
	}
	p.story.line("%s... (%d characters; it carries the gateway)", p.card[:48], len(p.card))
	return nil
}

// invite lets the source add the card. The command waits until the invitation lies in the inbox.
func (p *production) invite() error {
	err := p.source.Run(p.ctx, nil, "contact", "add", p.card, "newsdesk",
		"--greeting", "about the harbour")
	if err == nil {
		p.story.line("the source added the card; its engine left the invitation, sealed")
	}
	return err
}

// accept lets the newsdesk look into its inbox, see who asks, and accept.
func (p *production) accept() error {
	asking, err := p.desk.Asking(p.ctx)
	if err != nil {
		return err
	}
	p.story.line("%q asks: %q", asking.Name, asking.Greeting)
	list, err := p.source.Contacts(p.ctx)
	if err != nil {
		return err
	}
	if len(list) != 1 || list[0].Connected || list[0].Standing != "invited" {
		return errors.New("the source learned something before it was accepted")
	}
	p.story.line("the source still sees nothing but \"invited\"")
	return p.desk.Run(p.ctx, nil, "contact", "accept", asking.Name, "source")
}

// meet waits until both see the tunnel.
func (p *production) meet() error {
	return stage.BothConnected(p.ctx, p.desk, p.source, "source", "newsdesk")
}

// write sends one message each way and reads it at the other end.
func (p *production) write() error {
	for _, m := range []struct {
		from, to         *stage.Party
		fromName, toName string
		text             string
	}{
		{p.source, p.desk, "source", "newsdesk", "I have the harbour papers. Ünïcode too: ✓"},
		{p.desk, p.source, "newsdesk", "source", "Good. Can we talk?"},
	} {
		start := time.Now()
		var sent api.SendReply
		if err := m.from.Run(p.ctx, &sent, "send", "--wait", m.toName, m.text); err != nil {
			return err
		}
		if sent.State != "delivered" {
			return fmt.Errorf("%s: the message is only %s", m.fromName, sent.State)
		}
		var got []api.Message
		if err := m.to.Run(p.ctx, &got, "read", m.fromName); err != nil {
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
	seen := map[netip.Addr]bool{}
	for _, a := range p.stage.DHT.Seen() {
		seen[a.Addr()] = true
	}
	var from []string
	for a := range seen {
		from = append(from, a.String())
	}
	if len(from) != 1 || from[0] != gatewayAddress {
		return fmt.Errorf("DHT nodes heard from %v, not from the gateway alone", from)
	}
	p.story.saw("DHT nodes", "packets of the gateway alone; keys that look random", from...)
	p.story.saw("the gateway", "streams of a tor client for each operation; the nodes it asked")
	p.story.saw("tor relays", "cells between neighbours; the first relay a client's address",
		"127.0.0.1")
	for _, a := range []*stage.Party{p.source, p.desk} {
		open, err := sockets(a.Engine())
		if err != nil {
			return err
		}
		if len(open) == 0 {
			return fmt.Errorf("%s: its engine has no socket for its phone", a.Name)
		}
		p.story.saw("the "+a.Name, "of the other an onion service; its own engine's sockets:",
			open...)
		for _, s := range open {
			if !strings.HasPrefix(s, "udp 127.0.0.1:") && !strings.HasPrefix(s, "tcp 127.0.0.1:") {
				return fmt.Errorf("%s: its engine has a socket that is not on loopback", a.Name)
			}
		}
	}
	return p.checkDoor()
}

// sockets lists the internet sockets of a process: "udp 127.0.0.1:5060".
func sockets(pid int) (out []string, err error) {
	all, err := held.Of(pid)
	for _, s := range all {
		out = append(out, watch.ProtoName(s.Proto)+" "+s.Local.String())
	}
	slices.Sort(out)
	return slices.Compact(out), err
}

// checkDoor reads what the kernel counted: nothing may have been sent outside.
func (p *production) checkDoor() error {
	if !p.guarded {
		p.story.line("no counters here: a network namespace of its own would prove that " +
			"nothing left this machine")
		return nil
	}
	d, err := readDoor()
	if err != nil {
		return err
	}
	p.story.report.Facts["door"] = d
	p.story.saw("your network", fmt.Sprintf("%d packets, %d questions to a name server",
		d.Outside, d.Names))
	if d != (door{}) {
		return errors.New("something was sent outside this machine")
	}
	return nil
}
