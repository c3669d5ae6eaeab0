// Scenes of what people do.

package play

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"nightjar/audit/privnet/stage"
	"nightjar/cmd/control/api"
)

func initOnly(ctx context.Context, c *Cast) error {
	_, err := c.party(ctx, "newcomer")
	c.Did("nightjar init, and nothing else")
	return err
}

func firstStart(ctx context.Context, c *Cast) error {
	p, err := c.fresh(ctx, "first")
	if err != nil {
		return err
	}
	c.Did("the first start, until it can be reached")
	pause(ctx, time.Second)
	p.Stop()
	return nil
}

// invite has somebody new ask to be the desk's contact.
func (c *Cast) invite(ctx context.Context, name string) (*stage.Party, error) {
	if err := c.friends(ctx); err != nil {
		return nil, err
	}
	card, err := c.desk.Card(ctx)
	if err != nil {
		return nil, err
	}
	guest, err := c.fresh(ctx, name)
	if err != nil {
		return nil, err
	}
	err = guest.Run(ctx, nil, "contact", "add", card, "desk", "--greeting", "see www.leak.example")
	c.Did("a card, and a sealed invitation in the DHT")
	return guest, err
}

func invitation(ctx context.Context, c *Cast) (err error) {
	c.guest, err = c.invite(ctx, "guest")
	return err
}

func accept(ctx context.Context, c *Cast) error {
	if c.guest == nil {
		if err := invitation(ctx, c); err != nil {
			return err
		}
	}
	who, err := c.desk.Asking(ctx)
	if err != nil {
		return err
	}
	if err := c.desk.Run(ctx, nil, "contact", "accept", who.Name, "guest"); err != nil {
		return err
	}
	c.Did("accepted; they find each other and shake hands")
	return stage.BothConnected(ctx, c.desk, c.guest, "guest", "desk")
}

func message(ctx context.Context, c *Cast) error {
	return c.say(ctx, "good morning")
}

// say sends a text each way and reads it.
func (c *Cast) say(ctx context.Context, text string) error {
	if err := c.friends(ctx); err != nil {
		return err
	}
	for _, m := range []struct {
		from, to *stage.Party
	}{{c.source, c.desk}, {c.desk, c.source}} {
		err := m.from.Run(ctx, nil, "send", "--wait", m.to.Name, text)
		if err == nil {
			err = m.to.Run(ctx, nil, "read", m.from.Name)
		}
		if err != nil {
			return err
		}
	}
	c.Did("a message each way, acknowledged and read")
	return nil
}

func messageAway(ctx context.Context, c *Cast) error {
	if err := c.friends(ctx); err != nil {
		return err
	}
	c.desk.Stop()
	if err := c.source.Run(ctx, nil, "send", "desk", "for later"); err != nil {
		return err
	}
	c.Did("sent to one who is away, who then comes back")
	pause(ctx, 2*time.Second)
	if err := c.friends(ctx); err != nil {
		return err
	}
	return c.desk.Wait(ctx, "the message", func() (bool, error) {
		var s api.Status
		err := c.desk.Run(ctx, &s, "status")
		return s.Unread > 0, err
	})
}

func messageLink(ctx context.Context, c *Cast) error {
	err := c.say(ctx, "look at https://leak.example/picture.png and at file.leak.example")
	pause(ctx, time.Second) // for a preview to be fetched
	return err
}

// refused expects a command to fail.
func refused(ctx context.Context, p *stage.Party, args ...string) error {
	if p.Run(ctx, nil, args...) == nil {
		return fmt.Errorf("nightjar %s was not refused", strings.Join(args[:2], " "))
	}
	return nil
}

func hostileCard(ctx context.Context, c *Cast) error {
	if err := c.friends(ctx); err != nil {
		return err
	}
	card, err := c.desk.Card(ctx)
	if err != nil {
		return err
	}
	half := len(card) / 2
	bad := []string{card[:half], card[:half] + "aaaa" + card[half+4:],
		"nightjar://leak.example/card", "nightjar:leak.example", "https://leak.example/card"}
	for _, b := range bad {
		if err := refused(ctx, c.source, "contact", "add", b, "nobody"); err != nil {
			return err
		}
	}
	c.Did("%d cards that are damaged or name hosts", len(bad))
	return refused(ctx, c.source, "gateway", "add", "nightjar-gateway:leak.example:80")
}

func relayByName(ctx context.Context, c *Cast) error {
	p, err := c.fresh(ctx, "relaying")
	if err != nil {
		return err
	}
	defer p.Stop()
	if err := p.Run(ctx, nil, "relay", "add", "https://relay.example"); err != nil {
		c.Did("a relay by name is refused")
	} else {
		c.Did("a relay by name, asked by way of tor or not at all")
	}
	err = p.Run(ctx, nil, "check")
	pause(ctx, 3*time.Second)
	return err
}

