// A phone that names hosts wherever SIP and SDP let it.

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/icholy/digest"
)

// Texts that the engine answers to an INVITE.
const (
	unauthorized = "SIP/2.0 407"
	challenge    = "Proxy-Authenticate: "
)

// probe registers nowhere and calls: args are the server, the user, the password, whom to call.
func probe(ctx context.Context, args []string) error {
	if len(args) != 4 {
		return errors.New("a probe wants four arguments")
	}
	server, user, password, to := args[0], args[1], args[2], args[3]
	var d net.Dialer
	c, err := d.DialContext(ctx, "udp4", server)
	if err != nil {
		return err
	}
	defer c.Close()
	uri := "sip:" + to + "@" + server
	answer, err := ask(c, invite(uri, user, 1, ""))
	if err != nil {
		return err
	}
	if !strings.HasPrefix(answer, unauthorized) {
		word, _, _ := strings.Cut(answer, "\r\n")
		return errors.New("the engine answers a stranger: " + word)
	}
	_, rest, _ := strings.Cut(answer, challenge)
	line, _, _ := strings.Cut(rest, "\r\n")
	chal, err := digest.ParseChallenge(line)
	if err != nil {
		return errors.New("the engine's challenge cannot be read")
	}
	cred, err := digest.Digest(chal, digest.Options{Method: "INVITE", URI: uri, Username: user,
		Password: password})
	if err != nil {
		return err
	}
	answer, err = ask(c, invite(uri, user, 2, "Proxy-Authorization: "+cred.String()+"\r\n"))
	if err == nil && strings.HasPrefix(answer, unauthorized) {
		err = errors.New("the engine refuses its own password")
	}
	select { // time to ask for names
	case <-time.After(2 * time.Second):
	case <-ctx.Done():
	}
	return err
}

// ask sends a request, again if need be, and returns the first answer that is not 100.
func ask(c net.Conn, text string) (string, error) {
	b := make([]byte, 4096)
	for range 6 {
		if _, err := c.Write([]byte(text)); err != nil {
			return "", err
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		n, err := c.Read(b)
		for err == nil && strings.HasPrefix(string(b[:n]), "SIP/2.0 100") {
			n, err = c.Read(b)
		}
		if err == nil {
			return string(b[:n]), nil
		}
	}
	return "", errors.New("the engine does not answer its phone")
}

// invite is a call by a phone that names hosts in Via, Contact, Route and SDP.
func invite(uri, user string, seq int, auth string) string {
	sdp := strings.Join([]string{"v=0", "o=- 1 1 IN IP4 origin.leak.example", "s=-",
		"u=http://sdp.leak.example/", "e=me@mail.leak.example", "c=IN IP4 media.leak.example",
		"t=0 0",
		"m=audio 4000 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=rtcp:4001 IN IP4 rtcp.leak.example",
		"a=candidate:1 1 UDP 1 ice.leak.example 4000 typ host", ""}, "\r\n")
	return fmt.Sprintf("INVITE %s SIP/2.0\r\n"+
		"Via: SIP/2.0/UDP via.leak.example:5099;branch=z9hG4bK%d;rport\r\n"+
		"From: <sip:%s@from.leak.example>;tag=t\r\nTo: <%s>\r\n"+
		"Call-ID: names@call.leak.example\r\n"+
		"CSeq: %d INVITE\r\nContact: <sip:%s@contact.leak.example:5099>\r\nMax-Forwards: 70\r\n"+
		"%sContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
		uri, seq, user, uri, seq, user, auth, len(sdp), sdp)
}
