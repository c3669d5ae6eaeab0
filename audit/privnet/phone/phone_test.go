// Claims about the drivers that need no phone.

package phone

import (
	"bufio"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPromptsAndRedrawnLinesAreSeenAtOnce(t *testing.T) {
	scan := bufio.NewScanner(strings.NewReader("Ready\nlinphonec> hello\nlinphonec> \rbob: \"hi\"\r\n"))
	scan.Split(lineOrReturn)
	var got []string
	for scan.Scan() {
		if s := strings.TrimSpace(scan.Text()); s != "" {
			got = append(got, s)
		}
	}
	want := []string{"Ready", "linphonec>", "hello", "linphonec>", `bob: "hi"`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestMissingPhoneIsNamedWithItsPackage(t *testing.T) {
	c := Config{}
	_, err := c.defaults("no-such-phone", "some-package")
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "apt-get install some-package") {
		t.Errorf("got %v", err)
	}
	if c.Dir != "" {
		t.Error("a directory was made")
	}
}

func TestWaitingEndsWithThePhoneAndWithTheCaller(t *testing.T) {
	p, err := start(t.Context(), Config{Dir: t.TempDir()}, "sh", nil, "-c", "echo one; echo two; read x")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.waitFor(t.Context(), 0, "two"); err != nil {
		t.Error(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if err := p.waitFor(ctx, 0, "three"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	p.end(10 * time.Second) // closes its input: it ends by itself
	if err := p.waitFor(t.Context(), 0, "three"); !errors.Is(err, ErrEnded) ||
		!strings.Contains(err.Error(), "two") {
		t.Errorf("got %v", err)
	}
}

func TestStubbornProcessIsKilled(t *testing.T) {
	p, err := start(t.Context(), Config{Dir: t.TempDir()}, "sh", nil, "-c",
		"trap '' TERM HUP PIPE; echo up; while :; do :; done")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.waitFor(t.Context(), 0, "up"); err != nil {
		t.Error(err)
	}
	p.end(10 * time.Millisecond)
	select {
	case <-p.gone:
	default:
		t.Error("it still runs")
	}
}

func TestEndOfContextEndsThePhone(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	p, err := start(ctx, Config{Dir: t.TempDir()}, "sh", nil, "-c", "echo up; read x")
	if err != nil {
		t.Fatal(err)
	}
	stop()
	<-p.gone
}

func TestConfigurationHoldsOnlyWhatWasAskedFor(t *testing.T) {
	l := &linphone{cfg: Config{Server: "127.0.0.1:5060", User: "alice", Password: "secret",
		Realm: "nightjar", Transport: "tcp", Codecs: []string{PCMA}}}
	rc := l.rc(5080, 7078)
	for _, want := range []string{"sip_tcp_port=5080\n", "sip_port=0\n", "sip_tls_port=0\n",
		"mime=PCMA\nrate=8000\nchannels=1\nenabled=1\n",
		"mime=opus\nrate=48000\nchannels=2\nenabled=0\n", "media_encryption=none\n"} {
		if !strings.Contains(rc, want) {
			t.Errorf("no %q in\n%s", want, rc)
		}
	}
	if got := baresipCodecs([]string{G722, PCMU}); !slices.Equal(got,
		[]string{"G722/16000/1", "PCMU/8000/1"}) {
		t.Errorf("baresip's codecs %v", got)
	}
}
