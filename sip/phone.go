// The door itself: its parts, its life, and which request goes where.

package sip

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"nightjar/node/talk"
	"nightjar/sip/gate"
	"nightjar/sip/sockets"
	"nightjar/sip/stack"

	sipmsg "github.com/emiago/sipgo/sip"
)

// DefaultListen is the address of the door when none is given.
const DefaultListen = "127.0.0.1:5060"

// Errors of New.
var (
	ErrNotLoopback = sockets.ErrNotLoopback
	ErrListen      = errors.New("the phone's port is not free")
	ErrAccount     = errors.New("account needs a name of a-z 0-9 - and a password of 22 letters")
)

// maxCalls is how many calls may ring or run at once.
const maxCalls = 4

// Engine is what the door needs of the node behind it. Methods are called from many goroutines.
type Engine interface {
	// Contacts lists the names that the phone can reach.
	Contacts() []string
	// Send returns nil when the text is queued safely.
	Send(ctx context.Context, contact, text string) error
	// Dial begins a call with the codecs that the phone can speak, best first. ctx ends when
	// the phone gives up ringing and also when the call is answered: the call outlives it.
	Dial(ctx context.Context, contact string, offer []talk.Codec) (talk.Call, error)
	// Online reports whether a contact can be reached now.
	Online(contact string) bool
}

// Sockets opens the door's sockets, media included. [sockets.Loopback] does it in this process.
type Sockets interface {
	Packet(at netip.AddrPort) (net.PacketConn, error)
	Stream(at netip.AddrPort) (net.Listener, error)
}

// Config is what a door is made of.
type Config struct {
	Listen   string  // loopback IP:PORT; empty: DefaultListen; port 0: a free one
	User     string  // the one account, a-z 0-9 -
	Password string  // random, at least 128 bits: 22 letters or more
	Sockets  Sockets // nil: sockets of this process
}

// Phone is the door of one identity. Make it with New, and Run it once.
type Phone struct {
	engine  Engine
	user    string
	at      netip.AddrPort
	sockets Sockets
	udp     net.PacketConn
	tcp     net.Listener
	gate    *gate.Gate
	stack   *stack.Stack

	places chan struct{} // one token per call
	crew   crew
	reg    registrar
	subs   subscriptions

	mu    sync.Mutex
	calls map[string]*call // by dialog key
}

// New opens the door's sockets: ErrNotLoopback, ErrListen or ErrAccount.
func New(cfg Config, e Engine) (*Phone, error) {
	if !regexp.MustCompile(`^[a-z0-9-]{1,32}$`).MatchString(cfg.User) ||
		!regexp.MustCompile(`^[A-Za-z0-9+/=_.~-]{22,128}$`).MatchString(cfg.Password) {
		return nil, ErrAccount
	}
	at, err := parseListen(cfg.Listen)
	if err != nil {
		return nil, err
	}
	p := &Phone{engine: e, user: cfg.User, sockets: cfg.Sockets, calls: map[string]*call{},
		places: make(chan struct{}, maxCalls), subs: newSubscriptions()}
	if p.sockets == nil {
		p.sockets = sockets.Loopback{}
	}
	if err := p.open(at); err != nil {
		return nil, err
	}
	p.gate = gate.New(cfg.User, cfg.Password)
	p.stack, err = stack.New(p.at, p.gate)
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// parseListen reads the address of the door.
func parseListen(s string) (netip.AddrPort, error) {
	if s == "" {
		s = DefaultListen
	}
	at, err := netip.ParseAddrPort(s)
	if err != nil || !at.Addr().IsLoopback() || at.Addr().Zone() != "" {
		return netip.AddrPort{}, ErrNotLoopback
	}
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), nil
}

// CheckListen returns ErrNotLoopback for an address that New would refuse, and ErrListen if
// somebody has its port now.
func CheckListen(listen string) error {
	at, err := parseListen(listen)
	if err != nil {
		return err
	}
	p := &Phone{sockets: sockets.Loopback{}}
	if err := p.open(at); err != nil {
		return err
	}
	p.close()
	return nil
}

