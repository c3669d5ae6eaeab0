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

// baresipLine is for ~/.baresip/accounts.
func baresipLine(cfg Config, at netip.AddrPort) string {
	return fmt.Sprintf("<sip:%s@%s;transport=tcp>;auth_user=%s;auth_pass=%s;regint=300\n",
		cfg.User, at, cfg.User, cfg.Password)
}

// linphoneLines are for linphonerc; an account already there must be renumbered.
func linphoneLines(cfg Config, at netip.AddrPort) string {
	return fmt.Sprintf("[auth_info_0]\nusername=%s\npasswd=%s\nrealm=%s\n\n"+
		"[proxy_0]\nreg_proxy=<sip:%s;transport=tcp>\nreg_identity=sip:%s@%s\n"+
		"reg_expires=300\nreg_sendregister=1\npublish=0\n",
		cfg.User, cfg.Password, gate.Realm, at, cfg.User, at)
}
