// The commands of contacts.

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"nightjar/cmd/control"
	"nightjar/cmd/control/api"
)

// cmdContactAdd invites somebody and waits until the invitation has been left.
func cmdContactAdd(ctx context.Context, c console, args []string) error {
	o := newOptions("contact add")
	greeting := o.set.String("greeting", "", "")
	noWait := o.set.Bool("no-wait", false, "")
	both := o.set.Bool("both", false, "")
	rest, err := o.parse(args, 1, 2)
	if err != nil {
		return err
	}
	text, err := c.argument(rest[0])
	if err != nil {
		return err
	}
	req := api.InviteRequest{Card: text, Greeting: *greeting, Both: *both}
	if len(rest) == 2 {
		req.Name = rest[1]
	}
	cl, err := o.client(ctx)
	if err != nil {
		return err
	}
	var reply api.NameReply
	invite := func() error { return cl.Do(ctx, http.MethodPost, "/v1/contacts", req, &reply) }
	if *noWait {
		err = invite()
	} else {
		err = c.until(ctx, cl, invite, func(e api.Event) bool {
			return e.Contact == reply.Name && (e.Kind == "invited" || e.Kind == "connected")
		})
	}
	if err != nil {
		return err
	}
	if o.json {
		return c.json(reply)
	}
	fmt.Fprintf(c.out, "%s is invited; whether they accept shows in: nightjar contact list\n",
		reply.Name)
	c.offerBridges(reply.Bridges)
	c.offerRelays(reply.Offered)
	return nil
}

// until does something, then shows progress until what is waited for has happened. Nothing that
// happens between the two is missed.
func (c console) until(ctx context.Context, cl *control.Client, do func() error,
	done func(api.Event) bool) error {
	start := time.Now()
	return cl.Events(ctx, do, func(e api.Event) bool {
		if done(e) {
			return false
		}
		c.step(start, sentence(e))
		return true
	})
}

// cmdContactList lists contacts.
func cmdContactList(ctx context.Context, c console, args []string) error {
	o := newOptions("contact list")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	var list []api.Contact
	if err := o.do(ctx, http.MethodGet, "/v1/contacts", nil, &list); err != nil {
		return err
	}
	if o.json {
		return c.json(list)
	}
	if len(list) == 0 {
		fmt.Fprintln(c.out, "no contacts yet")
		fmt.Fprintln(c.out, "next: nightjar contact add CARD, or nightjar card show")
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSTANDING\tCONNECTED\tUNREAD\tWAITING TO BE SENT")
	for _, k := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\n", k.Name, standing(k), yes(k.Connected), k.Unread,
			k.Pending)
	}
	_ = w.Flush()
	for _, k := range list {
		if k.Standing == "asking" {
			fmt.Fprintf(c.out, "%s asks: %s\n  next: nightjar contact accept %s, or refuse\n",
				k.Name, escape(k.Greeting), k.Name)
		}
	}
	return nil
}

func standing(k api.Contact) string {
	if k.Standing == "invited" && !k.Invited {
		return "invitation on its way"
	}
	return k.Standing
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// cmdContactAccept accepts somebody who asks.
func cmdContactAccept(ctx context.Context, _ console, args []string) error {
	o := newOptions("contact accept")
	rest, err := o.parse(args, 1, 2)
	if err != nil {
		return err
	}
	req := api.AcceptRequest{}
	if len(rest) == 2 {
		req.As = rest[1]
	}
	return o.do(ctx, http.MethodPost, contactPath(rest[0], "/accept"), req, nil)
}

// cmdContactRefuse refuses somebody who asks.
func cmdContactRefuse(ctx context.Context, _ console, args []string) error {
	o := newOptions("contact refuse")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	return o.do(ctx, http.MethodPost, contactPath(rest[0], "/refuse"), struct{}{}, nil)
}

// cmdContactBlock refuses somebody who asks, now and later.
func cmdContactBlock(ctx context.Context, _ console, args []string) error {
	o := newOptions("contact block")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	return o.do(ctx, http.MethodPost, contactPath(rest[0], "/block"), struct{}{}, nil)
}

// cmdContactRemove forgets a contact.
func cmdContactRemove(ctx context.Context, _ console, args []string) error {
	o := newOptions("contact remove")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	return o.do(ctx, http.MethodDelete, contactPath(rest[0], ""), nil, nil)
}

// contactPath names a contact to the engine; contacts are written in lower case.
func contactPath(name, verb string) string {
	return "/v1/contacts/" + url.PathEscape(strings.ToLower(name)) + verb
}
