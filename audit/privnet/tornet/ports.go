// Where a network listens: a free block of ports, kept from other networks by a port that is held.

package tornet

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// The blocks lie below the range from which systems take ephemeral ports.
const (
	portLow   = 12000
	portHigh  = 32000
	blockSize = 32 // one network's ports; the last one is the block's lock
)

const (
	authorityIP = "127.0.0.1"
	relayIP     = "127.0.0.2" // apart from the authority, so that a flag can name all relays
)

var errNoPorts = errors.New("no free block of ports")

// reservePorts finds a block in which the first n ports are free on both addresses. The listener
// it returns holds the block until it is closed: two networks never share one.
func reservePorts(n int) (base int, held net.Listener, err error) {
	blocks := (portHigh - portLow) / blockSize
	for range 200 {
		base = portLow + rand.IntN(blocks)*blockSize
		held, err = net.Listen("tcp4", at(authorityIP, base+blockSize-1))
		if err != nil {
			continue
		}
		if free(base, n) {
			return base, held, nil
		}
		held.Close()
	}
	return 0, nil, errNoPorts
}

// free reports whether n ports from base can be bound on both addresses.
func free(base, n int) bool {
	for port := base; port < base+n; port++ {
		for _, ip := range []string{authorityIP, relayIP} {
			l, err := net.Listen("tcp4", at(ip, port))
			if err != nil {
				return false
			}
			l.Close()
		}
	}
	return true
}

func at(ip string, port int) string { return net.JoinHostPort(ip, strconv.Itoa(port)) }
