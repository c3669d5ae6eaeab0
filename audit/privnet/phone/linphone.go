// linphonec 5.1.65 of Debian 12 (package linphone-cli), driven over its standard input.

package phone

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// linphone is a running linphonec.
type linphone struct {
	*process
	cfg Config
}

// Linphone starts linphonec.
func Linphone(ctx context.Context, c Config) (Phone, error) {
	ownDir := c.Dir == ""
	exe, err := c.defaults("linphonec", "linphone-cli")
	if err != nil {
		return nil, err
	}
	l := &linphone{}
	if err = c.prepareSpeech(); err == nil {
		l.cfg = c
		err = l.configure()
	}
	if err == nil {
		// stdbuf becomes linphonec: into a pipe it would say nothing until it ends
		l.process, err = start(ctx, c, "stdbuf", []string{"XDG_RUNTIME_DIR=" + c.Dir,
			"TERM=dumb"}, "-oL", exe, "-c", filepath.Join(c.Dir, "linphonerc"))
	}
	if err != nil {
		if ownDir {
			os.RemoveAll(c.Dir)
		}
		return nil, err
	}
	if ownDir {
		l.clean = c.Dir
	}
	if err := l.prepare(ctx); err != nil {
		l.Stop()
		return nil, err
	}
	return l, nil
}

// configure writes linphonerc. Without its data directory linphonec cannot keep its database,
// and crashes at the first text.
func (l *linphone) configure() error {
	sip, err := freePort()
	if err != nil {
		return err
	}
	rtp, err := freePort()
	if err != nil {
		return err
	}
	for _, dir := range []string{".local/share/linphone", ".config/linphone"} {
		if err := os.MkdirAll(filepath.Join(l.cfg.Dir, dir), 0o700); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(l.cfg.Dir, "linphonerc"), []byte(l.rc(sip, rtp&^1)), 0o600)
}

// rc is the configuration file.
func (l *linphone) rc(sip, rtp int) string {
	c := l.cfg
	bit := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	encryption := "none"
	if c.Encrypt {
		encryption = "srtp\nmedia_encryption_mandatory=1"
	}
	udp, tcp := sip, 0
	if c.Transport == "tcp" {
		udp, tcp = 0, sip
	}
	text := fmt.Sprintf("[sip]\nsip_port=%d\nsip_tcp_port=%d\nsip_tls_port=0\ndefault_proxy=0\n"+
		"use_info=%d\nuse_rfc2833=%d\nregister_only_when_network_is_up=0\nauto_net_state_mon=0\n"+
		"media_encryption=%s\nguess_hostname=0\ncontact=sip:%s@%s\nuse_ipv6=0\n"+
		"[rtp]\naudio_rtp_port=%d\nvideo_rtp_port=-1\n[video]\nenabled=0\ncapture=0\ndisplay=0\n"+
		"[sound]\nechocancellation=0\nagc=0\n[net]\n[misc]\nversion_check_url_root=\n"+
		"prefer_basic_chat_room=1\n[auth_info_0]\nusername=%s\npasswd=%s\nrealm=%s\n"+
		"[proxy_0]\nreg_proxy=<sip:%s;transport=%s>\nreg_identity=sip:%s@%s\nreg_expires=300\n"+
		"reg_sendregister=1\npublish=1\n",
		udp, tcp, bit(c.InfoKeys), bit(!c.InfoKeys), encryption, c.User, c.Address, rtp,
		c.User, c.Password, c.Realm, c.Server, c.Transport, c.User, c.Server)
	for i, name := range append(append([]string{}, c.Codecs...), others(c.Codecs)...) {
		clock, channels := 8000, 1
		if name == Opus {
			clock, channels = 48000, 2
		}
		text += fmt.Sprintf("[audio_codec_%d]\nmime=%s\nrate=%d\nchannels=%d\nenabled=%d\n", i,
			name, clock, channels, bit(i < len(c.Codecs)))
	}
	return text
}

