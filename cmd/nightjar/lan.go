// The command that looks for DHT nodes in the local network.

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"nightjar/node/bundle"
	meetlan "nightjar/node/meet/lan"
	"nightjar/onion/frame"
	"nightjar/onion/lan"
)

// Errors of nodes lan.
var (
	errUnseen = errors.New("everybody in this local network can see that this machine looks for " +
		"DHT nodes: say that this is well")
	errNoNeighbours = errors.New("nobody in this local network told of DHT nodes")
)

// cmdNodesLAN writes a bundle of the DHT nodes that programs in the local network know. It opens no
// identity, and asks no engine: who has something to hide does it elsewhere.
func cmdNodesLAN(ctx context.Context, c console, args []string) error {
	o := newOptions("nodes lan")
	seen := o.set.Bool("this-network-may-see-me", false, "")
	wait := o.set.Duration("for", meetlan.Wait, "")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	if !*seen {
		return errUnseen
	}
	hear, err := lan.Hear()
	if err != nil {
		return err
	}
	ask, err := lan.Ask(ctx)
	if err != nil {
		_ = hear.Close()
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *wait)
	defer cancel()
	fmt.Fprintf(c.err, "listening for %v\n", *wait)
	s := &meetlan.Search{Hear: hear, Ask: ask,
		Public: func(a netip.AddrPort) bool { return frame.MaySend(a, false) }}
	heard, nodes := s.Run(ctx)
	if len(nodes) == 0 {
		return errNoNeighbours
	}
	b := bundle.Bundle{Nodes: nodes}
	text, err := b.Encode()
	if err != nil {
		return err
	}
	if writeNew(rest[0], []byte(text)) != nil {
		return errFile
	}
	fmt.Fprintf(c.out, "%d DHT nodes, of %d programs in this network\n"+
		"next: nightjar bundle import FILE\n", len(nodes), heard)
	return nil
}
