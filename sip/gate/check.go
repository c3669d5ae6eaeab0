// The rules of RFC 3261 that a parser leaves to its user. Pure.

package gate

import (
	"bytes"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Limits of one message, in bytes and counts.
const (
	MaxMessage = 24 << 10 // a whole message
	maxHead    = 16 << 10 // start line and headers
	maxLine    = 4 << 10  // one header
	maxHeaders = 64
	maxURI     = 512
)

// Methods lists what a phone may ask for, as the Allow header says it.
const Methods = "INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, SUBSCRIBE, NOTIFY, PUBLISH, " +
	"INFO, UPDATE, REFER"

// fault is a status code with its constant phrase; code 0 is no fault.
type fault struct {
	code   int
	phrase string
	header string // name of a header that explains it, or empty
	value  string
}

// The faults of a request, by what is wrong.
var (
	badRequest  = fault{400, "Bad Request", "", ""}
	notAllowed  = fault{405, "Method Not Allowed", "Allow", Methods}
	badScheme   = fault{416, "Unsupported URI Scheme", "", ""}
	tooManyHops = fault{483, "Too Many Hops", "", ""}
	badVersion  = fault{505, "Version Not Supported", "", ""}
)

// lexical reports whether the head of a message is made of plain lines: no control bytes, no
// line too long.
func lexical(head []byte) bool {
	if len(head) > maxHead {
		return false
	}
	lines := bytes.Split(head, []byte("\r\n"))
	if len(lines) > 2*maxHeaders {
		return false
	}
	for _, line := range lines {
		if len(line) > maxLine {
			return false
		}
		for _, c := range line {
			if c < ' ' && c != '\t' || c == 0x7F {
				return false
			}
		}
	}
	return true
}

// split parts a message into its head (with the empty line) and the rest.
func split(raw []byte) (head, body []byte, ok bool) {
	i := bytes.Index(raw, []byte("\r\n\r\n"))
	if i < 0 {
		return nil, nil, false
	}
	return raw[:i+4], raw[i+4:], true
}

// count is how often a header occurs, by its full name in lower case.
func count(h []sip.Header, name string) int {
	n := 0
	for _, x := range h {
		if fullName(x.Name()) == name {
			n++
		}
	}
	return n
}

// checkRequest returns what is wrong with a parsed request.
func checkRequest(r *sip.Request) fault {
	if r.SipVersion != "SIP/2.0" {
		return badVersion
	}
	if f := checkFrame(r, r.Headers()); f.code != 0 {
		return f
	}
	if s := strings.ToLower(r.Recipient.Scheme); s != "sip" {
		return badScheme
	}
	uri := r.Recipient.String()
	if len(uri) > maxURI || len(r.Recipient.Headers) > 0 || r.Recipient.Host == "" {
		return badRequest
	}
	if r.CSeq().MethodName != r.Method {
		return badRequest
	}
	if m := r.MaxForwards(); m != nil && m.Val() == 0 && r.Method != sip.OPTIONS {
		return tooManyHops
	} else if m != nil && m.Val() > 255 {
		return badRequest
	}
	if !slices.Contains(strings.Split(Methods+", REGISTER", ", "), string(r.Method)) {
		return notAllowed
	}
	if f := checkNames(r); f.code != 0 {
		return f
	}
	return checkRequire(r)
}

// checkFrame holds what every message needs to be answered at all.
func checkFrame(m sip.Message, h []sip.Header) fault {
	if len(h) > maxHeaders {
		return badRequest
	}
	for _, name := range []string{"from", "to", "call-id", "cseq"} {
		if count(h, name) != 1 {
			return badRequest
		}
	}
	for _, name := range []string{"max-forwards", "content-length", "content-type", "expires",
		"event"} {
		if count(h, name) > 1 {
			return badRequest
		}
	}
	via, from, to := m.Via(), m.From(), m.To()
	if via == nil || from == nil || to == nil || m.CallID() == nil || m.CSeq() == nil {
		return badRequest
	}
	branch, _ := via.Params.Get("branch")
	if !strings.HasPrefix(branch, sip.RFC3261BranchMagicCookie) || len(branch) < 8 ||
		len(branch) > 256 || via.Host == "" {
		return badRequest
	}
	if tag, ok := from.Params.Get("tag"); !ok || tag == "" || len(tag) > 256 {
		return badRequest
	}
	if len(m.CallID().Value()) > 256 {
		return badRequest
	}
	return fault{}
}

// checkNames refuses addresses that hide headers, lack a host, or break out of their quotes.
func checkNames(r *sip.Request) fault {
	uris := []sip.Uri{r.From().Address, r.To().Address}
	names := []string{r.From().DisplayName, r.To().DisplayName}
	contacts := 0
	for _, h := range r.Headers() {
		c, ok := h.(*sip.ContactHeader)
		if !ok {
			continue
		}
		if contacts++; contacts > 1 && r.Method != sip.REGISTER {
			return badRequest
		}
		if c.Address.Wildcard {
			continue
		}
		if uris, names = append(uris, c.Address), append(names, c.DisplayName); len(uris) > 10 ||
			c.Address.Scheme != "sip" {
			return badRequest
		}
	}
	for i, u := range uris {
		if len(u.Headers) > 0 || len(u.String()) > maxURI ||
			strings.ContainsAny(names[i], "<>\r\n") ||
			strings.ContainsAny(u.Host+u.User, "<>\"\r\n ") {
			return badRequest
		}
	}
	return fault{}
}

// checkRequire refuses extensions that a phone insists on and that we do not know.
func checkRequire(r *sip.Request) fault {
	if r.Method == sip.ACK || r.Method == sip.CANCEL {
		return fault{} // RFC 3261 section 8.2.2.3
	}
	var unknown []string
	for _, h := range r.Headers() {
		name := fullName(h.Name())
		if name != "require" && name != "proxy-require" {
			continue
		}
		for _, tag := range strings.Split(h.Value(), ",") {
			if tag = strings.TrimSpace(tag); tag != "timer" || name != "require" {
				unknown = append(unknown, tag)
			}
		}
	}
	if len(unknown) == 0 {
		return fault{}
	}
	return fault{420, "Bad Extension", "Unsupported", strings.Join(unknown, ", ")}
}

// checkResponse reports whether a phone's response is one that we may look at.
func checkResponse(r *sip.Response) bool {
	return r.SipVersion == "SIP/2.0" && r.StatusCode >= 100 && r.StatusCode <= 699 &&
		checkFrame(r, r.Headers()).code == 0 && count(r.Headers(), "via") == 1
}