// others are the codecs that are not wanted.
func others(wanted []string) []string {
	var list []string
	for _, name := range []string{Opus, G722, PCMU, PCMA} {
		if !strings.Contains(" "+strings.Join(wanted, " ")+" ", " "+name+" ") {
			list = append(list, name)
		}
	}
	return list
}

// prepare makes linphonec take its sound from files and answer calls by itself.
func (l *linphone) prepare(ctx context.Context) error {
	if err := l.waitFor(ctx, 0, "Ready", "linphonec>"); err != nil {
		return err
	}
	for _, order := range []string{"soundcard use files", "autoanswer enable"} {
		if err := l.order(order); err != nil {
			return err
		}
	}
	return nil
}

// order types a line.
func (l *linphone) order(text string) error {
	if _, err := io.WriteString(l.in, text+"\n"); err != nil {
		return ErrEnded
	}
	return nil
}

// record is where what linphonec hears goes.
func (l *linphone) record() string { return filepath.Join(l.cfg.Dir, "heard.wav") }

// speak starts the recording and the speech; linphonec takes both only inside a call.
func (l *linphone) speak() error {
	if err := l.order("record " + l.record()); err != nil {
		return err
	}
	if l.cfg.Speech == "" {
		return nil
	}
	return l.order("play " + l.cfg.Speech)
}

func (l *linphone) uri(name string) string { return "sip:" + name + "@" + l.cfg.Server }

// Registered asks again and again: linphonec says nothing by itself while it reads orders.
func (l *linphone) Registered(ctx context.Context) error {
	for {
		from := l.mark()
		if err := l.order("status register"); err != nil {
			return err
		}
		line, err := l.wait(ctx, from, func(s string) bool {
			return strings.HasPrefix(s, "registered=") ||
				strings.Contains(s, "registered, identity")
		})
		if err != nil || strings.Contains(line, "registered, identity") {
			return err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *linphone) Call(ctx context.Context, name string) error {
	from := l.mark()
	if err := l.order("call " + l.uri(name)); err != nil {
		return err
	}
	line, err := l.wait(ctx, from, func(s string) bool {
		return holdsOne(s, "connected.", "Media streams established", " ended", "error.",
			"Could not call")
	})
	if err != nil {
		return err
	}
	if !holdsOne(line, "connected.", "Media streams established") {
		return fmt.Errorf("call failed: %s", line)
	}
	return l.speak()
}

func (l *linphone) Talking(ctx context.Context) error {
	if err := l.waitFor(ctx, 0, "connected.", "Media streams established"); err != nil {
		return err
	}
	return l.speak()
}

func (l *linphone) Write(_ context.Context, name, text string) error {
	return l.order("chat " + l.uri(name) + " " + text)
}

func (l *linphone) Got(ctx context.Context, text string) error {
	return l.waitFor(ctx, 0, text)
}

func (l *linphone) Press(_ context.Context, key byte) error { return l.order(string(rune(key))) }

func (l *linphone) Pressed(ctx context.Context, key byte) error {
	return l.waitFor(ctx, 0, "Receiving tone "+string(rune(key)))
}

func (l *linphone) Hold(ctx context.Context) error {
	from := l.mark()
	if err := l.order("pause"); err != nil {
		return err
	}
	return l.waitFor(ctx, from, "paused.")
}

func (l *linphone) Resume(ctx context.Context) error {
	from := l.mark()
	if err := l.order("resume"); err != nil {
		return err
	}
	return l.waitFor(ctx, from, "resumed.", "Media streams established", "connected.")
}

func (l *linphone) HangUp(_ context.Context) error { return l.order("terminate") }

func (l *linphone) Ended(ctx context.Context) error {
	return l.waitFor(ctx, 0, " ended (", "Call ended", "terminated")
}

func (l *linphone) Heard() (string, error) { return newest(l.record()) }

// Stop ends linphonec.
func (l *linphone) Stop() {
	l.order("quit")
	l.end(2 * time.Second)
}
