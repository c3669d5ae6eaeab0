// The table of commands, and the flags they share.

package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"strings"
	"time"
)

// command is one thing a person can ask for: a noun and a verb, or a verb alone.
type command struct {
	name  string // "contact add"
	args  string // "CARD [NAME]"
	short string // one line for the list
	long  string // what it does, with an example at its foot
	run   func(ctx context.Context, c console, args []string) error
}

// commands is every command, in the order in which a newcomer meets them.
func commands() []*command {
	return append([]*command{
		{"init", "", "make a vault and an identity", helpInit, cmdInit},
		{"up", "", "run the engine, in the foreground", helpUp, cmdUp},
		{"codename", "", "make an identity that needs no file", helpCodename, cmdCodename},
		{"card show", "", "show the card that others add to reach you", helpCardShow, cmdCardShow},
		{"card list", "", "list the cards you gave away", helpCardList, cmdCardList},
		{"card revoke", "ID", "make a card worthless", helpCardRevoke, cmdCardRevoke},
		{"card open", "on|off", "let those who know only your address ask", helpCardOpen,
			cmdCardOpen},
		{"card read", "CARD", "show what a card holds", helpCardRead, cmdCardRead},
		{"contact add", "CARD [NAME]", "invite somebody by card or address", helpContactAdd,
			cmdContactAdd},
		{"contact list", "", "list contacts and how it stands with each", helpContactList,
			cmdContactList},
		{"contact accept", "NAME [NEW-NAME]", "accept somebody who asks", helpContactAccept,
			cmdContactAccept},
		{"contact refuse", "NAME", "refuse somebody who asks; nothing is sent", helpContactRefuse,
			cmdContactRefuse},
		{"contact block", "NAME", "refuse somebody for ever", helpBlock, cmdContactBlock},
		{"contact remove", "NAME", "forget a contact and become unreachable to it",
			helpContactRemove, cmdContactRemove},
		{"send", "NAME TEXT", "send a message", helpSend, cmdSend},
		{"read", "[NAME]", "read messages", helpRead, cmdRead},
		{"check", "", "look for invitations and contacts now", helpCheck, cmdCheck},
		{"watch", "", "show what happens, as it happens", helpWatch, cmdWatch},
		{"phone show", "", "show what to type into a SIP phone", helpPhoneShow, cmdPhoneShow},
		{"gateway", "", "lend this machine's UDP to others", helpGateway, cmdGateway},
		{"gateway add", "LINE", "use somebody's gateway", helpGatewayAdd, cmdGatewayAdd},
		{"gateway remove", "LINE", "use a gateway no more", helpGatewayRemove, cmdGatewayRemove},
		{"gateway list", "", "list the gateways in use", helpGatewayList, cmdGatewayList},
	}, roadCommands()...)
}

// roadCommands are those of the ways into the network, and of the engine and its identities.
func roadCommands() []*command {
	return []*command{
		{"bridge add", "LINE", "enter the network by a bridge", helpBridgeAdd, cmdBridgeAdd},
		{"bridge list", "", "list the bridges you have", helpBridgeList, cmdBridgeList},
		{"bridge offer", "NAME LINE", "tell a contact of a bridge", helpBridgeOffer,
			cmdBridgeOffer},
		{"bridge test", "[LINE]", "try bridges", helpBridgeTest, cmdBridgeTest},
		{"bridge remove", "LINE", "forget a bridge", helpBridgeRemove, cmdBridgeRemove},
		{"bridge only", "on|off", "enter by bridges alone, or not", helpBridgeOnly, cmdBridgeOnly},
		{"relay add", "URL", "use somebody's pkarr relay", helpRelayAdd, cmdRelayAdd},
		{"bundle export", "FILE", "write what opens the network to others", helpBundleExport,
			cmdBundleExport},
		{"bundle import", "FILE", "take in what opens the network", helpBundleImport,
			cmdBundleImport},
		{"nodes lan", "FILE", "find DHT nodes through the local network", helpNodesLAN,
			cmdNodesLAN},
		{"explain", "NAME", "show how a contact is found, and who sees what", helpExplain,
			cmdExplain},
		{"audit", "[-- COMMAND...]", "prove that nothing leaks", helpAudit, cmdAudit},
		{"status", "", "show how it stands, and what to do next", helpStatus, cmdStatus},
		{"lock", "", "erase the open identity from memory and stop the engine", helpLock, cmdLock},
		{"identity list", "", "list the identities that are open", helpIdentities,
			cmdIdentityList},
		{"identity password", "", "give an identity another password", helpPassword,
			cmdIdentityPassword},
		{"identity phrase", "", "show the words that bring an identity back",
			helpPhrase, cmdIdentityPhrase},
		{"identity export", "FILE", "write an identity to an encrypted file",
			helpExport, cmdIdentityExport},
		{"identity burn", "", "destroy an identity", helpBurn, cmdIdentityBurn},
	}
}

// find splits args into the command with the longest name that matches, and what follows it.
func find(args []string) (*command, []string) {
	var best *command
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(args) < len(words) || strings.Join(args[:len(words)], " ") != c.name {
			continue
		}
		if best == nil || len(c.name) > len(best.name) {
			best = c
		}
	}
	if best == nil {
		return nil, args
	}
	return best, args[len(strings.Fields(best.name)):]
}

// options are the flags that most commands share.
type options struct {
	home      string
	as        string // which of several open identities a command is for
	json      bool
	password  int           // file descriptor to read passwords from; -1 is the terminal
	lockAfter time.Duration // without use; 0 is never
	set       *flag.FlagSet
}

// usageError is a wrong flag or number of arguments: exit code 2 and the command's help.
type usageError struct{ msg string }

func (e usageError) Error() string { return e.msg }

// newOptions declares the shared flags of a command.
func newOptions(name string) *options {
	o := &options{set: flag.NewFlagSet(name, flag.ContinueOnError)}
	o.set.SetOutput(io.Discard)
	o.set.StringVar(&o.home, "home", "", "")
	o.set.StringVar(&o.as, "as", "", "")
	o.set.BoolVar(&o.json, "json", false, "")
	o.set.IntVar(&o.password, "password-fd", -1, "")
	return o
}

// given looks for the flags that also say how an error is shown, before a command has read its own.
func (c console) given(args []string) console {
	for i, a := range args {
		name, value, joined := strings.Cut(strings.TrimLeft(a, "-"), "=")
		if a == "--" {
			break
		}
		if !joined && i+1 < len(args) {
			value = args[i+1]
		}
		switch {
		case !strings.HasPrefix(a, "-"):
		case name == "json":
			c.asJSON = !joined || value != "false"
		case name == "home":
			c.home = value
		case name == "as":
			c.as = value
		}
	}
	return c
}

// parse reads flags, which may stand before, between and after the arguments, and checks how
// many arguments there are. What follows a "--" is never a flag.
func (o *options) parse(args []string, least, most int) ([]string, error) {
	var rest []string
	for len(args) > 0 {
		if err := o.set.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, err
		} else if err != nil {
			return nil, usageError{o.misread(err)}
		}
		left := o.set.Args()
		if read := len(args) - len(left); read > 0 && args[read-1] == "--" {
			rest = append(rest, left...)
			break
		}
		if args = left; len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	switch {
	case len(rest) < least:
		return nil, usageError{"something is missing"}
	case len(rest) > most:
		return nil, usageError{"too many words: put those that belong together into quotes"}
	}
	return rest, nil
}
