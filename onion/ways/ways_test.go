// What chooses a way out, and that a choice is kept.

package ways

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"nightjar/onion"
	"nightjar/onion/exposure"
	"nightjar/onion/socks5"
	"nightjar/onion/wg"
	"nightjar/onion/wgconf"
)

const file = `[Interface]
PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
Address = 10.9.0.2/24
[Peer]
PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
Endpoint = 192.0.2.1:51820
AllowedIPs = 0.0.0.0/0
`

func TestWordsChooseOneWay(t *testing.T) {
	for text, want := range map[string]exposure.Way{
		"tor": exposure.Tor, "vpn:a file.conf": exposure.VPN, "vpn:a:b": exposure.VPN,
		"tor-over-vpn:./wg0.conf": exposure.TorOverVPN, "device:tun0": exposure.Device,
		"socks:127.0.0.1:1080": exposure.SOCKS, "socks:[2001:db8::1]:1080": exposure.SOCKS,
		"direct-reveals-my-address": exposure.Direct,
	} {
		c, err := Parse(text)
		if err != nil || c.Way != want || c.String() != text {
			t.Errorf("%q chooses %v, %v", text, c, err)
		}
		if len(c.Exposes()) < 4 {
			t.Errorf("%q does not say what it shows", text)
		}
	}
}

func TestOtherWordsChooseNothing(t *testing.T) {
	for text, want := range map[string]error{
		"": ErrChoice, "Tor": ErrChoice, "tor:x": ErrChoice, "vpn": ErrChoice, "vpn:": ErrChoice,
		"tor-over-vpn": ErrChoice, "socks:": ErrChoice, "socks:1.2.3.4": ErrChoice,
		"socks:1.2.3.4:0": ErrChoice, "socks:0.0.0.0:1080": ErrChoice,
		"socks:proxy.example:1080": ErrHostName, "socks:localhost:1080": ErrHostName,
		"device:": ErrChoice, "device:../x": ErrChoice, "device:0123456789abcdef": ErrChoice,
		"direct": ErrWord, "Direct": ErrWord, "direct-reveals-my-addres": ErrWord,
		"direct-reveals-my-address ": ErrWord, "direct-reveals-my-address:x": ErrWord,
		"DIRECT-REVEALS-MY-ADDRESS": ErrWord, "vpn:a\nb": ErrChoice,
		"vpn:" + strings.Repeat("x", longest): ErrChoice,
	} {
		if c, err := Parse(text); !errors.Is(err, want) || c.Way != 0 {
			t.Errorf("%q chooses %v, %v; want %v", text, c, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"tor", "vpn:x", "socks:[::1]:1", "socks:[::ffff:1.2.3.4]:9",
		"socks:a:", "device:tun0", "direct-reveals-my-address", "socks::", "tor-over-vpn::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text)
		if err != nil {
			return
		}
		if again, err := Parse(c.String()); err != nil || again != c {
			t.Errorf("%q chooses %v, which reads as %v, %v", text, c, again, err)
		}
		if c.Way == exposure.Direct && text != "direct-reveals-my-address" {
			t.Errorf("%q chooses direct", text)
		}
	})
}

// Code cannot choose direct: the word must have come from somebody who typed it.
func TestDirectNeedsTheWordThatWasTyped(t *testing.T) {
	_, err := Open(t.Context(), Choice{Way: exposure.Direct}, Config{})
	if !errors.Is(err, ErrWord) {
		t.Errorf("a choice made by code: %v", err)
	}
	typed, err := Parse("direct-reveals-my-address")
	if err != nil {
		t.Fatal(err)
	}
	w, err := Open(t.Context(), typed, Config{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.Packets.ListenPacket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.Packets.ListenPacket(t.Context())
	if err != nil || c.LocalAddr().String() == d.LocalAddr().String() {
		t.Fatalf("two sockets share a port: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	<-w.Done()
	if _, _, err := c.ReadFrom(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a socket outlives its way: %v", err)
	}
	if _, err := w.Packets.ListenPacket(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a socket of a closed way: %v", err)
	}
}

// A tally is a hook for sockets that opens none, and notes what was asked for.
type tally struct {
	asked []string
	give  func() (net.Conn, error)
}

func (a *tally) socket(_ context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	a.asked = append(a.asked, network+" "+to.String())
	return a.give()
}

func TestFailedWayIsNotReplacedByAnother(t *testing.T) {
	refused := func() (net.Conn, error) { return nil, errors.New("no route to 192.0.2.1") }
	silent := func() (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			for b := make([]byte, 2048); ; {
				if _, err := far.Read(b); err != nil {
					return
				}
			}
		}()
		return near, nil
	}
	for name, x := range map[string]struct {
		choice string
		give   func() (net.Conn, error)
		asked  string
		err    error
		place  onion.Place
	}{
		"no network":   {"vpn:x", refused, "udp 192.0.2.1:51820", nil, onion.Here},
		"dead VPN":     {"vpn:x", silent, "udp 192.0.2.1:51820", wg.ErrSilent, onion.Gate},
		"tor over it":  {"tor-over-vpn:x", silent, "udp 192.0.2.1:51820", wg.ErrSilent, onion.Gate},
		"no proxy":     {"socks:192.0.2.9:1080", refused, "tcp 192.0.2.9:1080", nil, onion.Here},
		"no interface": {"device:nosuch0", refused, "", nil, onion.Here},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Parse(x.choice)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			a := &tally{give: x.give}
			w, err := Open(ctx, c, Config{File: []byte(file), Socket: a.socket,
				Tor: onion.TorConfig{Exe: "/nonexistent/tor"}})
			var at *onion.Error
			if w != nil || !errors.As(err, &at) || at.Place != x.place ||
				x.err != nil && !errors.Is(err, x.err) {
				t.Errorf("opened %v, %v", w, err)
			}
			if got := strings.Join(a.asked, ", "); got != x.asked {
				t.Errorf("asked for %q", got)
			}
			if strings.Contains(err.Error(), "192.0") {
				t.Errorf("the error tells where: %v", err)
			}
		})
	}
}

func TestReasonsComeThrough(t *testing.T) {
	a := &tally{give: func() (net.Conn, error) { return nil, net.ErrClosed }}
	for name, x := range map[string]struct {
		way    exposure.Way
		config Config
		err    error
	}{
		"commands": {exposure.VPN, Config{File: []byte("[Interface]\nPostUp = x")},
			wgconf.ErrCommand},
		"tor's own": {exposure.TorOverVPN, Config{File: []byte(file), Tor: onion.TorConfig{
			Options: []string{"Socks5Proxy 127.0.0.1:1"}}}, onion.ErrTorOption},
		"half a login": {exposure.SOCKS, Config{User: "u"}, socks5.ErrLogin},
		"nothing":      {0, Config{}, ErrChoice},
	} {
		x.config.Socket = a.socket
		_, err := Open(t.Context(), Choice{Way: x.way, Of: "127.0.0.1:1080"}, x.config)
		if !errors.Is(err, x.err) {
			t.Errorf("%s: %v, want %v", name, err, x.err)
		}
	}
	if len(a.asked) > 0 {
		t.Errorf("sockets were asked for: %v", a.asked)
	}
}
