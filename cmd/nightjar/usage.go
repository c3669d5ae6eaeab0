// The text of help.

package main

const helpHead = `nightjar lets two people write and talk, and nobody learns who or where they are.

usage: nightjar COMMAND [FLAGS] [ARGUMENTS]

`

const helpFoot = `
flags of every command:
  --home DIR         where the vault is (default: .nightjar in your home directory)
  --as NAME          for which identity, when several are open: its name, or the first letters
                     of its address
  --json             print data as JSON
  --password-fd N    read passwords from file descriptor N, a line each, not from the terminal

from nothing to a first message:
  nightjar init
  nightjar up                           (leave it running; the rest in another terminal)
  nightjar contact add nightjar:...     (the card somebody gave you)
  nightjar send NAME "hello"
  nightjar read

nightjar help COMMAND shows more, with examples; nightjar help card what there is of cards.
`

const (
	helpCardOpen = `Lets people ask who have only your address and no card, or no more. It is off at
first: whoever knows the address and runs many DHT nodes can then see when you are there,
though neither who nor where you are.

  nightjar card open on`
	helpContactAdd = `Invites the owner of a card, or of a bare address if they said card open on.
The invitation is sealed: only the owner can read it, and whether it is accepted shows only
when it is. Waits until the invitation lies in the inbox; Ctrl-C is safe, the engine goes on.
CARD of - reads the card from standard input.

  --both              leave it in the inbox too when the card names a doorbell

  --greeting TEXT     a few words so that they know who asks (200 bytes)
  --no-wait           do not wait

  nightjar contact add nightjar:... newsdesk --greeting "about the harbour"`
	helpContactList = `Lists your contacts: who asks, who was invited, who is connected.

  nightjar contact list --json`
	helpContactAccept = `Accepts somebody who asks, if you like under another name.

  nightjar contact accept someone source-7`
	helpContactRefuse = `Refuses somebody who asks. Nothing is sent: it looks as if you were away.

  nightjar contact refuse someone`
	helpContactRemove = `Forgets a contact and all that was said with it, and moves your onion
service, so that the contact cannot even see whether you are there.

  nightjar contact remove source-7`
	helpSend = `Sends a message. It is safe in your vault when the command returns, and is sent
until the contact has it; with --codename, --amnesic or --from-file it is in memory alone,
and gone when the engine stops before that. TEXT of - reads the text from standard input.

  --wait          wait until the contact has it

  nightjar send newsdesk "I have the papers" --wait`
	helpRead = `Shows messages and marks them read. Without NAME: all that are unread.

  --all           also those read before

  nightjar read newsdesk --all`
	helpCheck = `Looks for invitations and contacts now instead of at the next turn.

  nightjar check`
	helpWatch = `Shows what happens until you press Ctrl-C: invitations, messages, connections,
calls, and what the engine is waiting for.

  nightjar watch --json`
	helpPhoneShow = `Shows what to type into a SIP phone on this machine, and lines ready to paste.

  nightjar phone show`
	helpGateway = `Lends this machine's UDP to others: they reach the DHT through it without showing
where they are. It learns neither who they are nor what they look for. Your own
address shows to DHT nodes. Prints the line others add. Needs a vault: nightjar init.

  --node IP:PORT               a DHT node to begin with; may be given several times
  --listen HOST:PORT           where UDP leaves (default: any address, any port)
  --listen6 [HOST]:PORT        lend IPv6 too: [::]:0 for any address (default: not)
  --serve-dht IP:PORT          be a node of the DHT for everybody as well, at that address of
                               this machine; once for IPv4 and once for IPv6 (default: not).
                               It shows to all who look that a DHT node runs here, as with a
                               BitTorrent program, and needs a port that strangers reach
  --allow-private-addresses    also send to private and loopback addresses (test networks)
  --change-path                go by tor although this identity went another way before
  --tor FILE, --torrc FILE, --require-seal    as in nightjar up

  nightjar gateway --home gw --node 192.0.2.7:6881`
	helpGatewayAdd = `Uses somebody's gateway: the line that nightjar gateway printed there.

  nightjar gateway add nightjar-gateway:...:80`
	helpGatewayRemove = `Uses a gateway no more: one that is gone, or that you do not trust.
LINE is as nightjar gateway list shows it.

  nightjar gateway remove nightjar-gateway:...:1`
	helpGatewayList = `Lists the gateways in use.

  nightjar gateway list`
	helpStatus = `Shows how it stands: what is reachable, what waits, what is not as safe as it
could be, and what to do next.

  nightjar status --json`
	helpLock = `Erases the open identity from memory and stops its engine, and returns when that
is done. Others that are open stay so. Of an identity without a vault, messages that were
not delivered are gone with it.

  --all           lock every identity that is open here, at once
  --apart         lock every one, the next a random time of up to 2 minutes after the last:
                  who watches when their onion services go cannot tell that they are yours

  nightjar lock`
)
