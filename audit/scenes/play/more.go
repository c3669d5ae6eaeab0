// Scenes of what the machine, its network and others around it are like.

package play

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"nightjar/audit/privnet/stage"
	"nightjar/audit/scenes/ground"
	"nightjar/audit/watch/held"
)

// around are these scenes.
func around() []Scene {
	return []Scene{
		{Name: "guard-lost", Says: "the relay by which tor enters is gone", OwnTor: true,
			Play: guardLost},
		{Name: "together", Says: "three identities of one vault are opened at once",
			Play: together},
		{Name: "exit-relays", Says: "a relay outside of tor may be asked, by its name",
			OwnTor: true, Play: exitRelays},
		{Name: "gateway-serves", Says: "a gateway is a node of the DHT for everybody",
			Play: gatewayServes},
		{Name: "local-resolver", Says: "a name service listens at 127.0.0.53", Play: localResolver},
		{Name: "ipv6-changes", Says: "the machine's address of IPv6 changes", Play: ipv6Changes},
	}
}

// entry is the process of the relay by which a party's tor enters.
func entry(p *stage.Party) (int, error) {
	tor := below(p.Pid(), "tor")
	if tor == 0 {
		return 0, errors.New(p.Name + " has no tor")
	}
	for _, at := range held.Peers(tor) {
		if pid := held.Listener(at); pid != 0 && pid != os.Getpid() {
			return pid, nil
		}
	}
	return 0, errors.New("tor has entered nowhere")
}

func guardLost(ctx context.Context, c *Cast) error {
	if err := c.friends(ctx); err != nil {
		return err
	}
	pid, err := entry(c.desk)
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	defer func() { _ = syscall.Kill(pid, syscall.SIGCONT) }()
	_ = c.desk.Run(ctx, nil, "send", "source", "is anybody there?")
	c.Did("one relay says nothing any more; the others are there")
	pause(ctx, 10*time.Second)
	return nil
}

func together(ctx context.Context, c *Cast) error {
	first, err := c.party(ctx, "monday")
	if err != nil {
		return err
	}
	all := []*stage.Party{first}
	for _, name := range []string{"tuesday", "wednesday"} {
		p, err := c.stage.Another(ctx, first, name)
		if err != nil {
			return err
		}
		c.all = append(c.all, p)
		all = append(all, p)
	}
	g, opening := errgroup.WithContext(ctx)
	for _, p := range all {
		defer p.Stop()
		g.Go(func() error { return c.up(opening, p) })
	}
	c.Did("%d engines of one home, each with its own tor", len(all))
	return g.Wait()
}

// authority writes the certificate of an authority that nobody's is of.
func authority(file string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return os.WriteFile(file, text, 0o600)
}

// silent is a port of loopback that takes connections and says nothing.
func silent() (at netip.AddrPort, shut func(), err error) {
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return at, nil, err
	}
	return l.Addr().(*net.TCPAddr).AddrPort(), func() { _ = l.Close() }, nil
}

func exitRelays(ctx context.Context, c *Cast) error {
	const name = "relay.leak.example"
	roots := c.file("roots.pem")
	if err := authority(roots); err != nil {
		return err
	}
	if err := c.friends(ctx); err != nil {
		return err
	}
	card, err := c.desk.Card(ctx)
	if err != nil {
		return err
	}
	p, err := c.party(ctx, "asks-outside")
	if err != nil {
		return err
	}
	defer p.Stop()
	if err := c.up(ctx, p, "--exit-relays", "--relay-roots", roots); err != nil {
		return err
	}
	at, shut, err := silent()
	if err != nil {
		return err
	}
	defer shut()
	url := fmt.Sprintf("https://%s:%d", name, at.Port())
	if err := p.Run(ctx, nil, "relay", "add", url); err != nil {
		return err
	}
	asked(ctx, p, "contact", "add", card, "desk")
	c.Did("the name is asked for by the exit, at the other end of a circuit, and nowhere else")
	return until(ctx, "the exit to ask for the name", func() bool {
		return slices.Contains(c.stage.Tor.Asked(), name)
	})
}

func gatewayServes(ctx context.Context, c *Cast) error {
	p, err := c.party(ctx, "serves")
	if err != nil {
		return err
	}
	defer p.Stop()
	_, err = c.stage.Lend(context.WithoutCancel(ctx), p, lendsToo, "--serve-dht", servesAt)
	c.Did("a node of the DHT at %s, asked and asking", servesAt)
	pause(ctx, 5*time.Second)
	return err
}

func localResolver(ctx context.Context, c *Cast) error {
	serving, stop := context.WithCancel(ctx)
	defer stop()
	names := c.Begin(serving, "resolver")
	if err := names.Start(); err != nil {
		return err
	}
	defer func() { stop(); _ = names.Wait() }()
	err := until(ctx, "the name service", func() bool {
		return held.Listener(held.NameService()) != 0
	})
	if err != nil {
		return err
	}
	p, err := c.party(ctx, "beside-resolver")
	if err != nil {
		return err
	}
	defer p.Stop()
	if err := c.begin(ctx, p, "--sip", phoneOfOne); err != nil {
		return err
	}
	if err := p.Reachable(ctx); err != nil {
		return err
	}
	c.Did("an engine with a door for phones, and a relay that has a name: nobody asks for it")
	_ = p.Run(ctx, nil, "relay", "add", "https://relay.leak.example")
	return p.Run(ctx, nil, "check")
}

func ipv6Changes(ctx context.Context, c *Cast) error {
	if !ground.HasIPv6() {
		return errors.New("this kernel has no IPv6: the scene would prove nothing")
	}
	if err := c.friends(ctx); err != nil {
		return err
	}
	for i := range 3 {
		if err := ground.IP(fmt.Sprintf("-6 addr add 2001:db8::%d:77/64 dev eth0 nodad "+
			"preferred_lft %d valid_lft 60", i+1, 30+i)); err != nil {
			return err
		}
		pause(ctx, time.Second)
		if err := ground.IP(fmt.Sprintf("-6 addr del 2001:db8::%d:77/64 dev eth0",
			i+1)); err != nil {
			return err
		}
	}
	c.Did("three temporary addresses come and go")
	return c.say(ctx, "still here")
}
