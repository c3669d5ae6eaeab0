// A SIP phone that does as it is told, over sockets in memory. Its headers are full of what
// real phones tell of their owners.

package sip

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing/synctest"

	sipmsg "github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// canaries are marks of the phone's owner that must not reach the other side.
var canaries = []string{"192.168.77.23", "fd00:77::23", "c0a84d17", "whistle-laptop", "0x55f3",
	"baresip", "x86_64", "8097fea7-47d3", "Talk-of-alice", "canary", "call-alice", "Subject",
	"Organization", "Server", "User-Agent"}

// handset is the phone.
type handset struct {
	w       *world
	user    string
	pass    string
	at      netip.AddrPort
	door    netip.AddrPort
	stream  net.Conn // nil: UDP
	packet  net.PacketConn
	contact string
	host    string // what its Via says
	marks   string // headers that tell of its owner; alice's phone only

	mu        sync.Mutex
	n         int
	responses map[string]chan *sipmsg.Response // by branch
	got       []*sipmsg.Request                // requests of the door
	raw       [][]byte                         // everything the door sent
	answer    func(r *sipmsg.Request)          // nil: 200 to everything
	done      chan struct{}
}

// phoneAt makes a handset with a UDP socket.
func (w *world) phoneAt(user, at, door string) *handset {
	h := w.handset(user, at, door)
	c, err := w.net.Packet(h.at)
	if err != nil {
		w.t.Fatal(err)
	}
	h.packet = c
	go func() {
		defer close(h.done)
		buf := make([]byte, 65536)
		for {
			n, _, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			h.take(bytes.Clone(buf[:n]))
		}
	}()
	return h
}

// phoneOver makes a handset with a TCP connection.
func (w *world) phoneOver(user, door string) *handset {
	h := w.handset(user, "127.0.0.1:0", door)
	c, err := w.net.Dial(netip.MustParseAddr("127.0.0.1"), h.door)
	if err != nil {
		w.t.Fatal(err)
	}
	h.stream, h.at = c, netip.MustParseAddrPort(c.LocalAddr().String())
	h.contact = strings.Replace(h.contact, ">", ";transport=tcp>", 1)
	go func() {
		defer close(h.done)
		p := sipmsg.NewParser().NewSIPStream()
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			p.ParseSIPStream(buf[:n], func(m sipmsg.Message) { h.take([]byte(m.String())) })
		}
	}()
	return h
}

func (w *world) handset(user, at, door string) *handset {
	h := &handset{w: w, user: user, pass: password, at: addr(at), door: addr(door),
		contact: "<sip:bob-1@127.0.0.1:5070>", host: "127.0.0.1",
		responses: map[string]chan *sipmsg.Response{}, done: make(chan struct{})}
	if user == "alice" {
		h.contact, h.host = "<sip:alice-0x55f3@192.168.77.23:5070>", "192.168.77.23"
		h.marks = "User-Agent: baresip v1.0.0 (x86_64/linux)\r\nServer: baresip\r\n" +
			"Subject: canary\r\nOrganization: whistle-laptop\r\n"
	}
	return h
}

// off closes the phone's sockets, as a crash would.
func (h *handset) off() {
	if h.stream != nil {
		h.stream.Close()
	} else {
		h.packet.Close()
	}
	<-h.done
}

func (h *handset) write(b []byte) {
	if h.stream != nil {
		h.stream.Write(b)
		return
	}
	h.packet.WriteTo(b, net.UDPAddrFromAddrPort(h.door))
}

// take sorts what comes.
func (h *handset) take(raw []byte) {
	h.mu.Lock()
	h.raw = append(h.raw, raw)
	h.mu.Unlock()
	m, err := sipmsg.ParseMessage(raw)
	if err != nil {
		return
	}
	switch m := m.(type) {
	case *sipmsg.Response:
		branch, _ := m.Via().Params.Get("branch")
		h.mu.Lock()
		c := h.responses[branch]
		h.mu.Unlock()
		if c != nil {
			select {
			case c <- m:
			default:
			}
		}
	case *sipmsg.Request:
		h.mu.Lock()
		h.got = append(h.got, m)
		f := h.answer
		h.mu.Unlock()
		if f != nil {
			f(m)
		} else if m.Method != sipmsg.ACK {
			h.reply(m, 200, "", nil)
		}
	}
}

// script sets what the phone does with requests.
func (h *handset) script(f func(r *sipmsg.Request)) {
	h.mu.Lock()
	h.answer = f
	h.mu.Unlock()
}

// requests returns what the door asked with one method.
func (h *handset) requests(m sipmsg.RequestMethod) []*sipmsg.Request {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []*sipmsg.Request
	for _, r := range h.got {
		if r.Method == m {
			list = append(list, r)
		}
	}
	return list
}

// reply answers a request of the door.
func (h *handset) reply(r *sipmsg.Request, code int, extra string, body []byte) {
	to := r.To().Value()
	if !strings.Contains(to, "tag=") {
		to += ";tag=" + h.user
	}
	kind := ""
	if body != nil {
		kind = "Content-Type: application/sdp\r\n"
	}
	h.write([]byte(fmt.Sprintf("SIP/2.0 %d phrase\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\n"+
		"Call-ID: %s\r\nCSeq: %s\r\nContact: %s\r\n"+
		"%s%s%sContent-Length: %d\r\n\r\n%s", code, r.Via().Value(), r.From().Value(), to,
		r.CallID().Value(), r.CSeq().Value(), h.contact, h.marks, extra, kind, len(body), body)))
}

