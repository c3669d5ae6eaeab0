// What happens to one message between the socket and the stack.

package gate

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Gate is the one way in for one account. Make it with New; it has no goroutine of its own.
type Gate struct {
	keys    *keyring
	senders *senders
	parser  *sip.Parser
	tagKey  [32]byte
	shut    atomic.Bool
}

// Linger is how long a socket that ends is still shown to the stack as open, so that messages
// it has just read find their way back. In that time nothing more passes.
const Linger = 100 * time.Millisecond

// New makes a gate for one account. The password is compared by digest only.
func New(user, password string) *Gate {
	g := &Gate{keys: newKeyring(user, password), senders: newSenders(), parser: sip.NewParser()}
	rand.Read(g.tagKey[:])
	return g
}

// Shut lets nothing pass any more. The sockets are closed a Linger later.
func (g *Gate) Shut() { g.shut.Store(true) }

// Known reports whether the sender at from has given the right password lately.
func (g *Gate) Known(from netip.AddrPort) bool { return g.senders.known(from, time.Now()) }

// sender is where a message came from and how.
type sender struct {
	at     netip.AddrPort
	stream bool // over a connection: nothing is sent twice
}

// pass looks at one whole message. It returns what the stack may see, and what is answered at
// once; both may be nil, then the message is dropped.
func (g *Gate) pass(raw []byte, from sender) (in, reply []byte) {
	now := time.Now()
	if g.shut.Load() || !g.senders.admit(from.at, now) || len(raw) > MaxMessage {
		return nil, nil
	}
	head, _, ok := split(raw)
	if !ok || !lexical(head) {
		return nil, nil
	}
	msg, used, err := g.parser.Parse(raw, from.stream)
	if m, ok := msg.(*sip.Request); ok && m != nil {
		m.SetSource(from.at.String())
		if err == io.ErrUnexpectedEOF || err == sip.ErrParseReadBodyIncomplete {
			return nil, g.refuse(m, badRequest)
		}
		if err == nil {
			return g.request(m, raw[:used], from, now)
		}
	}
	if m, ok := msg.(*sip.Response); ok && m != nil && err == nil && checkResponse(m) &&
		g.senders.known(from.at, now) {
		return g.settle(trimResponse(m)), nil
	}
	return nil, nil
}

// settle returns a trimmed message if reading and trimming it once more changes nothing, else
// nil: what the stack reads is then exactly what was judged.
func (g *Gate) settle(in []byte) []byte {
	msg, used, err := g.parser.Parse(in, true)
	if err != nil || used != len(in) {
		return nil
	}
	again := []byte(nil)
	switch m := msg.(type) {
	case *sip.Request:
		if checkRequest(m).code == 0 {
			again = trimRequest(m)
		}
	case *sip.Response:
		if checkResponse(m) {
			again = trimResponse(m)
		}
	}
	if !bytes.Equal(in, again) {
		return nil
	}
	return in
}

// request judges a parsed request.
func (g *Gate) request(r *sip.Request, raw []byte, from sender, now time.Time) (in, reply []byte) {
	if f := checkRequest(r); f.code != 0 {
		return nil, g.refuse(r, f)
	}
	known := g.senders.known(from.at, now)
	switch {
	case r.Method == sip.ACK || r.Method == sip.CANCEL:
		if !known { // of a challenge, or of a stranger: the stack has no transaction for it
			return nil, nil
		}
		return g.settle(trimRequest(r)), nil
	case r.Method == sip.BYE && known:
		return g.settle(trimRequest(r)), nil // hanging up must never fail
	}
	verdict := g.keys.judge(credentials(r), r.Method, requestURI(raw), sha256.Sum256(raw),
		!from.stream, now)
	switch {
	case verdict == right:
		g.senders.learn(from.at, now)
		return g.settle(trimRequest(r)), nil
	case verdict == wrong && !g.senders.mayGuess(from.at, now):
		return nil, g.refuse(r, fault{403, "Forbidden", "", ""})
	}
	return nil, g.refuse(r, g.challenge(r.Method, verdict == stale, now))
}

// challenge asks for the password: 401 as a registrar, 407 otherwise.
func (g *Gate) challenge(m sip.RequestMethod, isStale bool, now time.Time) fault {
	value := g.keys.challenge(now, isStale)
	if m == sip.REGISTER {
		return fault{401, "Unauthorized", "WWW-Authenticate", value}
	}
	return fault{407, "Proxy Authentication Required", "Proxy-Authenticate", value}
}

// refuse writes the answer to a request that goes no further. An ACK is never answered, nor a
// request too broken to be named in an answer.
func (g *Gate) refuse(r *sip.Request, f fault) []byte {
	if r.Method == sip.ACK || r.Via() == nil || r.CSeq() == nil || r.CallID() == nil ||
		r.From() == nil || r.To() == nil {
		return nil
	}
	r.SipVersion = "SIP/2.0"
	for r.RemoveHeader("Record-Route") {
	}
	if to := r.To(); !to.Params.Has("tag") {
		to.Params.Add("tag", g.tag(r))
	}
	res := sip.NewResponseFromRequest(r, f.code, f.phrase, nil)
	if f.header != "" {
		res.AppendHeader(sip.NewHeader(f.header, f.value))
	}
	reply := []byte(res.String())
	if _, used, err := g.parser.Parse(reply, true); err != nil || used != len(reply) {
		return nil
	}
	return reply
}

// tag is the same for every retransmission of a request, though we remember none of them
// (RFC 3261 section 8.2.7).
func (g *Gate) tag(r *sip.Request) string {
	mac := hmac.New(sha256.New, g.tagKey[:])
	branch, _ := r.Via().Params.Get("branch")
	mac.Write([]byte(r.CallID().Value() + "\x00" + branch))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// credentials are the values of both authorization headers: phones mix them up.
func credentials(r *sip.Request) []string {
	var values []string
	for _, name := range []string{"authorization", "proxy-authorization"} {
		for _, h := range r.GetHeaders(name) {
			values = append(values, h.Value())
		}
	}
	return values
}

// requestURI is the second word of the start line, as the phone wrote and hashed it.
func requestURI(raw []byte) string {
	line, _, _ := bytes.Cut(raw, []byte("\r\n"))
	words := bytes.Split(line, []byte(" "))
	if len(words) != 3 {
		return ""
	}
	return string(words[1])
}
