// The state of one dialog with the phone (RFC 3261 section 12).

package stack

import (
	"crypto/rand"
	"encoding/hex"
	"net/netip"
	"sync"

	"github.com/emiago/sipgo/sip"
)

// Token is 128 random bits as text: a tag, a branch, a Call-ID.
func Token() string {
	var r [16]byte
	rand.Read(r[:])
	return hex.EncodeToString(r[:])
}

// URI is the address of a name behind the door at at, as a phone can call it.
func URI(name string, at netip.AddrPort) sip.Uri {
	host := at.Addr().String()
	if at.Addr().Is6() {
		host = "[" + host + "]"
	}
	return sip.Uri{Scheme: "sip", User: name, Host: host, Port: int(at.Port())}
}

// Dialog is one dialog. Safe for several goroutines.
type Dialog struct {
	mu        sync.Mutex
	callID    string
	local     sip.Uri
	remote    sip.Uri
	localTag  string
	remoteTag string
	seq       uint32 // our last
	heard     uint32 // the phone's last
	peer      Peer
	contact   sip.Uri // ours
}

// Calling is a dialog that we begin: from name to the phone at to.
func (s *Stack) Calling(name, account string, to Peer) *Dialog {
	return &Dialog{callID: Token(), local: URI(name, s.at), remote: URI(account, s.at),
		localTag: Token(), peer: to, contact: s.contact(to)}
}

// Answering is a dialog that the phone begins with r.
func (s *Stack) Answering(r *sip.Request) (*Dialog, bool) {
	peer, ok := PeerOf(r)
	if !ok {
		return nil, false
	}
	peer.Target = TargetOf(r.Contact(), peer)
	tag, _ := r.From().Params.Get("tag")
	return &Dialog{callID: r.CallID().Value(), local: r.To().Address, remote: r.From().Address,
		localTag: Token(), remoteTag: tag, heard: r.CSeq().SeqNo, peer: peer,
		contact: s.contact(peer)}, true
}

// contact is how the phone is told to reach us: over the same transport.
func (s *Stack) contact(p Peer) sip.Uri {
	u := URI("nightjar", s.at)
	if p.Transport == "TCP" {
		u.UriParams = sip.HeaderParams{{K: "transport", V: "tcp"}}
	}
	return u
}

// TargetOf rebuilds a phone's Contact for the request line; without one the source stands in.
func TargetOf(c *sip.ContactHeader, p Peer) sip.Uri {
	plain := URI("", p.Source)
	if c == nil || c.Address.Wildcard {
		return plain
	}
	u := sip.Uri{Scheme: "sip", User: c.Address.User, Host: c.Address.Host, Port: c.Address.Port}
	if t, ok := c.Address.UriParams.Get("transport"); ok && (t == "tcp" || t == "udp") {
		u.UriParams = sip.HeaderParams{{K: "transport", V: t}}
	}
	return u
}

// Key names the dialog among all dialogs of the door.
func (d *Dialog) Key() string { return d.callID + "\x00" + d.localTag }

// KeyOf is the key of the dialog that a request belongs to, empty if it belongs to none.
func KeyOf(r *sip.Request) string {
	tag, ok := r.To().Params.Get("tag")
	if !ok || tag == "" {
		return ""
	}
	return r.CallID().Value() + "\x00" + tag
}

// Peer is where the phone of this dialog is.
func (d *Dialog) Peer() Peer {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.peer
}

// Moved takes the phone's new address; the target stays.
func (d *Dialog) Moved(p Peer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.peer.Source, d.peer.Transport = p.Source, p.Transport
}

// Admit checks the tags and the count of a request inside the dialog. It reports whether the
// request is of this dialog, and whether it comes in order (RFC 3261 section 12.2.2).
func (d *Dialog) Admit(r *sip.Request) (ours, ordered bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	tag, _ := r.From().Params.Get("tag")
	if tag != d.remoteTag {
		return false, false
	}
	n := r.CSeq().SeqNo
	if r.Method == sip.ACK {
		return true, true
	}
	if n < d.heard {
		return true, false
	}
	d.heard = n
	if peer, ok := PeerOf(r); ok && r.Method != sip.BYE {
		d.peer.Source, d.peer.Transport = peer.Source, peer.Transport
		if c := r.Contact(); c != nil && (r.Method == sip.INVITE || r.Method == sip.UPDATE) {
			d.peer.Target = TargetOf(c, peer)
		}
	}
	return true, true
}

// Confirm takes the phone's tag and target from its response to our first request.
func (d *Dialog) Confirm(r *sip.Response) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remoteTag, _ = r.To().Params.Get("tag")
	if c := r.Contact(); c != nil {
		d.peer.Target = TargetOf(c, d.peer)
	}
}

// Request makes the next request of the dialog.
func (d *Dialog) Request(m sip.RequestMethod) *sip.Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seq++
	return d.request(m, d.seq)
}

// request makes a request with a given count.
func (d *Dialog) request(m sip.RequestMethod, seq uint32) *sip.Request {
	r := sip.NewRequest(m, d.peer.Target)
	from := &sip.FromHeader{Address: d.local}
	from.Params.Add("tag", d.localTag)
	to := &sip.ToHeader{Address: d.remote}
	if d.remoteTag != "" {
		to.Params.Add("tag", d.remoteTag)
	}
	id := sip.CallIDHeader(d.callID)
	hops := sip.MaxForwardsHeader(70)
	r.AppendHeader(from)
	r.AppendHeader(to)
	r.AppendHeader(&id)
	r.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: m})
	r.AppendHeader(&hops)
	if m != sip.ACK && m != sip.BYE && m != sip.CANCEL {
		r.AppendHeader(&sip.ContactHeader{Address: d.contact})
	}
	return r
}

// Ack acknowledges the 2xx of the INVITE with the given count.
func (d *Dialog) Ack(invite *sip.Request) *sip.Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.request(sip.ACK, invite.CSeq().SeqNo)
}

// Cancel gives up an INVITE that was answered provisionally: its own branch, count and line.
func (d *Dialog) Cancel(invite *sip.Request) *sip.Request {
	r := sip.NewRequest(sip.CANCEL, invite.Recipient)
	for _, h := range invite.Headers() {
		switch h.(type) {
		case *sip.ViaHeader, *sip.FromHeader, *sip.ToHeader, *sip.CallIDHeader,
			*sip.MaxForwardsHeader:
			r.AppendHeader(sip.HeaderClone(h))
		}
	}
	r.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.CANCEL})
	return r
}

// Response makes a response to a request of the phone that begins or belongs to the dialog.
func (d *Dialog) Response(r *sip.Request, code int, phrase string) *sip.Response {
	res := Response(r, code, phrase)
	d.mu.Lock()
	defer d.mu.Unlock()
	if code > 100 {
		res.To().Params.Add("tag", d.localTag)
	}
	if code > 100 && code < 300 && r.Method != sip.BYE {
		res.AppendHeader(&sip.ContactHeader{Address: d.contact})
	}
	return res
}

// Response makes a response with a tag of our own making and nothing of ours besides.
func Response(r *sip.Request, code int, phrase string) *sip.Response {
	res := sip.NewResponseFromRequest(r, code, phrase, nil)
	if _, ok := r.To().Params.Get("tag"); !ok && code > 100 {
		res.To().Params.Add("tag", Token())
	}
	return res
}
