// The commands of messages.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"nightjar/cmd/control"
	"nightjar/cmd/control/api"
	"nightjar/node/talk"
)

// Errors of reading and writing what a person sees.
var (
	errInput  = errors.New("the text could not be read from standard input")
	errOutput = errors.New("the messages could not be printed")
)

// cmdSend sends a message.
func cmdSend(ctx context.Context, c console, args []string) error {
	o := newOptions("send")
	wait := o.set.Bool("wait", false, "")
	rest, err := o.parse(args, 2, 64)
	if err != nil {
		return err
	}
	req := api.SendRequest{Contact: strings.ToLower(rest[0]), Text: strings.Join(rest[1:], " ")}
	if req.Text, err = c.argument(req.Text); err != nil {
		return err
	}
	cl, err := o.client(ctx)
	if err != nil {
		return err
	}
	var reply api.SendReply
	send := func() error { return cl.Do(ctx, http.MethodPost, "/v1/messages", req, &reply) }
	if *wait {
		err = c.until(ctx, cl, send, func(e api.Event) bool {
			if e.Kind == "delivered" && e.Contact == req.Contact &&
				delivered(ctx, cl, req.Contact, reply.ID) {
				reply.State = "delivered"
			}
			return reply.State == "delivered"
		})
	} else {
		err = send()
	}
	if err != nil {
		return err
	}
	if o.json {
		return c.json(reply)
	}
	if reply.State == "delivered" {
		fmt.Fprintf(c.out, "%s has it\n", req.Contact)
	} else {
		fmt.Fprintln(c.out, keptWords(ctx, cl, req.Contact))
	}
	return nil
}

// keptWords says where a message is until the contact has it. What cannot be asked is not promised.
func keptWords(ctx context.Context, cl *control.Client, contact string) string {
	var id api.Identity
	err := cl.Do(ctx, http.MethodGet, "/v1/identity", nil, &id)
	if err == nil && !id.InMemory {
		return fmt.Sprintf("safe in the vault; %s gets it as soon as both are there", contact)
	}
	return fmt.Sprintf("kept in memory until this engine stops; %s gets it as soon as both are "+
		"there, and never if you lock or stop the engine before", contact)
}

// argument returns an argument, or for "-" what stands on standard input: others on this machine
// can see the arguments of a running command.
func (c console) argument(arg string) (string, error) {
	if arg != "-" {
		return arg, nil
	}
	b, err := io.ReadAll(io.LimitReader(c.in, talk.MaxText+1))
	if err != nil {
		return "", errInput
	}
	return strings.TrimRight(string(b), "\n"), nil
}

// delivered asks whether one message of ours has arrived.
func delivered(ctx context.Context, cl *control.Client, contact, id string) bool {
	var list []api.Message
	path := "/v1/messages?contact=" + url.QueryEscape(contact)
	if cl.Do(ctx, http.MethodGet, path, nil, &list) != nil {
		return false
	}
	for _, m := range list {
		if m.ID == id {
			return m.State == "delivered"
		}
	}
	return true // finished messages may be forgotten
}

// cmdRead shows messages, then marks read what was shown.
func cmdRead(ctx context.Context, c console, args []string) error {
	o := newOptions("read")
	all := o.set.Bool("all", false, "")
	rest, err := o.parse(args, 0, 1)
	if err != nil {
		return err
	}
	contact := ""
	if len(rest) == 1 {
		contact = strings.ToLower(rest[0])
	}
	var list []api.Message
	path := "/v1/messages?contact=" + url.QueryEscape(contact)
	if err := o.do(ctx, http.MethodGet, path, nil, &list); err != nil {
		return err
	}
	shown, seen := []api.Message{}, api.ReadRequest{Contact: contact}
	for _, m := range list {
		if m.State == "unread" {
			seen.IDs = append(seen.IDs, m.ID)
		}
		if *all || m.State == "unread" {
			shown = append(shown, m)
		}
	}
	if err := o.show(c, shown); err != nil {
		return errOutput // nothing is marked: it comes again
	}
	if len(seen.IDs) == 0 {
		return nil
	}
	return o.do(ctx, http.MethodPost, "/v1/messages/read", seen, nil)
}

// show prints messages.
func (o *options) show(c console, list []api.Message) error {
	if o.json {
		return c.json(list)
	}
	for _, m := range list {
		who := m.Contact + ":"
		if m.Out {
			who = "to " + m.Contact + " (" + m.State + "):"
		}
		when := m.At.Local().Format("2006-01-02 15:04")
		if _, err := fmt.Fprintf(c.out, "%s  %s %s\n", when, who, escape(m.Text)); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		c.line("nothing new; older ones: nightjar read --all")
	}
	return nil
}
