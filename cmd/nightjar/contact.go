// The commands of contacts.

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"nightjar/cmd/control"
	"nightjar/cmd/control/api"
	"nightjar/node/book"
	"nightjar/node/card"
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
	req := api.InviteRequest{Card: strings.TrimSpace(text), Greeting: *greeting, Both: *both}
	if len(rest) == 2 {
		req.Name = strings.ToLower(rest[1])
	}
	if err := checkInvite(req); err != nil {
		return err
	}
	cl, err := o.client(ctx)
	if err != nil {
		return err
	}
	reply, how, err := c.invite(ctx, cl, req, *noWait)
	if err != nil {
		return err
	}
	if o.json {
		return c.json(reply)
	}
	fmt.Fprintln(c.out, c.here(how))
	switch {
	case reply.Waits:
		fmt.Fprintln(c.out, c.here("next: "+reply.Next))
	case reply.Next != "":
		c.line("%s", reply.Next)
	}
	c.offerBridges(reply.Bridges)
	c.offerRelays(reply.Offered)
	return nil
}

// checkInvite refuses what an engine would refuse, whether one runs or not.
func checkInvite(r api.InviteRequest) error {
	if _, err := card.ParseAddress(r.Card); err != nil {
		bare := !strings.HasPrefix(strings.ToLower(r.Card), "nightjar:")
		if bare && errors.Is(err, card.ErrAddress) && len(r.Card) == len(card.Address{}.String()) {
			return fmt.Errorf("%w: a letter in it is wrong; copy it again", err)
		}
		if _, err := card.Parse(r.Card); err != nil {
			return err
		}
	}
	if r.Name != "" {
		if err := book.CheckName(r.Name); err != nil {
			return err
		}
	}
	return card.CheckGreeting(r.Greeting)
}

// errWaits ends a wait that would have no end.
var errWaits = errors.New("it waits for something that the user has to do")

// invite has the engine invite somebody, waits until that is done unless noWait is set or something
// is missing, and says how it stands.
func (c console) invite(ctx context.Context, cl *control.Client, req api.InviteRequest,
	noWait bool) (reply api.NameReply, how string, err error) {
	invite := func() error {
		err := cl.Do(ctx, http.MethodPost, "/v1/contacts", req, &reply)
		if err == nil && (reply.Waits || noWait) {
			return errWaits
		}
		return err
	}
	connected := false
	err = c.until(ctx, cl, invite, func(e api.Event) bool {
		connected = e.Kind == "connected"
		return e.Contact == reply.Name && (e.Kind == "invited" || connected)
	})
	if errors.Is(err, errWaits) {
		err = nil
	}
	switch {
	case connected:
		how, reply.Next = reply.Name+" is connected: you were in touch before", ""
	case reply.Waits:
		how = reply.Name + " is remembered; the invitation waits: no gateway is known, and this " +
			"card carries none"
	case noWait:
		how = reply.Name + " is remembered; the invitation is on its way: nightjar contact list"
	default:
		how = reply.Name + " is invited; whether they accept shows in: nightjar contact list"
	}
	return reply, how, err
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
		fmt.Fprintln(c.out, c.here("next: nightjar contact add CARD, or nightjar card show"))
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
			fmt.Fprintf(c.out, "%s (%s) asks%s\n", k.Name, brief(k.Address), said(k.Greeting))
			fmt.Fprintln(c.out, c.here(fmt.Sprintf("  next: nightjar contact accept %s NEW-NAME, "+
				"or nightjar contact refuse %s", k.Name, k.Name)))
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

// brief is the beginning and the end of an address: enough to tell people apart.
func brief(address string) string {
	if len(address) <= 2*shortAddress {
		return address
	}
	return address[:shortAddress] + "..." + address[len(address)-shortAddress:]
}

// said is a greeting behind who asks.
func said(greeting string) string {
	if greeting == "" {
		return ", without a greeting"
	}
	return ": " + escape(greeting)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// cmdContactAccept accepts somebody who asks.
func cmdContactAccept(ctx context.Context, c console, args []string) error {
	o := newOptions("contact accept")
	rest, err := o.parse(args, 1, 2)
	if err != nil {
		return err
	}
	req := api.AcceptRequest{}
	if len(rest) == 2 {
		req.As = strings.ToLower(rest[1])
	}
	return o.done(ctx, c, http.MethodPost, contactPath(rest[0], "/accept"), req,
		"accepted; you are connected as soon as both are there: nightjar contact list")
}

// cmdContactRefuse refuses somebody who asks.
func cmdContactRefuse(ctx context.Context, c console, args []string) error {
	o := newOptions("contact refuse")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	return o.done(ctx, c, http.MethodPost, contactPath(rest[0], "/refuse"), struct{}{},
		"refused; nothing was sent")
}

// cmdContactBlock refuses somebody who asks, now and later.
func cmdContactBlock(ctx context.Context, c console, args []string) error {
	o := newOptions("contact block")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	return o.done(ctx, c, http.MethodPost, contactPath(rest[0], "/block"), struct{}{},
		"blocked; nothing was sent")
}

// cmdContactRemove forgets a contact.
func cmdContactRemove(ctx context.Context, c console, args []string) error {
	o := newOptions("contact remove")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	return o.done(ctx, c, http.MethodDelete, contactPath(rest[0], ""), nil,
		"forgotten, with all that was said; you cannot be reached there any more")
}

// contactPath names a contact to the engine; contacts are written in lower case.
func contactPath(name, verb string) string {
	return "/v1/contacts/" + url.PathEscape(strings.ToLower(name)) + verb
}