func refuse(ctx context.Context, c *Cast) error {
	guest, err := c.invite(ctx, "stranger")
	if err != nil {
		return err
	}
	defer guest.Stop()
	who, err := c.desk.Asking(ctx)
	if err != nil {
		return err
	}
	c.Did("refused; nothing is sent")
	return c.desk.Run(ctx, nil, "contact", "refuse", who.Name)
}

func remove(ctx context.Context, c *Cast) error {
	if c.guest == nil {
		if err := accept(ctx, c); err != nil {
			return err
		}
	}
	if err := c.desk.Run(ctx, nil, "contact", "remove", "guest"); err != nil {
		return err
	}
	c.Did("removed; the onion service moves")
	pause(ctx, 2*time.Second)
	c.guest.Stop()
	c.guest = nil
	return nil
}

func handOn(ctx context.Context, c *Cast) error {
	if err := c.friends(ctx); err != nil {
		return err
	}
	if err := c.desk.Run(ctx, nil, "bundle", "export", c.file("bundle")); err != nil {
		return err
	}
	c.Did("a bundle, out of one engine and into the other")
	return c.source.Run(ctx, nil, "bundle", "import", c.file("bundle"))
}

func identities(ctx context.Context, c *Cast) error {
	p, err := c.party(ctx, "by-day")
	if err != nil {
		return err
	}
	q, err := c.stage.Another(ctx, p, "by-night")
	if err != nil {
		return err
	}
	c.all = append(c.all, q)
	defer q.Stop()
	defer p.Stop()
	c.Did("two identities of one vault, side by side")
	return errors.Join(c.up(ctx, p), c.up(ctx, q))
}

func besideGateway(ctx context.Context, c *Cast) error {
	p, err := c.party(ctx, "hidden")
	if err != nil {
		return err
	}
	q, err := c.stage.Another(ctx, p, "lends")
	if err != nil {
		return err
	}
	c.all = append(c.all, q)
	defer q.Stop()
	defer p.Stop()
	line, err := c.stage.Lend(context.WithoutCancel(ctx), q, lendsToo)
	if err != nil {
		return err
	}
	if err := c.up(ctx, p); err != nil {
		return err
	}
	c.Did("a gateway and a hidden identity in one vault; the hidden one uses the gateway")
	if err := p.Run(ctx, nil, "gateway", "add", line); err != nil {
		return err
	}
	err = p.Run(ctx, nil, "check")
	pause(ctx, 2*time.Second)
	return err
}

func codename(ctx context.Context, c *Cast) error {
	words, err := exec.CommandContext(ctx, c.Bin, "codename", "--print").Output()
	if err != nil {
		return err
	}
	return c.bare(ctx, "by-codename", strings.TrimSpace(string(words)), "--codename")
}

func amnesic(ctx context.Context, c *Cast) error { return c.bare(ctx, "amnesic", "", "--amnesic") }

// bare starts an engine that has no vault, and ends it.
func (c *Cast) bare(ctx context.Context, name, secret, mode string) error {
	p := c.stage.Bare(name, secret)
	c.all = append(c.all, p)
	defer p.Stop()
	c.Did("an engine without a vault: %s", mode)
	return c.up(ctx, p, mode)
}

func exportImport(ctx context.Context, c *Cast) error {
	p, err := c.party(ctx, "moves")
	if err != nil {
		return err
	}
	const secret = "the password of the file"
	_, err = feed(ctx, p, p.Password()+"\n"+secret, "identity", "export", c.file("moved"))
	if err != nil {
		return err
	}
	c.Did("exported to a file, opened from it elsewhere")
	there := c.stage.Bare("moved-in", secret)
	c.all = append(c.all, there)
	defer there.Stop()
	return c.up(ctx, there, "--from-file", c.file("moved"))
}

func lock(ctx context.Context, c *Cast) error {
	p, err := c.fresh(ctx, "locks")
	if err != nil {
		return err
	}
	defer p.Stop()
	if err := p.Run(ctx, nil, "lock"); err != nil {
		return err
	}
	c.Did("nightjar lock")
	return gone(ctx, p)
}

func idleLock(ctx context.Context, c *Cast) error {
	p, err := c.party(ctx, "unused")
	if err != nil {
		return err
	}
	defer p.Stop()
	if err := c.begin(ctx, p, "--no-phone", "--lock-after", "2s"); err != nil {
		return err
	}
	c.Did("nobody used it for 2 s")
	return gone(ctx, p)
}

func burn(ctx context.Context, c *Cast) error {
	p, err := c.party(ctx, "burns")
	if err != nil {
		return err
	}
	c.Did("nightjar identity burn --forever")
	_, err = feed(ctx, p, p.Password(), "identity", "burn", "--forever")
	return err
}
