// Scenes with SIP phones.

package play

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"nightjar/audit/privnet/phone"
	"nightjar/audit/privnet/stage"
	"nightjar/cmd/control/api"
)

// account is what a phone is told of an engine.
func account(ctx context.Context, p *stage.Party) (c phone.Config, err error) {
	var show api.Phone
	if err := p.Run(ctx, &show, "phone", "show"); err != nil {
		return c, err
	}
	for _, s := range show.Settings {
		switch s.Label {
		case "User name":
			c.User = s.Value
		case "Password":
			c.Password = s.Value
		}
	}
	return c, nil
}

// talkers are the phones of the desk and the source, registered.
func (c *Cast) talkers(ctx context.Context) (desk, source phone.Phone, err error) {
	if err := c.friends(ctx); err != nil {
		return nil, nil, err
	}
	one, other, err := phone.Recordings()
	if err != nil {
		return nil, nil, err
	}
	d, err := account(ctx, c.desk)
	if err != nil {
		return nil, nil, err
	}
	s, err := account(ctx, c.source)
	if err != nil {
		return nil, nil, err
	}
	d.Server, d.Transport, d.Speech = deskPhone, "tcp", one
	s.Server, s.Speech = sourcePhone, other
	live := context.WithoutCancel(ctx)
	if desk, err = phone.Baresip(live, d); err != nil {
		return nil, nil, err
	}
	if source, err = phone.Linphone(live, s); err != nil {
		desk.Stop()
		return nil, nil, err
	}
	for _, p := range []phone.Phone{desk, source} {
		if err := p.Registered(ctx); err != nil {
			desk.Stop()
			source.Stop()
			return nil, nil, fmt.Errorf("a phone does not register: %w", err)
		}
	}
	return desk, source, nil
}

// ring lets the source call the desk, which answers.
func ring(ctx context.Context, desk, source phone.Phone) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return source.Call(ctx, "desk") })
	g.Go(func() error { return desk.Talking(ctx) })
	return g.Wait()
}

func call(ctx context.Context, c *Cast) error {
	desk, source, err := c.talkers(ctx)
	if err != nil {
		return err
	}
	defer desk.Stop()
	defer source.Stop()
	if err := ring(ctx, desk, source); err != nil {
		return err
	}
	c.Did("baresip and linphonec talk for 8 s")
	pause(ctx, 8*time.Second)
	if err := source.HangUp(ctx); err != nil {
		return err
	}
	return desk.Ended(ctx)
}

func callTorKilled(ctx context.Context, c *Cast) error {
	desk, source, err := c.talkers(ctx)
	if err != nil {
		return err
	}
	defer desk.Stop()
	defer source.Stop()
	if err := ring(ctx, desk, source); err != nil {
		return err
	}
	pause(ctx, 2*time.Second)
	if err := signal(c.desk, "tor", syscall.SIGKILL); err != nil {
		return err
	}
	c.Did("tor is killed in a call; it goes nowhere else")
	pause(ctx, 5*time.Second)
	return nil
}

func sdpNames(ctx context.Context, c *Cast) error {
	if err := c.friends(ctx); err != nil {
		return err
	}
	a, err := account(ctx, c.desk)
	if err != nil {
		return err
	}
	c.Did("an INVITE whose Via, Contact and SDP name hosts")
	return c.Part("phone", deskPhone, a.User, a.Password, "source")
}

// stun is where a phone looks for a STUN server, and lan the address of the machine.
const (
	stun = "198.51.100.7:3478"
	lan  = "192.0.2.77"
)

func phoneSTUN(ctx context.Context, c *Cast) error {
	if err := c.friends(ctx); err != nil {
		return err
	}
	a, err := account(ctx, c.desk)
	if err != nil {
		return err
	}
	a.Server, a.STUN, a.Address = deskPhone, stun, netip.MustParseAddr(lan)
	p, err := phone.Baresip(context.WithoutCancel(ctx), a)
	if err != nil {
		return err
	}
	defer p.Stop()
	ctx, cancel := context.WithTimeout(ctx, 8*time.Second)
	defer cancel()
	_ = p.Call(ctx, "source") // which waits for the STUN server for long
	c.Did("baresip, set up with a STUN server, calls")
	return nil
}

func phoneNames(ctx context.Context, c *Cast) error {
	if err := c.friends(ctx); err != nil {
		return err
	}
	a, err := account(ctx, c.desk)
	if err != nil {
		return err
	}
	a.Server = "phones.example"
	p, err := phone.Baresip(context.WithoutCancel(ctx), a)
	if err != nil {
		return err
	}
	defer p.Stop()
	c.Did("baresip, whose server is a name: process %s asks for it", strconv.Itoa(p.Pid()))
	pause(ctx, 4*time.Second)
	return nil
}