// open binds UDP and TCP to the same port.
func (p *Phone) open(at netip.AddrPort) error {
	for range 8 {
		udp, err := p.sockets.Packet(at)
		if err != nil {
			return ErrListen
		}
		port := at.Port()
		if a, ok := udp.LocalAddr().(*net.UDPAddr); ok {
			port = a.AddrPort().Port()
		}
		p.at = netip.AddrPortFrom(at.Addr(), port)
		tcp, err := p.sockets.Stream(p.at)
		if err == nil {
			p.udp, p.tcp = udp, tcp
			return nil
		}
		udp.Close()
		if at.Port() != 0 {
			break
		}
	}
	return ErrListen
}

// close closes the listening sockets.
func (p *Phone) close() {
	p.udp.Close()
	p.tcp.Close()
}

// Addr is where the door listens, UDP and TCP.
func (p *Phone) Addr() netip.AddrPort { return p.at }

// Registered reports whether a phone is registered now.
func (p *Phone) Registered() bool {
	_, ok := p.bound()
	return ok
}

// Run serves the phone until ctx ends. It hangs up what is left, closes the sockets, and
// returns when every goroutine has ended.
func (p *Phone) Run(ctx context.Context) error {
	calls, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	p.route(calls)
	var wg sync.WaitGroup
	wg.Go(func() { p.stack.Serve(p.udp, p.tcp) })
	wg.Go(func() { p.watch(ctx) })
	<-ctx.Done()
	hangUp()
	p.crew.dismiss(byeTime + time.Second)
	p.stack.Stop()
	p.gate.Shut()
	<-time.After(gate.Linger)
	p.close()
	wg.Wait()
	p.crew.wait()
	return nil
}

// route says who answers what. ctx ends when calls have to.
func (p *Phone) route(ctx context.Context) {
	on := func(m sipmsg.RequestMethod,
		f func(context.Context, *sipmsg.Request, sipmsg.ServerTransaction)) {
		p.stack.Handle(m, func(r *sipmsg.Request, tx sipmsg.ServerTransaction) {
			if !p.crew.join() {
				tx.Respond(stack.Response(r, 503, "Service Unavailable"))
				return
			}
			defer p.crew.leave()
			if stack.KeyOf(r) != "" {
				p.inside(ctx, r, tx)
				return
			}
			f(ctx, r, tx)
		})
	}
	on(sipmsg.REGISTER, p.register)
	on(sipmsg.INVITE, p.outgoing)
	on(sipmsg.MESSAGE, p.message)
	on(sipmsg.SUBSCRIBE, p.subscribe)
	on(sipmsg.PUBLISH, p.publish)
	on(sipmsg.OPTIONS, p.options)
	on(sipmsg.REFER, p.refer)
	on(sipmsg.ACK, func(context.Context, *sipmsg.Request, sipmsg.ServerTransaction) {})
	for _, m := range []sipmsg.RequestMethod{sipmsg.BYE, sipmsg.CANCEL, sipmsg.INFO,
		sipmsg.UPDATE, sipmsg.NOTIFY} {
		on(m, p.stray)
	}
	on("", p.unknown)
}

// contact finds the contact that a phone dialed; names are lower case, phones may not be.
func (p *Phone) contact(u sipmsg.Uri) (string, bool) {
	name := strings.ToLower(u.User)
	return name, slices.Contains(p.engine.Contacts(), name)
}

// crew counts the goroutines of the library that work for us, so that Run can wait for them.
type crew struct {
	mu   sync.Mutex
	n    int
	over bool
	idle chan struct{} // closed when over and nobody is left
}

// join reports false once the door closes.
func (c *crew) join() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false
	}
	c.n++
	return true
}

func (c *crew) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n--; c.n == 0 && c.over {
		close(c.idle)
	}
}

// dismiss lets nobody join any more and gives those at work some time to end.
func (c *crew) dismiss(d time.Duration) {
	c.mu.Lock()
	c.over, c.idle = true, make(chan struct{})
	if c.n == 0 {
		close(c.idle)
	}
	c.mu.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-c.idle:
	case <-t.C:
	}
}

// wait returns when all have ended.
func (c *crew) wait() { <-c.idle }
