// What to type into a SIP phone.

package sip

import (
	"fmt"
	"net/netip"
	"strconv"

	"nightjar/sip/gate"
)

// Setting is one field of a phone's account form.
type Setting struct{ Label, Value string }

// Account is what a phone has to be told: as fields, and as lines ready to paste.
type Account struct {
	Settings []Setting
	Paste    map[string]string // by phone program
}

// Setup describes the account of a door. With an address that New would refuse it is empty.
func Setup(cfg Config) Account {
	at, err := parseListen(cfg.Listen)
	if err != nil {
		return Account{}
	}
	return Account{Settings: settings(cfg, at), Paste: map[string]string{
		"baresip":  baresipLine(cfg, at),
		"linphone": linphoneLines(cfg, at),
	}}
}

func settings(cfg Config, at netip.AddrPort) []Setting {
	return []Setting{
		{"Account", cfg.User + "@" + at.String()},
		{"User name", cfg.User},
		{"Login name", cfg.User},
		{"Password", cfg.Password},
		{"Domain, server, registrar", at.String()},
		{"Port", strconv.Itoa(int(at.Port()))},
		{"Outbound proxy", "sip:" + at.String() + ";transport=tcp"},
		{"Realm", gate.Realm},
		{"Transport", "TCP or UDP, not TLS"},
		{"Media encryption", "none: it does not leave this machine unencrypted"},
		{"STUN, TURN, ICE", "off"},
		{"Codecs", "opus, G722, PCMU, PCMA; opus is best"},
		{"To call or write", "the contact's name, as sip:NAME@" + at.String()},
	}
}

// baresipLine is for ~/.baresip/accounts. The outbound proxy makes the phone send everything to
// the door: without it a foreign address would be looked up and called over the open network.
func baresipLine(cfg Config, at netip.AddrPort) string {
	return fmt.Sprintf("# in ~/.baresip/accounts\n<sip:%s@%s;transport=tcp>;auth_user=%s;"+
		"auth_pass=%s;outbound=\"sip:%s;transport=tcp\";regint=300\n",
		cfg.User, at, cfg.User, cfg.Password, at)
}

// linphoneLines are for linphonerc; an account already there must be renumbered. The phone's own
// ports are named because its default is the door's; the route keeps every call with the door.
func linphoneLines(cfg Config, at netip.AddrPort) string {
	own := linphonePort(at.Port())
	return fmt.Sprintf("# in ~/.linphonerc; each identity wants a file of its own "+
		"(linphonec -c FILE)\n"+
		"[sip]\nsip_port=%d\nsip_tcp_port=%d\n"+
		"default_proxy=0\n\n[auth_info_0]\nusername=%s\npasswd=%s\nrealm=%s\n\n"+
		"[proxy_0]\nreg_proxy=<sip:%s;transport=tcp>\nreg_route=<sip:%s;transport=tcp;lr>\n"+
		"reg_identity=sip:%s@%s\nreg_expires=300\nreg_sendregister=1\npublish=0\n",
		own, own, cfg.User, cfg.Password, gate.Realm, at, at, cfg.User, at)
}

// linphonePort is the port that the linphone of a door listens on itself: another for each door, so
// that those of two identities can run beside each other.
func linphonePort(door uint16) uint16 {
	switch {
	case door == 5060:
		return 5066 // which no engine opens a door at by itself
	case door > 65535-100:
		return door - 100
	}
	return door + 100
}
