// baresip 1.0.0 of Debian 12 (package baresip-core), driven over its control socket.

package phone

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// SteeredFrom is the loopback address from which phones are steered, and nothing else is sent.
const SteeredFrom = "127.0.0.98"

// baresip is a running baresip.
type baresip struct {
	*process
	cfg     Config
	control net.Conn
	mu      sync.Mutex // of writing to control
	reading chan struct{}
}

// Baresip starts baresip.
func Baresip(ctx context.Context, c Config) (Phone, error) {
	ownDir := c.Dir == ""
	exe, err := c.defaults("baresip", "baresip-core")
	if err != nil {
		return nil, err
	}
	b := &baresip{reading: make(chan struct{})}
	control := 0
	if err = c.prepareSpeech(); err == nil {
		b.cfg = c
		control, err = b.configure()
	}
	if err == nil {
		b.process, err = start(ctx, c, exe, nil, "-4", "-f", c.Dir)
	}
	if err != nil {
		if ownDir {
			os.RemoveAll(c.Dir)
		}
		return nil, err
	}
	if ownDir {
		b.clean = c.Dir
	}
	if err := b.connect(ctx, control); err != nil {
		close(b.reading)
		b.Stop()
		return nil, err
	}
	return b, nil
}

// configure writes the three files that baresip reads and returns its control port.
func (b *baresip) configure() (control int, err error) {
	sip, err := freePort()
	if err != nil {
		return 0, err
	}
	for control == 0 || control == sip {
		if control, err = freePort(); err != nil {
			return 0, err
		}
	}
	c := b.cfg
	account := fmt.Sprintf("<sip:%s@%s;transport=%s>;auth_user=%s;auth_pass=%s;"+
		"answermode=auto;regint=300;audio_codecs=%s\n", c.User, c.Server, c.Transport, c.User,
		c.Password, strings.Join(baresipCodecs(c.Codecs), ","))
	if c.STUN != "" {
		account = strings.TrimSpace(account) + ";medianat=stun;stunserver=\"stun:" + c.STUN + "\"\n"
	}
	files := map[string]string{"accounts": account, "contacts": "",
		"config": b.config(sip, control)}
	if c.Peer != "" {
		files["contacts"] = fmt.Sprintf("%q <%s>\n", c.Peer, b.uri(c.Peer))
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(c.Dir, name), []byte(text), 0o600); err != nil {
			return 0, err
		}
	}
	return control, nil
}

// config is the main file. net_interface takes an address too, which is what makes baresip
// work where lo is the only interface. It has no player for files: what it hears goes to a
// filter that records it, and from there to nowhere.
func (b *baresip) config(sip, control int) string {
	source := "ausine,0"
	if b.cfg.Speech != "" {
		source = "aufile," + b.cfg.Speech
	}
	lines := []string{
		"poll_method epoll",
		"net_interface " + b.cfg.Address.String(),
		"sip_listen " + net.JoinHostPort(b.cfg.Address.String(), strconv.Itoa(sip)),
		"call_max_calls 4",
		"audio_player aubridge,nowhere",
		"audio_source " + source,
		"audio_alert aubridge,alert",
		"ausrc_srate 8000", "auplay_srate 8000", "ausrc_channels 1", "auplay_channels 1",
		"audio_level no", "rtcp_mux no", "jitter_buffer_delay 5-10",
		"module_path " + moduleDir(),
		"module g711.so", "module g722.so", "module opus.so",
		"module aufile.so", "module ausine.so", "module aubridge.so",
		"module sndfile.so", "snd_path " + b.cfg.Dir,
		"module_tmp uuid.so", "module_tmp account.so", "module_app contact.so",
		"module stdio.so", "module_app menu.so", "module_app ctrl_tcp.so",
		fmt.Sprintf("ctrl_tcp_listen 127.0.0.1:%d", control),
	}
	if b.cfg.STUN != "" {
		lines = append(lines, "module stun.so")
	}
	return strings.Join(lines, "\n") + "\n"
}

// moduleDir is where Debian keeps the modules.
func moduleDir() string {
	if names, err := filepath.Glob("/usr/lib/*/baresip/modules"); err == nil && len(names) > 0 {
		return names[0]
	}
	return "/usr/lib/baresip/modules"
}

// baresipCodecs are the codecs as an account lists them.
func baresipCodecs(names []string) []string {
	full := map[string]string{Opus: "opus/48000/2", G722: "G722/16000/1", PCMU: "PCMU/8000/1",
		PCMA: "PCMA/8000/1"}
	var list []string
	for _, n := range names {
		list = append(list, full[n])
	}
	return list
}

