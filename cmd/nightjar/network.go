// The commands of what opens the network, and of who sees what.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"nightjar/cmd/control/api"
	"nightjar/node"
	"nightjar/node/bundle"
	"nightjar/onion/exposure"
)

// errBundle is a file of a bundle that cannot be read.
var errBundle = errors.New("the file of the bundle cannot be read")

// cmdBundleExport writes what somebody needs who knows nobody in the network.
func cmdBundleExport(ctx context.Context, c console, args []string) error {
	o := newOptions("bundle export")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	var b api.Bundle
	if err := o.do(ctx, http.MethodGet, "/v1/bundle", nil, &b); err != nil {
		return err
	}
	if rest[0] == "-" {
		_, err = io.WriteString(c.out, b.Bundle)
		return err
	}
	if writeNew(rest[0], []byte(b.Bundle)) != nil {
		return errFile
	}
	return nil
}

// cmdBundleImport takes in what somebody else wrote with bundle export.
func cmdBundleImport(ctx context.Context, c console, args []string) error {
	o := newOptions("bundle import")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	text, err := c.bundleText(rest[0])
	if err != nil {
		return err
	}
	var in api.Imported
	err = o.do(ctx, http.MethodPost, "/v1/bundle", api.Bundle{Bundle: text}, &in)
	if err != nil {
		return err
	}
	if o.json {
		return c.json(in)
	}
	fmt.Fprintf(c.out, "new, and taken in: %s, %s, %s\n", exposure.Count(in.Gateways, "gateway"),
		exposure.Count(in.Nodes, "DHT node"), exposure.Count(in.Relays, "relay"))
	c.offerBridges(in.Bridges)
	c.offerRelays(in.Offered)
	return nil
}

// offerBridges shows bridges that came from somebody else; whether they are used the user decides.
// The lines are quoted: nothing in them is a command to the shell they are pasted into.
func (c console) offerBridges(lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(c.out, "%s came with it, not used unless you add it: who runs a bridge sees your "+
		"address\n", exposure.Count(len(lines), "bridge"))
	c.quoteAll("nightjar bridge add", lines)
}

// offerRelays does the same for relays outside of tor.
func (c console) offerRelays(urls []string) {
	if len(urls) == 0 {
		return
	}
	fmt.Fprintf(c.out, "%s came with it, not used unless you add it and start with "+
		"--exit-relays: exits of tor see that it is asked\n",
		exposure.Count(len(urls), "https relay"))
	c.quoteAll("nightjar relay add", urls)
}

// quoteAll shows what can be typed next.
func (c console) quoteAll(command string, lines []string) {
	for _, l := range lines {
		quoted := strings.ReplaceAll(escape(l), "'", `'\''`)
		fmt.Fprintln(c.out, c.here("  next: "+command)+" '"+quoted+"'")
	}
}

// bundleText reads a bundle from a file, or for "-" from standard input.
func (c console) bundleText(file string) (string, error) {
	in := c.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", errBundle
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, bundle.MaxSize+1))
	if err != nil {
		return "", errBundle
	}
	return string(b), nil
}

// cmdRelayAdd gives the engine a pkarr relay to use.
func cmdRelayAdd(ctx context.Context, c console, args []string) error {
	o := newOptions("relay add")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	when := "it is used from now on"
	if strings.HasPrefix(rest[0], "https:") {
		when = "it is used by an engine started with nightjar up --exit-relays: exits of tor see " +
			"which relay is asked, not by whom"
	}
	return o.done(ctx, c, http.MethodPost, "/v1/relays", api.RelayRequest{URL: rest[0]}, when)
}

// cmdExplain tells how a contact is found, and who could see what of it.
func cmdExplain(ctx context.Context, c console, args []string) error {
	o := newOptions("explain")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	var steps []node.Step
	err = o.do(ctx, http.MethodGet, contactPath(rest[0], "/explain"), nil, &steps)
	if err != nil {
		return err
	}
	if o.json {
		return c.json(steps)
	}
	for i, s := range steps {
		fmt.Fprintf(c.out, "%d. %s\n", i+1, s.What)
		for _, v := range s.Sees {
			fmt.Fprintf(c.out, "   %v\n", v)
		}
	}
	return nil
}
