// Claims about what a report says.

package report

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"nightjar/audit/watch"
)

func stray(role string) watch.Flow {
	return watch.Flow{Interface: "eth0", Proto: watch.UDP, Packets: 3, Bytes: 90,
		From: netip.MustParseAddrPort("192.0.2.77:4000"),
		To:   netip.MustParseAddrPort("192.0.2.53:53"), Owner: watch.Owner{Role: role, Of: "desk"}}
}

// reported makes a report of one scene in which flows were seen.
func reported(foreign []string, flows ...watch.Flow) *Report {
	s := &Scene{Name: "one", Says: "a <scene>"}
	s.Seen(flows, nil, watch.Rules{}, foreign)
	r := &Report{Subject: "x", Proven: true, Scenes: []*Scene{s}}
	r.Sum()
	return r
}

func TestOneStrayPacketIsALeak(t *testing.T) {
	if r := reported(nil); r.Totals.Exit != Clean {
		t.Error("silence is not clean")
	}
	r := reported(nil, stray("engine"))
	if r.Totals.Exit != Leak || r.Totals.Stray != 3 || r.Totals.Names != 3 {
		t.Errorf("%+v", r.Totals)
	}
	var text bytes.Buffer
	r.Scenes[0].Text(&text)
	if !strings.Contains(text.String(), "desk's engine -> 192.0.2.53:53, udp: 3 packets") {
		t.Error(text.String())
	}
}

func TestOnlyThePhoneThatWasToldToMayAsk(t *testing.T) {
	if r := reported([]string{"phone"}, stray("phone")); r.Totals.Exit != Clean ||
		r.Totals.Foreign != 3 || r.Totals.Names != 0 {
		t.Errorf("%+v", r.Totals)
	}
	if r := reported([]string{"phone"}, stray("engine")); r.Totals.Exit != Leak {
		t.Error("an engine hides behind a phone")
	}
}

func TestWhatCouldNotBeSeenIsNotClean(t *testing.T) {
	for _, break1 := range []func(*Report){
		func(r *Report) { r.Proven = false },
		func(r *Report) { r.Scenes[0].Failed = "no phone" },
		func(r *Report) { r.Scenes = nil },
	} {
		r := reported(nil)
		break1(r)
		if r.Sum(); r.Totals.Exit != Untrusted {
			t.Errorf("exit %d", r.Totals.Exit)
		}
	}
}

func TestOpenDoorIsALeakWithoutAnyPacket(t *testing.T) {
	s := &Scene{}
	s.Seen(nil, []watch.Door{{Owner: watch.Owner{Role: "engine"}, Proto: watch.UDP,
		At: netip.MustParseAddrPort("0.0.0.0:5060")}},
		watch.Rules{Indoors: []string{"engine"}}, nil)
	r := &Report{Proven: true, Scenes: []*Scene{s}}
	if r.Sum(); r.Totals.Exit != Leak || r.Totals.Doors != 1 {
		t.Errorf("%+v", r.Totals)
	}
}

func TestPageIsWholeAndNeedsNothing(t *testing.T) {
	r := reported(nil, stray("engine"))
	var page, data bytes.Buffer
	if err := r.HTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"<svg", `class="stray"`, "a &lt;scene&gt;", "</html>"} {
		if !strings.Contains(page.String(), part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	for _, reach := range []string{"src=", "href=", "http", "<script"} {
		if strings.Contains(page.String(), reach) {
			t.Errorf("the page has %q", reach)
		}
	}
	if err := r.JSON(&data); err != nil || !json.Valid(data.Bytes()) {
		t.Errorf("%v", err)
	}
}

func TestWhatNobodySentIsALeakThatIsSaidToBeNobodys(t *testing.T) {
	f := stray("engine")
	f.Owner = watch.Owner{}
	r := reported(nil, f)
	if r.Totals.Exit != Leak || !strings.Contains(r.Verdict(), "sent by nobody") {
		t.Errorf("exit %d: %s", r.Totals.Exit, r.Verdict())
	}
	r = reported(nil, f, stray("engine"))
	if r.Totals.Exit != Leak || strings.Contains(r.Verdict(), "nobody") {
		t.Errorf("exit %d: %s", r.Totals.Exit, r.Verdict())
	}
}
