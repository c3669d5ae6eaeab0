// Tests stay on loopback.

package tunnel

import "net"

func inTests() {
	_, _ = net.Listen("tcp", "127.0.0.1:0")
	_, _ = net.ListenPacket("udp", "[::1]:0")
	_, _ = net.Listen("unix", "sock")
	_, _ = net.Listen("tcp", ":0")            // want "is not on loopback"
	_, _ = net.Dial("udp", "198.51.100.7:53") // want "is not on loopback"
	_, _ = net.Listen("tcp", "localhost:0")   // want "is not on loopback"
	_, _ = net.LookupHost("localhost")        // want "asks a resolver"
}
