// Names, asked for inside the VPN and nowhere else.

package wg

import (
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	dnsPort  = 53
	dnsTime  = 3 * time.Second // for one server to answer one question
	dnsMost  = 4096            // bytes of an answer
	dnsTries = 2
)

// Lookup returns the addresses of a name, as the VPN's own DNS servers tell. Without such servers,
// and when none of them answers or knows the name, the error is ErrName.
func (v *VPN) Lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	name, err := dnsmessage.NewName(host + ".")
	if err != nil || host == "" {
		return nil, ErrName
	}
	kinds := []dnsmessage.Type{dnsmessage.TypeA}
	if v.host.v6.IsValid() {
		kinds = append(kinds, dnsmessage.TypeAAAA)
	}
	var found []netip.Addr
	for _, kind := range kinds {
		q := dnsmessage.Question{Name: name, Type: kind, Class: dnsmessage.ClassINET}
		found = append(found, v.ask(ctx, q)...)
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case len(found) == 0:
		return nil, ErrName
	}
	return found, nil
}

// ask asks the servers one after the other, until one answers.
func (v *VPN) ask(ctx context.Context, q dnsmessage.Question) []netip.Addr {
	for range dnsTries {
		for _, server := range v.conf.Servers {
			to := netip.AddrPortFrom(server, dnsPort)
			for _, stream := range []bool{false, true} {
				found, answered, cut := v.exchange(ctx, to, q, stream)
				if answered && !cut {
					return found
				}
				if !cut {
					break // over TCP only what was too long for a datagram
				}
			}
		}
	}
	return nil
}

// exchange asks one server once.
func (v *VPN) exchange(ctx context.Context, to netip.AddrPort, q dnsmessage.Question, stream bool,
) (found []netip.Addr, answered, cut bool) {
	id := uint16(rand.Uint32())
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{q}}
	question, err := m.Pack()
	if err != nil {
		return nil, false, false
	}
	ctx, cancel := context.WithTimeout(ctx, dnsTime)
	defer cancel()
	carry := v.byDatagram
	if stream {
		carry = v.byStream
	}
	answer, err := carry(ctx, to, question)
	if err != nil {
		return nil, false, false
	}
	return readAnswer(answer, id, q)
}

// byDatagram sends a question, and returns the first datagram of the server.
func (v *VPN) byDatagram(ctx context.Context, to netip.AddrPort, question []byte) ([]byte, error) {
	c, err := v.ListenPacket(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })()
	if _, err := c.WriteTo(question, net.UDPAddrFromAddrPort(to)); err != nil {
		return nil, err
	}
	b := make([]byte, dnsMost)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return nil, err
		}
		if a, ok := from.(*net.UDPAddr); ok && a.AddrPort() == to && n >= 2 &&
			b[0] == question[0] && b[1] == question[1] {
			return b[:n], nil
		}
	}
}

// byStream asks over TCP (RFC 7766): each message is preceded by its length in two bytes.
func (v *VPN) byStream(ctx context.Context, to netip.AddrPort, question []byte) ([]byte, error) {
	c, err := v.DialAddr(ctx, to)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })()
	b := binary.BigEndian.AppendUint16(nil, uint16(len(question)))
	if _, err := c.Write(append(b, question...)); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(c, b); err != nil {
		return nil, err
	}
	answer := make([]byte, binary.BigEndian.Uint16(b))
	_, err = io.ReadFull(c, answer)
	return answer, err
}

// readAnswer returns the addresses in an answer to question q. A message that is no answer to it
// counts as none; cut means that the rest did not fit.
func readAnswer(b []byte, id uint16, q dnsmessage.Question) (found []netip.Addr, ok, cut bool) {
	var p dnsmessage.Parser
	h, err := p.Start(b)
	if err != nil || h.ID != id || !h.Response {
		return nil, false, false
	}
	asked, err := p.Question()
	if err != nil || asked != q || p.SkipAllQuestions() != nil {
		return nil, false, false
	}
	for range 64 {
		r, err := p.Answer()
		if err != nil {
			break
		}
		switch body := r.Body.(type) {
		case *dnsmessage.AResource:
			found = append(found, netip.AddrFrom4(body.A))
		case *dnsmessage.AAAAResource:
			found = append(found, netip.AddrFrom16(body.AAAA).Unmap())
		}
	}
	known := h.RCode == dnsmessage.RCodeSuccess || h.RCode == dnsmessage.RCodeNameError
	return found, known, h.Truncated
}
