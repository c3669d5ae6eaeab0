// Writing a message anew with only the headers that we read. Pure.

package gate

import (
	"github.com/emiago/sipgo/sip"
)

// fullName is the lower-case long form of a header name (RFC 3261 section 7.3.3).
func fullName(name string) string {
	short := map[string]string{"v": "via", "f": "from", "t": "to", "i": "call-id",
		"m": "contact", "c": "content-type", "l": "content-length", "k": "supported",
		"o": "event", "e": "content-encoding", "u": "allow-events", "r": "refer-to",
		"x": "session-expires", "s": "subject"}
	name = sip.HeaderToLower(name)
	if long, ok := short[name]; ok {
		return long
	}
	return name
}

// read lists the headers that somebody behind the gate reads, with the name they get.
func read(name string) (string, bool) {
	kept := map[string]string{"via": "Via", "from": "From", "to": "To", "call-id": "Call-ID",
		"cseq": "CSeq", "contact": "Contact", "max-forwards": "Max-Forwards",
		"expires": "Expires", "event": "Event", "content-type": "Content-Type",
		"content-encoding": "Content-Encoding",
		"supported":        "Supported", "session-expires": "Session-Expires",
		"sip-if-match": "SIP-If-Match"}
	full, ok := kept[fullName(name)]
	return full, ok
}

// nowhere stands in for the sender's host in the top Via. The stack answers to the address a
// request came from; when that is closed already, it would turn to the host in the Via and open
// a socket of its own for it. A name under .invalid (RFC 2606) leads nowhere.
const nowhere = "nowhere.invalid"

// trimRequest copies what is read of a request, and a Content-Length that is true. The top Via
// asks for the answer at the sender's own port (RFC 3581).
func trimRequest(r *sip.Request) []byte {
	out := sip.NewRequest(r.Method, r.Recipient)
	keep(out, r.Headers())
	out.Via().Params.Add("rport", "")
	out.Via().Params.Add("received", nowhere)
	if r.MaxForwards() == nil {
		hops := sip.MaxForwardsHeader(70)
		out.AppendHeader(&hops)
	}
	out.SetBody(r.Body())
	return []byte(out.String())
}

// trimResponse does the same for a response; the phone's own phrase is dropped.
func trimResponse(r *sip.Response) []byte {
	out := sip.NewResponse(r.StatusCode, "Phone")
	keep(out, r.Headers())
	out.SetBody(r.Body())
	return []byte(out.String())
}

// keep appends the headers that are read.
func keep(out sip.Message, headers []sip.Header) {
	for _, h := range headers {
		name, ok := read(h.Name())
		if !ok {
			continue
		}
		switch h.(type) {
		case *sip.ViaHeader, *sip.FromHeader, *sip.ToHeader, *sip.CallIDHeader,
			*sip.CSeqHeader, *sip.ContactHeader, *sip.MaxForwardsHeader,
			*sip.ContentTypeHeader:
			out.AppendHeader(sip.HeaderClone(h))
		default:
			out.AppendHeader(sip.NewHeader(name, h.Value()))
		}
	}
}
