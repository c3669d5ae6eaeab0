// The text of help for bridges.

package main

const (
	helpBridgeAdd = `Remembers a bridge: a hidden entry to the Tor network, for where tor is blocked
or must not be seen. LINE is what its operator gave out, with or without the word Bridge. With
several, nightjar tries them in turn, and begins with the one that worked last. Works without a
running engine, by password. nightjar tries without a bridge first, which shows that you use
tor; where that must not be seen, say nightjar bridge only on before the next start.

  nightjar bridge add obfs4 192.0.2.1:9443 FINGERPRINT cert=... iat-mode=0`
	helpBridgeList = `Lists the bridges you have, and which worked last; then those that contacts
offer you. Of these none is used unless you add it: who runs a bridge sees your address, and
a contact who names one may run it.

  nightjar bridge list`
	helpBridgeOffer = `Tells a contact that is connected of a bridge: a line, or the number of one
in your list. It is shown to the contact, who decides. A contact is told of one in 12 hours.

  nightjar bridge offer newsdesk 2`
	helpBridgeTest = `Tries bridges, each by itself: the one given by its line or its number in the
list, or all. Nothing is sent but what entering the network takes. It is done beside a running
engine, not through it: who runs the bridge learns this machine's address. So it is refused for
an identity that goes out by anything but tor.

  --tor FILE      the tor program
  --torrc FILE    more tor options

  nightjar bridge test 2`
	helpBridgeRemove = `Forgets a bridge, by its line or its number in the list, or what a contact
offers, by its line.

  nightjar bridge remove 2`
	helpBridgeOnly = `Says whether the network may be entered without a bridge. With on, tor never
speaks to a relay that is in the public list, not even for the first try.

  nightjar bridge only on`
)
