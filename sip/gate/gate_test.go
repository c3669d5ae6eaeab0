// Claims about what passes the gate. The clock is fake where time matters.

package gate

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

const (
	user     = "alice"
	password = "f1c8d2a5b7e94c60a1b2c3d4e5f60718"
)

var (
	phoneAt = sender{at: netip.MustParseAddrPort("127.0.0.1:5070")}
	streams = sender{at: netip.MustParseAddrPort("127.0.0.1:40001"), stream: true}
)

// ask writes a request as a phone does, with marks of its owner that must not pass.
func ask(method, branch, extra string) string {
	return method + " sip:bob@127.0.0.1 SIP/2.0\r\n" +
		"Via: SIP/2.0/UDP 192.168.77.23:5070;branch=z9hG4bK" + branch + ";rport\r\n" +
		"From: <sip:alice@127.0.0.1>;tag=f1\r\nTo: <sip:bob@127.0.0.1>\r\n" +
		"Call-ID: c-" + branch + "\r\nCSeq: 7 " + method + "\r\nMax-Forwards: 70\r\n" +
		"Contact: <sip:alice@192.168.77.23:5070>\r\n" +
		"User-Agent: baresip v1.0.0 (x86_64/linux)\r\nRoute: <sip:leak.example.net;lr>\r\n" +
		"Record-Route: <sip:leak.example.net;lr>\r\nX-Host: whistle-laptop\r\n" +
		extra + "Content-Length: 0\r\n\r\n"
}

// sign answers the challenge in a reply.
func sign(t testing.TB, reply []byte, name, pass, method string, nc int) string {
	t.Helper()
	m := regexp.MustCompile(`(WWW|Proxy)-Authenticate: (.*)\r\n`).FindSubmatch(reply)
	if m == nil {
		t.Fatalf("no challenge in %q", reply)
	}
	c, err := digest.ParseChallenge(string(m[2]))
	if err != nil {
		t.Fatal(err)
	}
	cred, err := digest.Digest(c, digest.Options{Method: method, URI: "sip:bob@127.0.0.1",
		Username: name, Password: pass, Cnonce: "abc", Count: nc})
	if err != nil {
		t.Fatal(err)
	}
	header := "Authorization"
	if string(m[1]) == "Proxy" {
		header = "Proxy-Authorization"
	}
	return header + ": " + cred.String() + "\r\n"
}

func code(reply []byte) string {
	_, after, ok := strings.Cut(string(reply), "SIP/2.0 ")
	if !ok {
		return ""
	}
	return after[:3]
}

// login passes one request from a sender and returns the reply that held its challenge.
func login(t *testing.T, g *Gate, from sender) []byte {
	t.Helper()
	_, reply := g.pass([]byte(ask("REGISTER", "login", "")), from)
	in, _ := g.pass([]byte(ask("REGISTER", "login2", sign(t, reply, user, password,
		"REGISTER", 1))), from)
	if in == nil {
		t.Fatal("the right password does not pass")
	}
	return reply
}

