// What a tor of tor-over-vpn reaches whose control connection an attacker has. With the real
// program.

package warden

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nightjar/onion/torproc"
)

// wardenRole runs an engine in the role that is named.
func wardenRole(role, dir string) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if role == "stop" {
		time.AfterFunc(300*time.Millisecond, cancel)
	}
	tor := filepath.Join(dir, "tor")
	config := Config{Command: []string{"engine"},
		Order: Order{Args: []string{role}, Home: dir}, TorExe: tor, TorDir: dir, Seats: dir,
		Way: wayOf(role),
		Open: map[string]func(context.Context) (*os.File, error){
			"allowed": func(context.Context) (*os.File, error) { return os.Open("/dev/null") },
		}}
	switch role {
	case "past": // with the tor that is installed
		config.TorExe = ""
	case "past, naive":
		config.TorExe, config.Starter = "", torproc.Confined
	}
	code, err := Run(ctx, config)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return code
}

// A passing is what came of an attempt to go past the VPN.
type passing struct {
	Sealed, Astray bool   // what the engine knows
	Outlet         int32  // connections at the outlet while tor was as the warden had set it
	Beside         int32  // and to the attacker, once it was not
	Trouble        string // what went wrong
}

// count notes how often somebody comes to a listener, and sends him away.
func count(l net.Listener, n *atomic.Int32) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		n.Add(1)
		c.Close()
	}
}

// enter has tor enter by a bridge, and returns when it has failed to.
func enter(control net.Conn, answers *bufio.Reader, bridge, id string) error {
	id = strings.Repeat(id, 40)
	fmt.Fprintf(control, "SETCONF UseBridges=1 Bridge=\"%s %s\"\r\n"+
		"SETCONF DisableNetwork=0\r\n", bridge, id)
	for launched := 0; ; {
		line, err := answers.ReadString('\n')
		if err != nil || strings.HasPrefix(line, "5") {
			return errors.Join(err, errors.New(strings.TrimSpace(line)))
		}
		if !strings.Contains(line, id) && !strings.Contains(line, bridge) {
			continue
		}
		if strings.Contains(line, " LAUNCHED") {
			launched++
		}
		if launched > 1 || strings.Contains(line, " FAILED") { // or it tries once more
			return nil
		}
	}
}

// passes plays an engine that has been taken over: it has its tor forget the VPN, and enter by a
// bridge of the attacker's.
func passes(ctx context.Context, w *Ward) (p passing) {
	p.Sealed, p.Astray = w.State.Sealed(), w.Astray
	l, _, err := w.Outlet(ctx)
	if err != nil {
		p.Trouble = "outlet: " + err.Error()
		return p
	}
	defer l.Close()
	attacker, err := w.Stream(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		p.Trouble = "attacker: " + err.Error()
		return p
	}
	defer attacker.Close()
	var outlet, beside atomic.Int32
	go count(l, &outlet)
	go count(attacker, &beside)
	tor, err := w.StartTor(torproc.Order{})
	if err != nil {
		p.Trouble = "tor: " + err.Error()
		return p
	}
	defer func() {
		tor.Control().Close()
		<-tor.Done()
		_ = tor.Wipe()
	}()
	answers := bufio.NewReader(tor.Control())
	fmt.Fprint(tor.Control(), "AUTHENTICATE\r\nSETEVENTS ORCONN\r\n")
	err = enter(tor.Control(), answers, "127.0.0.9:9", "A")
	p.Outlet = outlet.Load()
	fmt.Fprint(tor.Control(), "SETCONF DisableNetwork=1\r\n"+
		"RESETCONF Socks5Proxy Socks5ProxyUsername Socks5ProxyPassword\r\n")
	if err == nil {
		err = enter(tor.Control(), answers, attacker.Addr().String(), "B")
	}
	p.Beside = beside.Load()
	if err != nil {
		p.Trouble = "control: " + err.Error()
	}
	return p
}

// The naive tor has nothing but its settings to keep it from going past the VPN.
func TestTorOfAHijackedEngineReachesTheOutletAndNothingElse(t *testing.T) {
	for _, role := range []string{"past", "past, naive"} {
		naive := role != "past"
		out, err := exec.Command("/proc/self/exe", "warden", role, stage(t)).Output()
		var p passing
		if json.Unmarshal(out, &p) != nil || p.Trouble != "" || !p.Sealed {
			t.Fatalf("%s: %+v: %v: %s (apt-get install tor)", role, p, err, out)
		}
		if p.Outlet == 0 {
			t.Errorf("%s: tor does not come to the outlet: this test proves nothing", role)
		}
		if went := p.Beside > 0; went != naive {
			t.Errorf("%s: tor goes past the VPN: %v", role, went)
		}
		if p.Astray != naive {
			t.Errorf("%s: the engine is told that nothing holds its tor: %v", role, p.Astray)
		}
	}
}
