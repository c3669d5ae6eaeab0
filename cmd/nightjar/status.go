// Commands about the engine as a whole, and its phone.

package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"nightjar/cmd/control/api"
)

// do sends one request to the engine of o's home.
func (o *options) do(ctx context.Context, method, path string, in, out any) error {
	cl, err := o.client(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return cl.Do(ctx, method, path, in, out)
}

// done is do for what shows nothing of its own: it says, beside, what came of it.
func (o *options) done(ctx context.Context, c console, method, path string, in any,
	what string) error {
	err := o.do(ctx, method, path, in, nil)
	if err == nil {
		c.line("%s", what)
	}
	return err
}

// cmdStatus shows how it stands.
func cmdStatus(ctx context.Context, c console, args []string) error {
	o := newOptions("status")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	var s api.Status
	if err := o.do(ctx, http.MethodGet, "/v1/status", nil, &s); err != nil {
		return err
	}
	if o.json {
		return c.json(s)
	}
	if s.Name != "" {
		fmt.Fprintln(c.out, "name           ", escape(s.Name))
	}
	fmt.Fprintln(c.out, "address        ", s.Address)
	fmt.Fprintln(c.out, "path           ", pathWords(s.Path))
	fmt.Fprintln(c.out, "reachable      ", yes(s.Reachable))
	fmt.Fprintf(c.out, "sealed          %s: %s\n", yes(s.Sealed), s.Seal)
	fmt.Fprintln(c.out, "secret erasure ", yes(s.Erasure))
	fmt.Fprintln(c.out, "phone          ", yes(s.Phone))
	fmt.Fprintf(c.out, "contacts        %d, connected %d\n", s.Contacts, s.Connected)
	fmt.Fprintf(c.out, "messages        %d unread, %d waiting to be sent\n", s.Unread, s.Pending)
	fmt.Fprintf(c.out, "gateways        %d\n", s.Gateways)
	if s.Network > 0 {
		fmt.Fprintf(c.out, "DHT nodes       about %d\n", s.Network)
	}
	for _, x := range s.Exposes {
		fmt.Fprintln(c.out, "who learns what:", x)
	}
	for _, w := range s.Warnings {
		fmt.Fprintln(c.out, "note:", w)
	}
	if s.Next != "" {
		fmt.Fprintln(c.out, c.here("next: "+s.Next))
	}
	return nil
}

// cmdPhoneShow shows what to type into a phone.
func cmdPhoneShow(ctx context.Context, c console, args []string) error {
	o := newOptions("phone show")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	var p api.Phone
	if err := o.do(ctx, http.MethodGet, "/v1/phone", nil, &p); err != nil {
		return err
	}
	if o.json {
		return c.json(p)
	}
	if !p.On {
		fmt.Fprintln(c.out, "the engine was started with --no-phone")
		return nil
	}
	for _, s := range p.Settings {
		fmt.Fprintf(c.out, "%-26s %s\n", s.Label, s.Value)
	}
	names := make([]string, 0, len(p.Paste))
	for name := range p.Paste {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(c.out, "\n# for %s\n%s\n", name, p.Paste[name])
	}
	fmt.Fprintln(c.out, "\nregistered now:", yes(p.Registered))
	return nil
}

// cmdCheck makes the engine look now.
func cmdCheck(ctx context.Context, c console, args []string) error {
	o := newOptions("check")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	return o.done(ctx, c, http.MethodPost, "/v1/check", nil,
		"looking now; what is found shows in: nightjar contact list")
}

// cmdWatch shows what happens until it is interrupted.
func cmdWatch(ctx context.Context, c console, args []string) error {
	o := newOptions("watch")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	cl, err := o.client(ctx)
	if err != nil {
		return err
	}
	err = cl.Events(ctx, func() error { return nil }, func(e api.Event) bool {
		if o.json {
			return c.jsonLine(e) == nil
		}
		fmt.Fprintln(c.out, time.Now().Format("15:04:05"), sentence(e))
		return true
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}