func TestTortureMessagesAreAnsweredByTheRules(t *testing.T) {
	want := map[string]string{
		"badaspec": "", "badbranch": "400", "baddate": "407", "baddn": "", "badinv01": "",
		"badvers": "505", "bcast": "", "bext01": "420", "bigcode": "", "clerr": "400",
		"cparam01": "401", "cparam02": "401", "dblreq": "401", "esc01": "407", "esc02": "405",
		"escnull": "401", "escruri": "400", "insuf": "", "intmeth": "", "inv2543": "400",
		"invut": "407", "longreq": "400", "ltgtruri": "", "lwsdisp": "407", "lwsruri": "",
		"lwsstart": "", "mcl01": "400", "mismatch01": "400", "mismatch02": "400",
		"mpart01": "407", "multi01": "400", "ncl": "", "noreason": "", "novelsc": "",
		"quotbal": "", "regaut01": "401", "regbadct": "400", "regescrt": "400",
		"scalarlg": "", "sdp01": "407", "semiuri": "407", "test": "", "transports": "407",
		"trws": "", "unkscm": "416", "unksm2": "400", "unreason": "", "wsinv": "400",
		"zeromf": "407",
	}
	names, err := filepath.Glob("testdata/torture/*.dat")
	if err != nil || len(names) != len(want) {
		t.Fatalf("%d files for %d expectations, %v", len(names), len(want), err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		key := strings.TrimSuffix(filepath.Base(name), ".dat")
		in, reply := New(user, password).pass(raw, phoneAt)
		if in != nil || code(reply) != want[key] {
			t.Errorf("%s: passed %d bytes, answered %q, want %q", key, len(in), code(reply),
				want[key])
		}
	}
}

func TestParserAloneTakesWhatTheRulesForbid(t *testing.T) {
	for _, name := range []string{"escruri", "badvers", "mismatch01", "regbadct"} {
		raw, err := os.ReadFile("testdata/torture/" + name + ".dat")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sip.ParseMessage(raw); err != nil {
			t.Errorf("%s: the naive way refuses it too", name)
		}
	}
}

func TestOnlyTheDigestOpensTheGate(t *testing.T) {
	for _, method := range strings.Split("REGISTER, "+Methods, ", ") {
		if method == "ACK" || method == "CANCEL" {
			continue
		}
		g := New(user, password)
		in, reply := g.pass([]byte(ask(method, "a", "")), phoneAt)
		want := "407"
		if method == "REGISTER" {
			want = "401"
		}
		if in != nil || code(reply) != want {
			t.Fatalf("%s without credentials: %d bytes, %q", method, len(in), code(reply))
		}
		for _, bad := range [][2]string{{"mallory", password}, {user, "guess"}, {user, ""}} {
			cred := sign(t, reply, bad[0], bad[1], method, 1)
			if in, r := g.pass([]byte(ask(method, "b", cred)), phoneAt); in != nil ||
				code(r) != want {
				t.Errorf("%s as %v: %d bytes, %q", method, bad, len(in), code(r))
			}
		}
		cred := sign(t, reply, user, password, method, 1)
		if in, r := g.pass([]byte(ask(method, "c", cred)), phoneAt); in == nil {
			t.Errorf("%s with the right password: %q", method, r)
		}
	}
}

func TestAckAndCancelOfStrangersVanish(t *testing.T) {
	g := New(user, password)
	for _, method := range []string{"ACK", "CANCEL"} {
		if in, reply := g.pass([]byte(ask(method, "a", "")), phoneAt); in != nil || reply != nil {
			t.Errorf("%s of a stranger: %q %q", method, in, reply)
		}
	}
	login(t, g, phoneAt)
	for _, method := range []string{"ACK", "CANCEL", "BYE"} {
		if in, _ := g.pass([]byte(ask(method, "a", "")), phoneAt); in == nil {
			t.Errorf("%s of the phone does not pass", method)
		}
	}
	other := sender{at: netip.MustParseAddrPort("127.0.0.1:5071")}
	if in, reply := g.pass([]byte(ask("BYE", "a", "")), other); in != nil || code(reply) != "407" {
		t.Error("a stranger may hang up")
	}
}

func TestReplayIsRefusedAndRetransmissionIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(user, password)
		_, reply := g.pass([]byte(ask("MESSAGE", "a", "")), phoneAt)
		first := []byte(ask("MESSAGE", "b", sign(t, reply, user, password, "MESSAGE", 1)))
		if in, _ := g.pass(first, phoneAt); in == nil {
			t.Fatal("the first does not pass")
		}
		if in, _ := g.pass(first, phoneAt); in == nil {
			t.Error("a retransmission is refused")
		}
		replay := bytes.ReplaceAll(first, []byte("z9hG4bKb"), []byte("z9hG4bKx"))
		in, reply2 := g.pass(replay, phoneAt)
		if in != nil || !strings.Contains(string(reply2), "stale=true") {
			t.Errorf("the same credentials passed for another request: %q", reply2)
		}
		second := ask("MESSAGE", "c", sign(t, reply, user, password, "MESSAGE", 2))
		if in, _ := g.pass([]byte(second), phoneAt); in == nil {
			t.Error("the next count of the nonce is refused")
		}
		if in, _ := g.pass(first, phoneAt); in != nil {
			t.Error("an older count passed")
		}
		<-time.After(resendFor + time.Second)
		if in, _ := g.pass([]byte(second), phoneAt); in != nil {
			t.Error("a replay passed after the transaction was over")
		}
		<-time.After(nonceLife)
		third := ask("MESSAGE", "d", sign(t, reply, user, password, "MESSAGE", 3))
		in, reply2 = g.pass([]byte(third), phoneAt)
		if in != nil || !strings.Contains(string(reply2), "stale=true") {
			t.Error("an old nonce passed")
		}
	})
}