// ask is a request of the phone and all that came back.
type ask struct {
	h       *handset
	method  string
	uri     string
	branch  string
	callID  string
	from    string
	to      string
	seq     int
	extra   string
	body    string
	answers chan *sipmsg.Response
}

// begin prepares a request outside any dialog.
func (h *handset) begin(method, uri string) *ask {
	h.n++
	return &ask{h: h, method: method, uri: uri, callID: fmt.Sprintf("call-%s-%d-%d", h.user, h.at.Port(), h.n),
		from: fmt.Sprintf("<sip:%s@127.0.0.1>;tag=f%d", h.user, h.n), to: "<" + uri + ">", seq: 1}
}

// text is the request on the wire, with the given authorization.
func (a *ask) text(auth string) []byte {
	proto := "UDP"
	if a.h.stream != nil {
		proto = "TCP"
	}
	return []byte(fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s:5070;branch=%s;rport\r\n"+
		"From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nMax-Forwards: 70\r\nContact: %s"+
		";+sip.instance=\"<urn:uuid:8097fea7-47d3>\"\r\n%s%s%sContent-Length: %d\r\n\r\n%s",
		a.method, a.uri, proto, a.h.host, a.branch, a.from, a.to, a.callID, a.seq, a.method,
		a.h.contact,
		a.h.marks, auth, a.extra, len(a.body), a.body))
}

// send sends the request anew under a new branch.
func (a *ask) send(auth string) {
	a.h.n++
	a.branch = fmt.Sprintf("z9hG4bK%s%d", a.h.user, a.h.n)
	a.answers = make(chan *sipmsg.Response, 16)
	a.h.mu.Lock()
	a.h.responses[a.branch] = a.answers
	a.h.mu.Unlock()
	a.h.write(a.text(auth))
}

// final waits for a response of 200 or more.
func (a *ask) final() *sipmsg.Response {
	for r := range a.answers {
		if r.StatusCode >= 200 {
			return r
		}
	}
	return nil
}

// open sends the request and, if challenged, again with the password. The caller waits for the
// answers.
func (a *ask) open() {
	a.send("")
	r := <-a.answers
	if r.StatusCode != 401 && r.StatusCode != 407 {
		a.answers <- r
		return
	}
	auth := a.sign(r)
	if a.method == "INVITE" {
		a.ack(r)
	}
	a.seq++
	a.send(auth)
}

// sign makes the authorization header that answers a challenge.
func (a *ask) sign(r *sipmsg.Response) string {
	name, header := "WWW-Authenticate", "Authorization"
	if r.StatusCode == 407 {
		name, header = "Proxy-Authenticate", "Proxy-Authorization"
	}
	c, err := digest.ParseChallenge(r.GetHeader(name).Value())
	if err != nil {
		a.h.w.t.Error(err)
		return ""
	}
	cred, err := digest.Digest(c, digest.Options{Method: a.method, URI: a.uri,
		Username: a.h.user, Password: a.h.pass, Cnonce: "canary", Count: 1})
	if err != nil {
		a.h.w.t.Error(err)
		return ""
	}
	return header + ": " + cred.String() + "\r\n"
}

// do sends the request with the password and returns the final answer.
func (a *ask) do() *sipmsg.Response {
	a.open()
	return a.final()
}

// ack acknowledges a final answer: within the transaction if it is a refusal.
func (a *ask) ack(r *sipmsg.Response) {
	b := *a
	b.method, b.extra, b.body, b.to = "ACK", "", "", r.To().Value()
	if r.StatusCode < 300 {
		a.h.n++
		b.branch = fmt.Sprintf("z9hG4bKack%s%d", a.h.user, a.h.n)
	}
	a.h.write(b.text(""))
}

// within prepares a request inside the dialog that a began.
func (a *ask) within(method string, r *sipmsg.Response) *ask {
	b := *a
	b.method, b.to, b.seq, b.extra, b.body = method, r.To().Value(), a.seq+1, "", ""
	if c := r.Contact(); c != nil {
		b.uri = c.Address.String()
	}
	return &b
}

// register registers the phone for five minutes.
func (h *handset) register() *sipmsg.Response {
	a := h.begin("REGISTER", "sip:"+h.door.String())
	a.to = fmt.Sprintf("<sip:%s@%s>", h.user, h.door)
	a.extra = "Expires: 300\r\n"
	return a.do()
}

// invite prepares a call to a contact.
func (h *handset) invite(name string, sdp string) *ask {
	a := h.begin("INVITE", "sip:"+name+"@"+h.door.String())
	if sdp != "" {
		a.extra, a.body = "Content-Type: application/sdp\r\n", sdp
	}
	return a
}

// sdp describes a session as a phone would that has much to tell.
func sdp(port int, lines ...string) string {
	return strings.Join(append([]string{"v=0", "o=Talk-of-alice 1 1 IN IP4 192.168.77.23", "s=canary",
		"c=IN IP4 192.168.77.23", "t=0 0", "a=tool:baresip 1.0.0",
		fmt.Sprintf("m=audio %d RTP/AVP 8 0 101", port), "a=rtpmap:101 telephone-event/8000",
		"a=candidate:c0a84d17 1 UDP 1 fd00:77::23 4000 typ host"}, lines...), "\r\n") + "\r\n"
}

// leaks returns the canaries that are in anything the door sent to this phone.
func (h *handset) leaks() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []string
	for _, c := range canaries {
		if slices.ContainsFunc(h.raw, func(b []byte) bool { return bytes.Contains(b, []byte(c)) }) {
			found = append(found, c)
		}
	}
	return found
}
