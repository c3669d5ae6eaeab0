// A bridge: an entry to the network that is in no list, spoken to in obfs4.

package tornet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// ErrNoTransport means that obfs4proxy is not installed; it is in Debian's package obfs4proxy.
var ErrNoTransport = errors.New("obfs4proxy is missing: install the package obfs4proxy")

const (
	bridgeName = "bridge"
	bridgeIn   = 20 * time.Second
)

// startBridge starts the bridge beside the network, which knows nothing of it.
func (n *Network) startBridge(ctx context.Context, relays int) error {
	proxy, err := exec.LookPath("obfs4proxy")
	if err != nil {
		return ErrNoTransport
	}
	dir := filepath.Join(n.dir, bridgeName)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	n.bridgeAt = at(authorityIP, n.base+3+relays)
	torrc := n.relayTorrc(bridgeName, dir, authorityIP, n.base+2+relays) + strings.Join([]string{
		"BridgeRelay 1",
		"PublishServerDescriptor 0",
		"BridgeDistribution none",
		"ExtORPort auto",
		"ServerTransportPlugin obfs4 exec " + proxy,
		"ServerTransportListenAddr obfs4 " + n.bridgeAt,
	}, "\n") + "\n"
	if n.bridge, err = n.nursery.spawn(n.tor, bridgeName, dir, torrc); err != nil {
		return err
	}
	n.transport = proxy
	if err := n.await(ctx, bridgeIn, n.bridgeKnown); err != nil {
		return err
	}
	n.say("the bridge is open")
	return nil
}

// bridgeKnown reports whether the bridge has said how it is reached, and notes it.
func (n *Network) bridgeKnown() (bool, error) {
	if n.bridge.dead() {
		return false, fmt.Errorf("the bridge ended: %s", n.bridge.complain())
	}
	own, _ := os.ReadFile(filepath.Join(n.bridge.dir, "fingerprint"))
	line, _ := os.ReadFile(filepath.Join(n.bridge.dir, "pt_state", "obfs4_bridgeline.txt"))
	who := strings.Fields(string(own))
	how := regexp.MustCompile(`(?m)cert=\S+ iat-mode=\d`).Find(line)
	if len(who) != 2 || how == nil {
		return false, nil
	}
	n.bridgeLine = fmt.Sprintf("Bridge obfs4 %s %s %s", n.bridgeAt, who[1], how)
	return true, nil
}

// BridgeTorrc returns the lines with which a client enters the network by its bridge alone. It is
// for networks started with Options.Bridge.
func (n *Network) BridgeTorrc() []string {
	return append(n.common(), "UseBridges 1",
		"ClientTransportPlugin obfs4 exec "+n.transport, n.bridgeLine)
}
