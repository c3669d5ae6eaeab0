// A Tor network that is reached by way of the world.

package lab

import (
	"context"
	"io"
	"net"
	"strings"
	"time"

	"nightjar/audit/privnet/tornet"
)

// FarBridge starts a Tor network outside the lab, and a way to its bridge at the lab's far host. It
// returns the lines with which a client enters there. It is for Run to call, outside.
func FarBridge(l *Lab) []string {
	ctx, cancel := context.WithTimeout(l.T.Context(), 3*time.Minute)
	defer cancel()
	network, err := tornet.Start(ctx, tornet.Options{Bridge: true})
	if err != nil {
		l.T.Fatal(err)
	}
	l.T.Cleanup(func() { network.Stop() })
	door := l.Listen(Far + ":0")
	lines := network.BridgeTorrc()
	last := strings.Fields(lines[len(lines)-1]) // Bridge obfs4 ADDRESS ...
	go forward(door, last[2])
	last[2] = door.Addr().String()
	lines[len(lines)-1] = strings.Join(last, " ")
	return lines
}

// forward leads every stream to another listener on this machine.
func forward(door net.Listener, to string) {
	for {
		near, err := door.Accept()
		if err != nil {
			return
		}
		go func() {
			defer near.Close()
			far, err := net.Dial("tcp", to)
			if err != nil {
				return
			}
			defer far.Close()
			go func() {
				io.Copy(far, near)
				far.Close()
			}()
			io.Copy(near, far)
		}()
	}
}
