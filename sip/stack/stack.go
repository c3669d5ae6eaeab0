// The library with every way out closed.

package stack

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"nightjar/sip/gate"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// ErrGone is returned for a phone whose address or connection is not in use any more.
var ErrGone = errors.New("phone is not connected")

// ErrNoAnswer is returned when the phone said nothing in time.
var ErrNoAnswer = errors.New("phone does not answer")

// errClosed is what the library gets when it tries to reach out by itself.
var errClosed = errors.New("the SIP stack opens nothing")

// quiet sets what the library keeps in package variables: no log, and datagrams as large as
// loopback carries. It runs once, before the first use.
var quiet = sync.OnceFunc(func() {
	sip.SetDefaultLogger(slog.New(slog.DiscardHandler))
	sip.UDPMTUSize = 65000
})

// Peer is where a phone is: the address that its last request came from, never one that it
// names.
type Peer struct {
	Source    netip.AddrPort
	Transport string  // "UDP" or "TCP"
	Target    sip.Uri // what stands in the request line; it decides nothing
}

// PeerOf is the sender of a request.
func PeerOf(r *sip.Request) (Peer, bool) {
	at, err := netip.ParseAddrPort(r.MessageData.Source())
	if err != nil {
		return Peer{}, false
	}
	return Peer{Source: at, Transport: r.Transport()}, true
}

// Stack serves one door. Make it with New.
type Stack struct {
	at     netip.AddrPort
	gate   *gate.Gate
	ua     *sipgo.UserAgent
	server *sipgo.Server
	client *sipgo.Client

	mu     sync.RWMutex // held for reading while a request is handed to the library
	closed bool
}

// New makes a stack for the door at an address, behind a gate.
func New(at netip.AddrPort, g *gate.Gate) (*Stack, error) {
	quiet()
	refuse := func(string, string, syscall.RawConn) error { return errClosed }
	tcp := &sip.TransportTCP{DialerCreate: func(net.Addr) net.Dialer {
		return net.Dialer{Control: refuse}
	}}
	resolver := &net.Resolver{PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errClosed }}
	ua, err := sipgo.NewUA(
		sipgo.WithUserAgent("-"), sipgo.WithUserAgentHostname(at.Addr().String()),
		sipgo.WithUserAgentDNSResolver(resolver),
		sipgo.WithUserAgentTransactionLayerOptions(
			sip.WithTransactionLayerTerminateOnConnClose(),
			sip.WithTransactionLayerUnhandledResponseHandler(func(*sip.Response) {})),
		sipgo.WithUserAgentTransportLayerOptions(
			sip.WithTransportLayerTransports(sip.TransportsConfig{TCP: tcp})))
	if err != nil {
		return nil, errClosed
	}
	s := &Stack{at: at, gate: g, ua: ua}
	if s.server, err = sipgo.NewServer(ua); err == nil {
		s.client, err = sipgo.NewClient(ua)
	}
	if err != nil {
		return nil, errClosed
	}
	return s, nil
}

// Handle sets what answers a method; an empty method stands for all that have no handler. A
// handler must give a final response before it returns. It is called from many goroutines.
func (s *Stack) Handle(m sip.RequestMethod, f func(*sip.Request, sip.ServerTransaction)) {
	guarded := func(r *sip.Request, tx sip.ServerTransaction) {
		if !s.ours(tx) {
			tx.Terminate() // the library made a socket of its own: nothing is written to it
			return
		}
		f(r, tx)
	}
	if m == "" {
		s.server.OnNoRoute(guarded)
		return
	}
	s.server.OnRequest(m, guarded)
}

// ours reports whether a transaction answers over a socket of the door.
func (s *Stack) ours(tx sip.ServerTransaction) bool {
	own, ok := tx.(interface{ Connection() sip.Connection })
	if !ok || own.Connection() == nil {
		return false
	}
	at, err := netip.ParseAddrPort(own.Connection().LocalAddr().String())
	return err == nil && at == s.at
}

// Serve reads both sockets through the gate until they are closed, then ends the transactions.
func (s *Stack) Serve(udp net.PacketConn, tcp net.Listener) {
	var wg sync.WaitGroup
	wg.Go(func() { s.server.ServeUDP(s.gate.Packet(udp)) })
	wg.Go(func() { s.server.ServeTCP(s.gate.Listener(tcp)) })
	wg.Wait()
	s.ua.Close()
}

// Stop refuses requests of ours from now on. It comes before the sockets are closed: for a
// request to an address it has forgotten, the library would open a socket.
func (s *Stack) Stop() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
}

// Alive reports whether something can be sent to a peer without opening anything.
func (s *Stack) Alive(p Peer) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.alive(p)
}

func (s *Stack) alive(p Peer) bool {
	if s.closed {
		return false
	}
	pool := s.ua.TransportLayer().Pool(p.Transport)
	if pool == nil || !p.Source.IsValid() {
		return false
	}
	c := pool.Get(p.Source.String())
	if c == nil {
		return false
	}
	c.TryClose() // gives back what Get took
	return true
}

// Begin sends a request and returns its transaction. ErrGone if the peer is not there.
func (s *Stack) Begin(ctx context.Context, r *sip.Request, to Peer) (sip.ClientTransaction,
	error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.address(r, to); err != nil {
		return nil, err
	}
	tx, err := s.client.TransactionRequest(ctx, r, asItIs)
	if err != nil {
		return nil, ErrGone
	}
	return tx, nil
}

// Do sends a request and waits for its final response: ErrGone, ErrNoAnswer, or the error of
// ctx.
func (s *Stack) Do(ctx context.Context, r *sip.Request, to Peer) (*sip.Response, error) {
	tx, err := s.Begin(ctx, r, to)
	if err != nil {
		return nil, err
	}
	defer tx.Terminate()
	for {
		select {
		case res := <-tx.Responses():
			if !res.IsProvisional() {
				return res, nil
			}
		case <-tx.Done():
			return nil, ErrNoAnswer
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Write sends an ACK, which has no transaction.
func (s *Stack) Write(r *sip.Request, to Peer) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.address(r, to); err != nil {
		return err
	}
	if s.client.WriteRequest(r, asItIs) != nil {
		return ErrGone
	}
	return nil
}

// address fixes where a request goes, and says so in its Via.
func (s *Stack) address(r *sip.Request, to Peer) error {
	if !s.alive(to) {
		return ErrGone
	}
	r.SetTransport(to.Transport)
	r.SetDestination(to.Source.String())
	if r.Via() == nil {
		via := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0",
			Transport: to.Transport, Host: s.at.Addr().String(), Port: int(s.at.Port())}
		via.Params.Add("branch", sip.RFC3261BranchMagicCookie+Token())
		r.PrependHeader(via)
	}
	if r.Body() == nil {
		r.SetBody(nil) // writes the Content-Length
	}
	return nil
}

// asItIs keeps the library from adding headers of its own.
func asItIs(*sipgo.Client, *sip.Request) error { return nil }