func TestChallengeIsOneThatEveryPhoneUnderstands(t *testing.T) {
	_, reply := New(user, password).pass([]byte(ask("REGISTER", "a", "")), phoneAt)
	text := string(reply)
	if strings.Count(text, "WWW-Authenticate:") != 1 || !strings.Contains(text, "algorithm=MD5,") ||
		strings.Contains(text, "SHA") {
		t.Errorf("the challenge is %q", text)
	}
}

// naiveJudge is the server of the digest library's own example: one challenge for all, no count.
func naiveJudge(c *digest.Challenge, method, header string) bool {
	cred, err := digest.ParseCredentials(header)
	if err != nil {
		return false
	}
	want, err := digest.Digest(c, digest.Options{Method: method, URI: cred.URI,
		Username: cred.Username, Password: password, Cnonce: cred.Cnonce, Count: cred.Nc})
	return err == nil && want.Response == cred.Response
}

func TestSharedChallengeWouldAllowReplay(t *testing.T) {
	c := &digest.Challenge{Realm: Realm, Nonce: "shared", Algorithm: "MD5",
		QOP: []string{"auth"}}
	cred, err := digest.Digest(c, digest.Options{Method: "MESSAGE", URI: "sip:bob@127.0.0.1",
		Username: user, Password: password, Cnonce: "abc", Count: 1})
	if err != nil {
		t.Fatal(err)
	}
	if !naiveJudge(c, "MESSAGE", cred.String()) || !naiveJudge(c, "MESSAGE", cred.String()) {
		t.Fatal("the naive way refuses a replay: the test above proves nothing")
	}
}

func TestCredentialsFitOneRequestOnly(t *testing.T) {
	g := New(user, password)
	_, reply := g.pass([]byte(ask("MESSAGE", "a", "")), phoneAt)
	cred := sign(t, reply, user, password, "MESSAGE", 1)
	other := strings.Replace(ask("MESSAGE", "b", cred), "sip:bob@127.0.0.1 SIP",
		"sip:eve@127.0.0.1 SIP", 1)
	if in, _ := g.pass([]byte(other), phoneAt); in != nil {
		t.Error("credentials for bob opened eve")
	}
	if in, _ := g.pass([]byte(ask("INVITE", "c", cred)), phoneAt); in != nil {
		t.Error("credentials for MESSAGE opened INVITE")
	}
}

func TestAnswerIsNeverSentToTheHostInTheVia(t *testing.T) {
	g := New(user, password)
	login(t, g, phoneAt)
	bye := strings.Replace(ask("BYE", "a", ""), ";rport", ";received=192.0.2.1;rport=53", 1)
	in, _ := g.pass([]byte(bye), phoneAt)
	via, _, _ := strings.Cut(string(in)[strings.Index(string(in), "Via:"):], "\r\n")
	if strings.Contains(via, "192.0.2.1") || !strings.Contains(via, "received="+nowhere) ||
		strings.Contains(via, "rport=") {
		t.Errorf("the stack reads %q", via)
	}
}

func TestGuessingIsSlowAndDoesNotLockThePhoneOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(user, password)
		login(t, g, phoneAt)
		intruder := sender{at: netip.MustParseAddrPort("127.0.0.1:6666")}
		answers := map[string]int{}
		for i := range 3000 {
			_, reply := g.pass([]byte(ask("REGISTER", "a", "")), intruder)
			if reply != nil {
				bad := sign(t, reply, user, fmt.Sprint("guess", i), "REGISTER", 1)
				_, reply = g.pass([]byte(ask("REGISTER", "b", bad)), intruder)
			}
			answers[code(reply)]++
			<-time.After(10 * time.Millisecond)
		}
		if answers["401"] > 30 || answers["403"] == 0 || answers[""] < 1000 {
			t.Errorf("30 s of guessing were answered %v", answers)
		}
		login(t, g, phoneAt)
	})
}

