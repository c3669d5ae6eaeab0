// Package onion may dial and listen, but it may not ask the system's resolver.
package onion

import "net"

func dials() {
	_, _ = net.Dial("unix", "sock")
	_, _ = net.ListenPacket("udp", "0.0.0.0:0")
	_, _ = net.LookupHost("card.invalid")              // want "onion uses net.LookupHost"
	_, _ = net.ResolveUDPAddr("udp", "card.invalid:1") // want "onion uses net.ResolveUDPAddr"
}
