// The commands of bridges: hidden entries to the Tor network.

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"nightjar/cmd/control"
	"nightjar/cmd/control/api"
	"nightjar/keystore"
	"nightjar/node"
	"nightjar/node/book"
	"nightjar/onion/bridge"
	"nightjar/onion/exposure"
)

// errNoBridge is the wish to enter by bridges alone, without any.
var errNoBridge = errors.New("the network is to be entered by bridges alone, and none is known")

// knownBridges lists what the identity knows, and by which kind of way it goes out ("" by none
// yet): of the engine if it runs, else from the vault.
func (o *options) knownBridges(ctx context.Context, c console) (b api.Bridges, way string,
	err error) {
	err = o.do(ctx, http.MethodGet, "/v1/bridges", nil, &b)
	if err == nil {
		way, err = o.runningWay(ctx)
	}
	if !errors.Is(err, control.ErrNoEngine) {
		return b, way, err
	}
	err = o.withVault(ctx, c, func(_ context.Context, id *keystore.Identity) error {
		m, err := node.Remembered(id)
		b, way = control.Bridges(m.Entries), wentBy(m.Way, m.PathData)
		return err
	})
	return b, way, err
}

// runningWay asks a running engine for the kind of way it goes out by.
func (o *options) runningWay(ctx context.Context) (string, error) {
	var s api.Status
	err := o.do(ctx, http.MethodGet, "/v1/status", nil, &s)
	return s.Path, err
}

// changeBridges has the engine change something, or changes it in the vault if none runs: where tor
// is blocked, none does.
func (o *options) changeBridges(ctx context.Context, c console, method, path string, in any,
	f func(*book.Book) error) error {
	err := o.do(ctx, method, path, in, nil)
	if !errors.Is(err, control.ErrNoEngine) {
		return err
	}
	return o.withVault(ctx, c, func(_ context.Context, id *keystore.Identity) error {
		return node.ChangeBook(id, f)
	})
}

// cmdBridgeAdd remembers a bridge.
func cmdBridgeAdd(ctx context.Context, c console, args []string) error {
	o := newOptions("bridge add")
	rest, err := o.parse(args, 1, 24)
	if err != nil {
		return err
	}
	l, err := bridge.Parse(strings.Join(rest, " "))
	if err != nil {
		return err
	}
	if _, err := bridge.Plugins([]string{l.Option()}, bridge.Installed); err != nil {
		return err
	}
	way, running := "", true
	err = o.changeBridges(ctx, c, http.MethodPost, "/v1/bridges",
		api.BridgeRequest{Line: l.String()}, func(b *book.Book) error {
			b.AddBridge(l.String())
			way, running = wentBy(b.Way, b.PathData), false
			return nil
		})
	if err == nil && running {
		way, err = o.runningWay(ctx)
	}
	if err != nil {
		return err
	}
	if l.LooksUp() {
		c.note("%s looks up the host names in this line by the system's DNS: your network can "+
			"see them, and --path tor-over-vpn does not start with it", l.Kind())
	}
	c.line("%s", bridgeAdded(way))
	if b, err := o.bridgesOnly(ctx); err == nil && !b {
		c.note("without a bridge comes first, and your network sees " +
			"that you use tor; if it must not: nightjar bridge only on")
	}
	return nil
}

// bridgeAdded says what becomes of a new bridge. Where it would be tried without the way out that
// the identity keeps to, nobody is told to try it: its owner would learn the address behind.
func bridgeAdded(way string) string {
	const used = "it is used from the next start, when tor cannot be entered without it"
	switch {
	case mayTry(way) == nil:
		return used + "; try it now: nightjar bridge test"
	case way == exposure.TorOverVPN.String():
		return used + ", and through the VPN"
	}
	return "it is kept; this identity goes out by " + way + ", where no bridge is used"
}

// bridgesOnly asks a running engine whether it enters by bridges alone; without one nobody is asked
// for the password again, and the note is shown.
func (o *options) bridgesOnly(ctx context.Context) (bool, error) {
	var b api.Bridges
	err := o.do(ctx, http.MethodGet, "/v1/bridges", nil, &b)
	if errors.Is(err, control.ErrNoEngine) {
		return false, nil
	}
	return b.Only, err
}

