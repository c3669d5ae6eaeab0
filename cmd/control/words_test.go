// Claims about what answers say, to programs and to people.

package control

import (
	"crypto/ed25519"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"nightjar/cmd/control/api"
	"nightjar/node/card"
)

func TestDiskThatRefusesHasACodeOfItsOwn(t *testing.T) {
	for errno, want := range map[syscall.Errno]Code{syscall.ENOSPC: "disk-full",
		syscall.EDQUOT: "disk-full", syscall.EROFS: "disk-read-only",
		syscall.EACCES: "disk-denied", syscall.EIO: "disk-broken", syscall.EAGAIN: "internal"} {
		e, status := asError(fmt.Errorf("write vault: %w", errno))
		if e.Code != want || status < http.StatusInternalServerError {
			t.Errorf("%v: %s, status %d", errno, e.Code, status)
		}
	}
}

// cardOf makes a card of somebody, with a gateway if id is one.
func cardOf(t *testing.T, seed byte, gateway *card.Gateway) string {
	t.Helper()
	private := ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(seed), ed25519.SeedSize)))
	c := card.Card{Address: card.Address(private.Public().(ed25519.PublicKey)), Name: "Newsdesk",
		Expires: time.Now().Add(time.Hour)}
	if gateway != nil {
		c.Gateways = append(c.Gateways, *gateway)
	}
	text, err := c.Encode(func(msg []byte) ([64]byte, error) {
		return [64]byte(ed25519.Sign(private, msg)), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestContactWithoutAGatewayIsNotWaitedFor(t *testing.T) {
	e := engine(t)
	path := "tor"
	e.Status = func() api.Status { return api.Status{Path: path} }
	got := ask[api.NameReply](t, e, "/v1/contacts", api.InviteRequest{Card: cardOf(t, 1, nil)})
	if !got.Waits || !strings.Contains(got.Next, "nightjar gateway add") {
		t.Errorf("without a gateway: %+v", got)
	}
	path = "vpn" // where none is needed
	got = ask[api.NameReply](t, e, "/v1/contacts", api.InviteRequest{Card: cardOf(t, 2, nil)})
	if got.Waits || got.Next != "" {
		t.Errorf("where none is needed: %+v", got)
	}
	path, e.Derived = "tor", true
	g, err := card.ParseGateway("nightjar-gateway:" +
		"vnoj2ayv3pisdj3gxerl3pba7dcl4tmyekpfmpuqtri56zqyxesgrjid:1")
	if err != nil {
		t.Fatal(err)
	}
	got = ask[api.NameReply](t, e, "/v1/contacts", api.InviteRequest{Card: cardOf(t, 3, &g)})
	if got.Waits || !strings.Contains(got.Next, "in touch before") {
		t.Errorf("of a codename that comes back: %+v", got)
	}
}

func TestExplanationIsSpelledAsTheDocumentsHaveIt(t *testing.T) {
	e := engine(t)
	e.Status = func() api.Status { return api.Status{} }
	name := ask[api.NameReply](t, e, "/v1/contacts", api.InviteRequest{Card: cardOf(t, 1, nil)}).Name
	w := httptest.NewRecorder()
	opened(e).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/contacts/"+name+"/explain", nil))
	for _, field := range []string{`"what":`, `"sees":`, `"who":`, `"learns":`, `"hidden":`} {
		if !strings.Contains(w.Body.String(), field) {
			t.Errorf("no field %s", field)
		}
	}
}

func TestFullCardWithoutABridgeSaysSo(t *testing.T) {
	if text := lacksBridges(cardOf(t, 3, nil)); !strings.Contains(text, "no bridge") {
		t.Errorf("it says %q", text)
	}
	if text := lacksBridges("no card"); text != "" {
		t.Errorf("of no card it says %q", text)
	}
}
