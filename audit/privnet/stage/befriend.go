// What two parties do to come in touch.

package stage

import (
	"context"

	"golang.org/x/sync/errgroup"

	"nightjar/cmd/control/api"
)

// Contacts lists the contacts of a party.
func (p *Party) Contacts(ctx context.Context) (list []api.Contact, err error) {
	err = p.Run(ctx, &list, "contact", "list")
	return list, err
}

// Card returns the party's card.
func (p *Party) Card(ctx context.Context) (string, error) {
	var reply api.CardReply
	err := p.Run(ctx, &reply, "card", "show")
	return reply.Card, err
}

// Asking waits until somebody asks to be the party's contact, and returns who.
func (p *Party) Asking(ctx context.Context) (who api.Contact, err error) {
	if err := p.Run(ctx, nil, "check"); err != nil {
		return who, err
	}
	err = p.Wait(ctx, "an invitation", func() (bool, error) {
		list, err := p.Contacts(ctx)
		for _, c := range list {
			if c.Standing == "asking" {
				who = c
			}
		}
		return who.Name != "", err
	})
	return who, err
}

// Connected waits until the party has a tunnel to a contact.
func (p *Party) Connected(ctx context.Context, name string) error {
	return p.Wait(ctx, "a tunnel to "+name, func() (bool, error) {
		list, err := p.Contacts(ctx)
		for _, c := range list {
			if c.Name == name && c.Connected {
				return true, err
			}
		}
		return false, err
	})
}

// BothConnected waits until two parties see the tunnel between them: to is what a calls b, and from
// what b calls a.
func BothConnected(ctx context.Context, a, b *Party, to, from string) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.Connected(ctx, to) })
	g.Go(func() error { return b.Connected(ctx, from) })
	return g.Wait()
}

// Befriend brings two parties in touch by the host's card: each calls the other by its name.
func Befriend(ctx context.Context, host, guest *Party) error {
	card, err := host.Card(ctx)
	if err != nil {
		return err
	}
	if err := guest.Run(ctx, nil, "contact", "add", card, host.Name); err != nil {
		return err
	}
	who, err := host.Asking(ctx)
	if err != nil {
		return err
	}
	if err := host.Run(ctx, nil, "contact", "accept", who.Name, guest.Name); err != nil {
		return err
	}
	return BothConnected(ctx, host, guest, guest.Name, host.Name)
}