// connect opens the control connection as soon as baresip listens, and reads its events.
func (b *baresip) connect(ctx context.Context, port int) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(SteeredFrom)}}
	for tries := 0; ; tries++ {
		c, err := d.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			b.control = c
			go b.events()
			return nil
		}
		select {
		case <-tick.C:
		case <-b.gone:
			return fmt.Errorf("%w; it said: %s", ErrEnded, b.Log(5))
		case <-ctx.Done():
			return ctx.Err()
		}
		if tries > 200 {
			return errors.New("baresip does not open its control socket")
		}
	}
}

// events turns each message of the control socket (a netstring with JSON) into a line.
func (b *baresip) events() {
	defer close(b.reading)
	r := bufio.NewReader(b.control)
	for {
		head, err := r.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(head, ":"))
		if err != nil || n < 0 || n > 1<<20 {
			return
		}
		body := make([]byte, n+1) // with its comma
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		var m struct {
			Event, Response, OK bool
			Type, Param, Data   string
		}
		if json.Unmarshal(body[:n], &m) != nil {
			continue
		}
		if m.Event {
			b.said("event " + m.Type + " " + strings.ReplaceAll(m.Param, "\n", " "))
		} else if m.Response {
			b.said(fmt.Sprintf("response %v %s", m.OK, strings.ReplaceAll(m.Data, "\n", " ")))
		}
	}
}

// command gives an order and waits until baresip has taken it.
func (b *baresip) command(ctx context.Context, name, params string) error {
	text, err := json.Marshal(map[string]string{"command": name, "params": params})
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	from := b.mark()
	if _, err := fmt.Fprintf(b.control, "%d:%s,", len(text), text); err != nil {
		return ErrEnded
	}
	line, err := b.wait(ctx, from, func(s string) bool { return strings.HasPrefix(s, "response ") })
	if err == nil && !strings.HasPrefix(line, "response true") {
		err = fmt.Errorf("baresip refuses to %s: %s", name, line)
	}
	return err
}

// uri is the address of a name at the server.
func (b *baresip) uri(name string) string {
	return "sip:" + name + "@" + b.cfg.Server + ";transport=" + b.cfg.Transport
}

func (b *baresip) Registered(ctx context.Context) error {
	return b.waitFor(ctx, 0, "200 OK () [", "event REGISTER_OK") // by print, or later by event
}

func (b *baresip) Call(ctx context.Context, name string) error {
	from := b.mark()
	if err := b.command(ctx, "dial", b.uri(name)); err != nil {
		return err
	}
	line, err := b.wait(ctx, from, func(s string) bool {
		return strings.HasPrefix(s, "event CALL_ESTABLISHED") ||
			strings.HasPrefix(s, "event CALL_CLOSED")
	})
	if err == nil && strings.HasPrefix(line, "event CALL_CLOSED") {
		err = fmt.Errorf("call failed: %s", strings.TrimPrefix(line, "event CALL_CLOSED "))
	}
	return err
}

func (b *baresip) Talking(ctx context.Context) error {
	return b.waitFor(ctx, 0, "event CALL_ESTABLISHED")
}

// Write sends to the one contact that baresip was given: it writes to no other.
func (b *baresip) Write(ctx context.Context, name, text string) error {
	if name != b.cfg.Peer {
		return fmt.Errorf("baresip writes to %q only", b.cfg.Peer)
	}
	return b.command(ctx, "message", text)
}

func (b *baresip) Got(ctx context.Context, text string) error {
	return b.waitFor(ctx, 0, `"`+text+`"`)
}

func (b *baresip) Press(ctx context.Context, key byte) error {
	return b.command(ctx, "sndcode", string(rune(key)))
}

func (b *baresip) Pressed(ctx context.Context, key byte) error {
	return b.waitFor(ctx, 0, "event CALL_DTMF_START "+string(rune(key)))
}

func (b *baresip) Hold(ctx context.Context) error   { return b.command(ctx, "hold", "") }
func (b *baresip) Resume(ctx context.Context) error { return b.command(ctx, "resume", "") }
func (b *baresip) HangUp(ctx context.Context) error { return b.command(ctx, "hangup", "") }

func (b *baresip) Ended(ctx context.Context) error {
	return b.waitFor(ctx, 0, "event CALL_CLOSED")
}

func (b *baresip) Heard() (string, error) {
	return newest(filepath.Join(b.cfg.Dir, "dump-*-dec.wav"))
}

// Stop ends baresip.
func (b *baresip) Stop() {
	if b.control != nil {
		fmt.Fprintf(b.control, `18:{"command":"quit"},`)
	}
	b.end(time.Second)
	if b.control != nil {
		b.control.Close()
		<-b.reading
	}
}