func TestNothingButWhatIsReadPasses(t *testing.T) {
	g := New(user, password)
	reply := login(t, g, phoneAt)
	_ = reply
	in, _ := g.pass([]byte(ask("BYE", "a", "Subject: hello\r\nDate: now\r\n"+
		"P-Asserted-Identity: <sip:me@home.example>\r\nk: timer\r\n")), phoneAt)
	text := string(in)
	for _, leak := range []string{"leak.example.net", "baresip", "whistle-laptop", "Subject",
		"Date", "P-Asserted", "User-Agent", "Authorization"} {
		if strings.Contains(text, leak) {
			t.Errorf("%q passed:\n%s", leak, text)
		}
	}
	if !strings.Contains(text, "Supported: timer\r\n") {
		t.Errorf("a short name was not understood:\n%s", text)
	}
}

func TestResponsesOnlyFromThePhone(t *testing.T) {
	raw := []byte("SIP/2.0 200 OK whistle-laptop\r\n" +
		"Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKabc\r\nFrom: <sip:a@b>;tag=1\r\n" +
		"To: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nServer: baresip\r\n" +
		"Content-Length: 0\r\n\r\n")
	g := New(user, password)
	if in, reply := g.pass(raw, phoneAt); in != nil || reply != nil {
		t.Error("a stranger's response passed")
	}
	login(t, g, phoneAt)
	in, _ := g.pass(raw, phoneAt)
	if in == nil || bytes.Contains(in, []byte("baresip")) || bytes.Contains(in, []byte("laptop")) {
		t.Errorf("got %q", in)
	}
}

func TestGarbageIsDropped(t *testing.T) {
	g := New(user, password)
	for _, raw := range [][]byte{nil, make([]byte, 100), bytes.Repeat([]byte("A"), 60000),
		[]byte("\r\n\r\n"), []byte("INVITE sip:bob@local SIP/2.0\r\n\r\n"),
		[]byte(ask("OPTIONS", "a", "X: \x00\r\n")), []byte(ask("OPTIONS", "a", "X: \x7f\r\n")),
		[]byte(ask("OPTIONS", "a", strings.Repeat("X: y\r\n", 200))),
		[]byte(ask("OPTIONS", "a", "X: "+strings.Repeat("y", 5000)+"\r\n"))} {
		if in, reply := g.pass(raw, phoneAt); in != nil || reply != nil {
			t.Errorf("%.40q: passed %d, answered %.60q", raw, len(in), reply)
		}
	}
}

func TestRefusalKeepsItsTagOnRetransmission(t *testing.T) {
	g := New(user, password)
	tag := regexp.MustCompile(`To: .*;tag=(\w+)`)
	_, a := g.pass([]byte(ask("INVITE", "a", "")), phoneAt)
	_, b := g.pass([]byte(ask("INVITE", "a", "")), phoneAt)
	_, c := g.pass([]byte(ask("INVITE", "c", "")), phoneAt)
	one, two, three := tag.FindSubmatch(a), tag.FindSubmatch(b), tag.FindSubmatch(c)
	if one == nil || !bytes.Equal(one[1], two[1]) || bytes.Equal(one[1], three[1]) {
		t.Errorf("tags %q %q %q", one, two, three)
	}
}

func FuzzGate(f *testing.F) {
	names, err := filepath.Glob("testdata/torture/*.dat")
	if err != nil || len(names) < 40 {
		f.Fatal("seeds are missing")
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, false)
		f.Add(b, true)
	}
	f.Add([]byte(ask("INVITE", "a", "Authorization: Digest username=\"alice\", nc=1\r\n")), false)
	f.Fuzz(func(t *testing.T, raw []byte, stream bool) {
		from := sender{at: phoneAt.at, stream: stream}
		g := New(user, password)
		g.senders.learn(from.at, time.Now())
		in, reply := g.pass(raw, from)
		if reply != nil {
			if _, err := sip.ParseMessage(reply); err != nil {
				t.Fatalf("our answer does not parse: %v\n%q", err, reply)
			}
		}
		if in == nil {
			return
		}
		again, _ := g.pass(in, from)
		if !bytes.Equal(in, again) {
			t.Fatalf("what passes does not re-encode to itself:\n%q\n%q", in, again)
		}
	})
}
