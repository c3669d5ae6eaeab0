// What a tor shows besides what its way does, and which bridges it cannot have behind a VPN.

package ways

import (
	"errors"

	"nightjar/onion"
	"nightjar/onion/bridge"
	"nightjar/onion/exposure"
)

// ErrBridge means a bridge that tor-over-vpn cannot use: its transport looks up names by itself, in
// the system's DNS, and so beside the VPN.
var ErrBridge = errors.New("a bridge's transport would look up names beside the VPN")

// CheckBridges returns ErrBridge if a bridge among lines is none for tor-over-vpn. Lines that are
// no bridges are left alone.
func CheckBridges(lines []string) error {
	for _, text := range lines {
		if l, err := bridge.Parse(text); err == nil && l.LooksUp() {
			return ErrBridge
		}
	}
	return nil
}

// beside returns what a choice shows with what its tor knows to be shown besides: by its bridge, by
// its exits, to those who share it.
func beside(c Choice, tor []onion.Exposure) []onion.Exposure {
	return append(c.Exposes(), tor[len(exposure.Of(exposure.Tor)):]...)
}
