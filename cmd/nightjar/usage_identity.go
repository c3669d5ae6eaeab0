// The text of help for the commands of identities.

package main

const (
	helpInit = `Makes the vault file, if there is none, and an identity in it that your password
opens. Nothing is sent. The same vault can hold several identities, each under its own
password; nobody can tell how many. A password that is lost cannot be recovered.

  --name TEXT         what your cards and invitations call you
  --from-phrase       make it from the words that nightjar identity phrase showed: the same
                      address, without contacts and messages
  --from-file FILE    make it from a file of nightjar identity export, with all that was in it
  --keep N            in a vault that is there: ask for the passwords of N identities that must
                      not be overwritten, after the new one. One that you do not name is
                      overwritten with a chance of 1 in 16, and nothing can warn you

Passwords are asked for in this order: phrase or file, the new one, those to keep; with
--password-fd a line each.

  nightjar init
  nightjar init --name "Newsdesk"
  nightjar init --keep 1              a second identity`
	helpUp = `Opens an identity, starts tor, and keeps you reachable until you press Ctrl-C or
say nightjar lock. A SIP phone on this machine can register with it: nightjar phone show.
Each identity has an engine, a tor and a phone of its own: for a second one open another
terminal, say nightjar up again, and give its password.

  --sip IP:PORT       where the phone registers, loopback only (default 127.0.0.1:5060, or the
                      next port that is free)
  --no-phone          open nothing for a phone
  --now               begin at once, though another identity is open here: without it the engine
                      waits a random time of up to 2 minutes, lest who watches sees both begin
  --require-seal      do not start unless the kernel keeps the engine from the network
  --lock-after TIME   lock the identity when you have not used it for so long (15m, 2h);
                      what contacts do is no use, a call that goes on is (default: never)
  --cover TIME        send something on every connection at random moments, TIME apart on
                      average (4s: 450 kB an hour and contact, each way), so that nobody sees
                      when something is said; at most 10s (default: off)
  --path CHOICE       the way out, one of those below (default: tor)
  --change-path       go another kind of way than this identity went before
  --socks-user NAME   for a proxy that wants a login; its password is asked for, or is in
  --socks-password-file FILE
  --allow-private-addresses   where the way out leads to addresses, send to private ones and
                      those of this machine too (only for networks made for tests: without it
                      contacts and DHT nodes cannot have you send to machines beside you)
  --tor FILE          the tor program (default: the one installed)
  --torrc FILE        more options for tor, one a line; those that would weaken it are refused
  --tor-control AT    use a tor that runs already: where it is controlled, unix:/run/tor/control
                      or 127.0.0.1:9051; with --tor-socks; status says what is then not so
  --tor-socks AT      where that tor listens for SOCKS: unix:/run/tor/socks or 127.0.0.1:9050
  --exit-relays       also ask the https relays that you added: exits of tor see which relay
                      is asked, not by whom (default: tor is never left)
  --relay-roots FILE  the certificates (PEM) by which such a relay proves who it is (default:
                      the system's)
  --tor-password FILE the file with the password of its control, if it wants one; a cookie is
                      found by itself

ways out; what fails is not replaced by another, and status says who learns what:
  tor                        onion services: nobody learns where you are
  tor-over-vpn:FILE          the same by the VPN of a wg-quick file: your network sees the VPN
                             and not tor, the VPN's operator sees tor
  vpn:FILE                   by that VPN alone: contacts and the DHT see the VPN's address, its
                             operator sees yours and whom you reach
  socks:ADDRESS:PORT         by a SOCKS5 proxy with UDP: as with vpn, and your network sees too
                             whom you reach
  device:NAME                by one network interface, as a VPN of the system makes it (Linux)
  direct-reveals-my-address  by nothing: every contact and the DHT see your own address
Contacts must both go by tor, or both by one of the others: no way leads from one to the other.

without a vault, so that nothing is on this machine before or after:
  --codename          an identity that follows from a codename: nightjar codename
  --amnesic           a new identity, gone when you stop; contacts and messages go with it
  --from-file FILE    an identity from a file of nightjar identity export; changes are lost

  nightjar up
  nightjar up --home /media/stick/nj --no-phone
  nightjar up --path vpn:wg0.conf
  nightjar up --codename --lock-after 15m`
	helpCodename = `Makes a codename: seven words. Identity, address and inbox follow from them, so
that you need no file, on any machine. It is shown once; then you type it. Whoever knows it
is you, and nobody can tell you a codename that is forgotten. To be in touch again after
nightjar up --codename, add the same card as before: nothing is asked anew.

  --print     print it to standard output instead, and do not ask for it

  nightjar codename`
	helpIdentities = `Lists the identities that are open on this machine now. How many a vault holds
nobody can tell, nightjar neither.

  nightjar identity list`
	helpPassword = `Gives an identity another password. It must not be open in an engine.
Asks for the present password, then for the new one. Copies of the vault made before still
open with the old one.

  nightjar identity password`
	helpBurn = `Destroys an identity: its place in the vault becomes random again, as if it had
never been used. The others stay as they are. It must not be open in an engine.
Copies of the vault made before still hold it.

  --forever     say that you mean it

  nightjar identity burn --forever`
	helpExport = `Writes an identity, with its contacts and messages, to one encrypted file: a
backup, or to move to another machine. It has a password of its own. Use an identity on one
machine at a time: two that run at once take each other's messages.

  nightjar identity export /media/stick/copy`
	helpPhrase = `Shows eleven words from which the identity's keys can be made again: nightjar
init --from-phrase. Contacts and messages are not in them. Whoever has them is you.

  --print     print them to standard output instead of the screen

  nightjar identity phrase`
)
