// Claims about what a newcomer is told.

package main

import (
	"errors"
	"strings"
	"testing"

	"nightjar/cmd/control/api"
	"nightjar/node/card"
)

func TestBridgesAloneAreNotPromisedToWhatRuns(t *testing.T) {
	for _, c := range []struct {
		running bool
		known   int
		want    string
	}{{true, 1, "it is so from the next start"}, {false, 1, ""}, {false, 0, "it will not start"}} {
		got := strings.Join(onlyWords(c.running, c.known), "\n")
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("running %v, %d bridges: %q", c.running, c.known, got)
		}
	}
}

func TestStrangersAreToldApartByTheirAddresses(t *testing.T) {
	address := card.Address{1}.String()
	if got := brief(address); len(got) != 19 || !strings.HasPrefix(address, got[:8]) ||
		!strings.HasSuffix(address, got[11:]) {
		t.Errorf("%s is shown as %s", address, got)
	}
}

func TestWrongLetterInAnAddressIsCalledThat(t *testing.T) {
	address := card.Address{1}.String()
	err := checkInvite(api.InviteRequest{Card: "b" + address[1:]})
	if !errors.Is(err, card.ErrAddress) || !strings.Contains(err.Error(), "letter in it is wrong") {
		t.Errorf("it is called: %v", err)
	}
	if err := checkInvite(api.InviteRequest{Card: "nightjar:x"}); !errors.Is(err, card.ErrCard) {
		t.Errorf("half a card is called: %v", err)
	}
}
