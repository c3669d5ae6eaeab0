// The text of help for looking around in the local network.

package main

const helpNodesLAN = `Writes a bundle of DHT nodes that BitTorrent programs in the local network
know: for a first start without a card or a bundle from a friend. It listens to what they tell each
other (BEP14, every five minutes, IPv4) and asks each for nodes on the Internet. Whoever else is in
the network sees that this machine does it, and which it is; nobody outside does. So it is done
only when you say so in words, needs no identity, and takes nothing in: read the file, then import
it. A gateway is needed as well; nobody in the local network can be asked for one.

  --this-network-may-see-me    yes, they may
  --for TIME                   how long to listen (default 6m)

  nightjar nodes lan --this-network-may-see-me nodes.txt
  nightjar bundle import nodes.txt`
