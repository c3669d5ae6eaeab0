//go:build e2e

// A slow test may use the private networks, and still no neighbour.

package tunnel

import (
	_ "nightjar/audit/privnet/tornet"
	_ "nightjar/onion" // want "tunnel imports onion"
)
