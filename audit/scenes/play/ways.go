// Scenes of the other ways out: engines that go by one, and lose it.

package play

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"time"

	"nightjar/audit/privnet/stage"
	"nightjar/audit/scenes/ground"
	"nightjar/node/bundle"
)

// ByWay ends the roles of who goes out by another way than tor.
const ByWay = " by a way"

// ways are the scenes of ways other than tor. In each something must be seen to go by the way.
func ways() []Scene {
	out := []Scene{
		{Name: "vpn-dead", Says: "the VPN's endpoint does not answer", Play: vpnDead},
		{Name: "vpn-lost", Says: "the VPN's endpoint answers no more", Play: vpnLost},
		{Name: "vpn-roams", Says: "the machine's address changes under a VPN", Play: vpnRoams},
		{Name: "tor-over-vpn", Says: "tor goes by a VPN, and loses it", Play: torOverVPN},
		{Name: "proxy-lost", Says: "the control connection of a SOCKS5 proxy is lost",
			Play: proxyLost},
		{Name: "device-gone", Says: "the interface of a way goes away", Play: deviceGone},
	}
	for i := range out {
		out[i].Must = ByWay
	}
	return out
}

// Nodes are where DHT nodes would be, of which only a way out by an interface may be seen to ask.
func Nodes() (out []netip.AddrPort) {
	for i := range byte(8) {
		out = append(out, netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100 + i, 61}), 6881))
	}
	return out
}

// goes starts somebody who goes out by a way, and returns when the way is open and the DHT has been
// asked for somebody.
func (c *Cast) goes(ctx context.Context, name, choice string) (*stage.Party, error) {
	if err := c.friends(ctx); err != nil {
		return nil, err
	}
	card, err := c.desk.Card(ctx)
	if err != nil {
		return nil, err
	}
	p, err := c.party(ctx, name)
	if err != nil {
		return nil, err
	}
	args := []string{"up", "--no-phone", "--path", choice}
	if err := p.Start(context.WithoutCancel(ctx), args...); err != nil {
		return nil, err
	}
	err = p.Wait(ctx, "its way out", func() (bool, error) {
		return true, p.Run(ctx, nil, "status")
	})
	if err != nil {
		return p, err
	}
	text, err := (&bundle.Bundle{Nodes: Nodes()}).Encode()
	if err == nil {
		err = os.WriteFile(c.file(name+".bundle"), []byte(text), 0o600)
	}
	if err == nil {
		err = p.Run(ctx, nil, "bundle", "import", c.file(name+".bundle"))
	}
	asked(ctx, p, "contact", "add", card, "desk")
	return p, err
}

// asked has an engine ask the DHT by a command for some time, where nobody may answer.
func asked(ctx context.Context, p *stage.Party, args ...string) {
	some, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	_ = p.Run(some, nil, args...)
	pause(some, 4*time.Second)
}

// vpn writes a VPN's file and returns the choice of it.
func (c *Cast) vpn(kind, name string, file []byte) (string, error) {
	at := c.file(name + ".conf")
	return kind + ":" + at, os.WriteFile(at, file, 0o600)
}

// far starts a machine that answers.
func (c *Cast) far(ctx context.Context) (*ground.Far, error) {
	return ground.StartFar(context.WithoutCancel(ctx), func(ctx context.Context,
		args ...string) *exec.Cmd {
		return c.Begin(ctx, "far", args...)
	})
}

func vpnDead(ctx context.Context, c *Cast) error {
	file, err := ground.DeadVPN()
	if err != nil {
		return err
	}
	choice, err := c.vpn("vpn", "vpn-dead", file)
	if err != nil {
		return err
	}
	p, err := c.goes(ctx, "vpn-dead", choice)
	if p != nil {
		defer p.Stop()
	}
	if err == nil {
		return errors.New("the engine says that it is out by a VPN that is silent")
	}
	c.Did("the engine says: %s", p.Log(2))
	return gone(ctx, p)
}

// overVPN goes by a VPN that works, and lets something happen to it.
func (c *Cast) overVPN(ctx context.Context, name string, happens func(*ground.Far) error) error {
	far, err := c.far(ctx)
	if err != nil {
		return err
	}
	defer far.Stop()
	choice, err := c.vpn("vpn", name, far.File)
	if err != nil {
		return err
	}
	p, err := c.goes(ctx, name, choice)
	if p != nil {
		defer p.Stop()
	}
	if err != nil {
		return err
	}
	if err := happens(far); err != nil {
		return err
	}
	asked(ctx, p, "check")
	pause(ctx, 2*time.Second)
	return nil
}

func vpnLost(ctx context.Context, c *Cast) error {
	return c.overVPN(ctx, "vpn-lost", func(far *ground.Far) error {
		far.Hang()
		c.Did("the endpoint answered, and is silent now")
		return nil
	})
}

func vpnRoams(ctx context.Context, c *Cast) error {
	err := c.overVPN(ctx, "vpn-roams", func(*ground.Far) error {
		c.Did("the machine's address changes")
		return ground.Move(ground.Address, ground.Other)
	})
	return errors.Join(err, ground.Move(ground.Other, ground.Address))
}

func torOverVPN(ctx context.Context, c *Cast) error {
	far, err := c.far(ctx)
	if err != nil {
		return err
	}
	defer far.Stop()
	choice, err := c.vpn("tor-over-vpn", "tor-over-vpn", far.File)
	if err != nil {
		return err
	}
	p, err := c.party(ctx, "tor-over-vpn")
	if err != nil {
		return err
	}
	err = p.Start(context.WithoutCancel(ctx), append([]string{"up", "--no-phone", "--path", choice},
		c.stage.By()...)...)
	if err != nil {
		return err
	}
	defer p.Stop()
	if err := until(ctx, "tor", func() bool { return below(p.Pid(), "tor") != 0 }); err != nil {
		return fmt.Errorf("%w: %s", err, p.Log(3))
	}
	pause(ctx, 4*time.Second)
	far.Cut()
	c.Did("relays could be reached directly; tor asks for them by the VPN, which then goes")
	pause(ctx, 4*time.Second)
	return nil
}

func proxyLost(ctx context.Context, c *Cast) error {
	far, err := c.far(ctx)
	if err != nil {
		return err
	}
	defer far.Stop()
	p, err := c.goes(ctx, "proxy-lost", "socks:"+ground.Proxy)
	if p != nil {
		defer p.Stop()
	}
	if err != nil {
		return err
	}
	far.Cut()
	c.Did("the proxy ends its control connections and takes no new ones")
	asked(ctx, p, "check")
	pause(ctx, 2*time.Second)
	return nil
}

func deviceGone(ctx context.Context, c *Cast) error {
	if err := ground.AddInterface(); err != nil {
		return err
	}
	p, err := c.goes(ctx, "device-gone", "device:"+ground.Interface)
	if p != nil {
		defer p.Stop()
	}
	err = errors.Join(err, ground.RemoveInterface())
	if err != nil {
		return err
	}
	c.Did("datagrams by one interface, which is removed; eth0 is there")
	asked(ctx, p, "check")
	pause(ctx, 2*time.Second)
	return nil
}
