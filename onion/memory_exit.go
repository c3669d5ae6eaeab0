// Hosts outside a network in memory, and the way to them.

package onion

import (
	"context"
	"net"

	"nightjar/onion/pipe"
)

// Host puts a host outside the network: serve gets the far end of each stream that is opened to it,
// and closes it. From now on paths of this network may leave it.
func (m *Memory) Host(host string, port uint16, serve func(net.Conn)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hosts == nil {
		m.hosts = map[memoryHost]func(net.Conn){}
	}
	m.hosts[memoryHost{host, port}] = serve
}

// memoryHost is where a host listens.
type memoryHost struct {
	name string
	port uint16
}

// Exits reports whether the network can be left: it can when there is a host outside.
func (p *memoryPath) Exits() bool {
	p.net.mu.Lock()
	defer p.net.mu.Unlock()
	return len(p.net.hosts) > 0
}

// DialHost opens a stream to a host outside, as Exit says.
func (p *memoryPath) DialHost(ctx context.Context, host string, port uint16, iso Isolation) (
	net.Conn, error) {
	switch {
	case p.closed():
		return nil, &Error{"dial", Here, ErrPathClosed}
	case !p.Exits():
		return nil, &Error{"dial", Here, ErrNoExits}
	case !isHost(host) || port == 0:
		return nil, &Error{"dial", Here, ErrRemote}
	case ctx.Err() != nil:
		return nil, &Error{"dial", Network, context.Cause(ctx)}
	case iso == "":
		iso = NewIsolation()
	}
	p.net.mu.Lock()
	serve := p.net.hosts[memoryHost{host, port}]
	if serve != nil {
		p.net.dialled[iso] = true
	}
	p.net.mu.Unlock()
	if serve == nil {
		return nil, &Error{"dial", Network, ErrNoService}
	}
	near, far := pipe.New()
	go serve(far)
	return p.keep(near)
}
