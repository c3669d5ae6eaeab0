// The door for a SIP phone: where it opens, and what it needs of the engine.

package main

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"

	"nightjar/cmd/control/api"
	"nightjar/node/talk"
	"nightjar/sip"
)

const (
	phoneUser = "me" // the account name of the one phone an identity has

	// Where doors open that nobody chose a port for: the first that is free.
	firstPort, lastPort = 5060, 5080
	linphonePort        = 5066 // that linphone listens on itself, as phone show has it
)

// phoneFlags are the flags of up about the phone.
type phoneFlags struct {
	listen *string // "": the first port that is free
	none   *bool
}

func (o *options) phoneFlags() phoneFlags {
	return phoneFlags{listen: o.set.String("sip", "", ""), none: o.set.Bool("no-phone", false, "")}
}

// check refuses an address that was typed and cannot be used, before anybody has typed a password.
func (f phoneFlags) check(c console) error {
	if *f.none || *f.listen == "" || c.ward != nil {
		return nil
	}
	return sip.CheckListen(*f.listen)
}

// doors lists the addresses to try.
func (f phoneFlags) doors() (list []string) {
	if *f.listen != "" {
		return []string{*f.listen}
	}
	for port := firstPort; port <= lastPort; port++ {
		if port != linphonePort {
			list = append(list, fmt.Sprintf("127.0.0.1:%d", port))
		}
	}
	return list
}

// openPhone opens the door for a SIP phone. It comes first: a port that is not free should show
// before the wait for tor.
func (e *engine) openPhone(f phoneFlags) error {
	if *f.none {
		return nil
	}
	secret, err := e.id.Derive("nightjar phone", nil)
	if err != nil {
		return err
	}
	defer clear(secret[:])
	e.settings = sip.Config{User: phoneUser,
		Password: base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret[:20])}
	if e.ward != nil {
		e.settings.Sockets = e.ward
	}
	doors := f.doors()
	for _, e.settings.Listen = range doors {
		e.phone, err = sip.New(e.settings, phoneEngine{e})
		if !errors.Is(err, sip.ErrListen) {
			break
		}
	}
	if err != nil {
		e.phone = nil
		return err
	}
	e.settings.Listen = e.phone.Addr().String()
	if e.settings.Listen != doors[0] && *f.listen == "" {
		e.note("%s is taken: the phone of this identity registers at %s; to have it there each "+
			"time: nightjar up --sip %s", doors[0], e.settings.Listen, e.settings.Listen)
	}
	return nil
}

// phoneSettings is what to type into a phone.
func (e *engine) phoneSettings() api.Phone {
	p := api.Phone{On: e.phone != nil}
	if !p.On {
		return p
	}
	p.Registered = e.phone.Registered()
	setup := sip.Setup(e.settings)
	for _, s := range setup.Settings {
		p.Settings = append(p.Settings, api.Setting{Label: s.Label, Value: s.Value})
	}
	p.Paste = setup.Paste
	return p
}

// phoneEngine is what a phone's door needs of a node.
type phoneEngine struct{ *engine }

// Contacts lists the names a phone can call.
func (p phoneEngine) Contacts() (names []string) {
	for _, c := range p.node.Contacts() {
		names = append(names, c.Name)
	}
	return names
}

// Send queues a text.
func (p phoneEngine) Send(ctx context.Context, contact, text string) error {
	p.idle.used()
	_, err := p.node.Send(ctx, contact, text)
	return err
}

// Online reports whether the contact is connected.
func (p phoneEngine) Online(contact string) bool { return p.node.Connected(contact) }

// Dial begins a call.
func (p phoneEngine) Dial(ctx context.Context, contact string, offer []talk.Codec) (
	talk.Call, error) {
	p.idle.used()
	return p.node.Dial(ctx, contact, offer)
}
