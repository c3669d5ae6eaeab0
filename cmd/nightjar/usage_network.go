// The text of help for the commands of cards and of what opens the network.

package main

const (
	helpCardShow = `Shows your card: a line of text, and with --qr a code for cameras. Whoever
has it can ask to be your contact; you then accept or refuse. It stays the same until you
ask for a fresh one, or for one of the kinds below, which is new each time.

  --qr            draw it as a QR code
  --png FILE      write the QR code as a PNG
  --fresh         make a new card; the old one still works until it expires
  --once          one person can become a contact by it
  --uses N        so many can
  --for TIME      how long it is good: 48h, 30d (default: a year)
  --doorbell      invitations come at once, without the DHT; but whoever holds the card can
                  see when you are there
  --full          with bridges, relays and DHT nodes: all that is needed behind a firewall

  nightjar card show --qr
  nightjar card show --once --for 48h --full`
	helpCardList = `Lists the cards you gave away that still work. How somebody came to be a contact
does not show.

  nightjar card list`
	helpCardRevoke = `Makes a card worthless: nobody can ask by it any more. Who became a contact by
it stays one. ID is as nightjar card list shows it.

  nightjar card revoke 5f0c22a1`
	helpCardRead = `Shows what a card holds before you use it. Needs no engine and sends nothing.

  nightjar card read nightjar:...`
	helpBlock = `Forgets somebody who asks, and never shows that person's invitations again.
Nothing is sent.

  nightjar contact block stranger`
	helpBundleExport = `Writes a file for somebody who knows nobody in the network: gateways,
relays and bridges that you gave, and DHT nodes that answered. It names nobody, and is
plain text: read it before you pass it on. FILE of - is standard output.

  nightjar bundle export network.txt`
	helpBundleImport = `Takes in what somebody else wrote with nightjar bundle export. What is
in it need not be believed: it can only fail, and evicts nothing. Its bridges are shown to you, and
none is used unless you add it. FILE of - is standard input.

  nightjar bundle import network.txt`
	helpRelayAdd = `Uses a pkarr relay, a server that does the walk in the DHT for whoever asks,
beside the gateways: an onion service, or by https. It sees what a gateway sees. One by
https is asked only by an engine started with nightjar up --exit-relays, through exits of tor.

  nightjar relay add URL`
	helpExplain = `Tells each step of finding a contact as it would be done now, and who could see
what of it.

  nightjar explain newsdesk`
	helpAudit = `Proves on this machine that nothing leaks: plays more than fifty scenes, from the
first start to a crash in a call, on private networks in a namespace of their own, and records every
packet of every process. Nothing reaches your network. Takes about ten minutes, and needs the
program nightjar-audit beside this one, tor, obfs4proxy, baresip and linphonec. After -- comes
another program to be watched instead, a phone for example.

  --json FILE     the report, for programs
  --html FILE     the report as a page with a picture
  --only NAMES    only these scenes, with commas between
  --list          list the scenes
  --tor-control unix:SOCKET, --tor-socks unix:SOCKET
                  by a tor that runs already, on its own network: takes long, leaves out what
                  needs a tor of its own, and looks at everybody but that tor

Exit codes: 0 clean, 1 something leaked, 2 the audit could not see or do all it should have.

  nightjar audit --html audit.html
  nightjar audit -- baresip -f phone`
)