// cmdBridgeList lists the bridges.
func cmdBridgeList(ctx context.Context, c console, args []string) error {
	o := newOptions("bridge list")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	b, _, err := o.knownBridges(ctx, c)
	if err != nil {
		return err
	}
	if o.json {
		return c.json(b)
	}
	for i, l := range b.Bridges {
		worked := ""
		if l.Worked {
			worked = "  (worked last)"
		}
		fmt.Fprintf(c.out, "%2d  %s%s\n", i+1, escape(l.Line), worked)
	}
	if len(b.Bridges) == 0 {
		c.line("no bridge is known; add one: nightjar bridge add LINE")
	}
	if b.Only {
		fmt.Fprintln(c.out, "from a start on, the network is entered by a bridge, "+
			"and in no other way")
	}
	for _, offer := range b.Offers {
		fmt.Fprintf(c.out, "%s offers a bridge; it is not used unless you add it: who runs a "+
			"bridge sees your address\n", offer.Contact)
		c.quoteAll("nightjar bridge add", []string{offer.Line})
	}
	return nil
}

// cmdBridgeOffer tells a contact of a bridge.
func cmdBridgeOffer(ctx context.Context, c console, args []string) error {
	o := newOptions("bridge offer")
	rest, err := o.parse(args, 2, 25)
	if err != nil {
		return err
	}
	var known api.Bridges
	if err := o.do(ctx, http.MethodGet, "/v1/bridges", nil, &known); err != nil {
		return err
	}
	line := chosen(known, rest[1:])
	if _, err := strconv.Atoi(line); err == nil {
		return book.ErrBridge // a number that is not in the list
	}
	if _, err := bridge.Parse(line); err != nil {
		return err
	}
	err = o.do(ctx, http.MethodPost, contactPath(rest[0], "/bridge"),
		api.BridgeRequest{Line: line}, nil)
	if err == nil {
		c.line("told; who runs that bridge sees the addresses of all who use it")
	}
	return err
}

// chosen is the bridge that a word names: its number in the list, or its line.
func chosen(b api.Bridges, words []string) string {
	if n, err := strconv.Atoi(words[0]); err == nil && len(words) == 1 && n > 0 &&
		n <= len(b.Bridges) {
		return b.Bridges[n-1].Line
	}
	if l, err := bridge.Parse(strings.Join(words, " ")); err == nil {
		return l.String()
	}
	return strings.Join(words, " ")
}

// cmdBridgeRemove forgets a bridge.
func cmdBridgeRemove(ctx context.Context, c console, args []string) error {
	o := newOptions("bridge remove")
	rest, err := o.parse(args, 1, 24)
	if err != nil {
		return err
	}
	remove := func(b *book.Book) error {
		return b.RemoveBridge(chosen(api.Bridges{Bridges: numbered(b.Bridges)}, rest))
	}
	var known api.Bridges
	err = o.do(ctx, http.MethodGet, "/v1/bridges", nil, &known)
	if err != nil && !errors.Is(err, control.ErrNoEngine) {
		return err
	}
	path := "/v1/bridges/" + url.PathEscape(chosen(known, rest))
	return o.changeBridges(ctx, c, http.MethodDelete, path, nil, remove)
}

func numbered(lines []string) (out []api.Bridge) {
	for _, l := range lines {
		out = append(out, api.Bridge{Line: l})
	}
	return out
}

// cmdBridgeOnly says whether the network may be entered without a bridge.
func cmdBridgeOnly(ctx context.Context, c console, args []string) error {
	o := newOptions("bridge only")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	if rest[0] != "on" && rest[0] != "off" {
		return usageError{"say on or off"}
	}
	only, running, known := rest[0] == "on", true, 0
	err = o.changeBridges(ctx, c, http.MethodPost, "/v1/bridges/only",
		api.BridgesOnlyRequest{Only: only},
		func(b *book.Book) error {
			b.Hidden, running, known = only, false, len(b.Bridges)
			return nil
		})
	if err != nil || !only {
		return err
	}
	if running {
		var b api.Bridges
		if err := o.do(ctx, http.MethodGet, "/v1/bridges", nil, &b); err != nil {
			return err
		}
		known = len(b.Bridges)
	}
	for _, text := range onlyWords(running, known) {
		c.note("%s", text)
	}
	return nil
}

// onlyWords says from when on bridges alone are used, and what is missing for it.
func onlyWords(running bool, known int) (out []string) {
	if running {
		out = append(out, "it is so from the next start; this engine may have entered tor "+
			"without a bridge: lock it and start again: nightjar lock, nightjar up")
	}
	if known == 0 {
		out = append(out, "no bridge is known, and without one it will not start: "+
			"nightjar bridge add LINE")
	}
	return out
}
