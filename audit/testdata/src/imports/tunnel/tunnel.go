// Package tunnel reaches for its neighbours.
package tunnel

import (
	_ "nightjar/keystore" // want "tunnel imports keystore"
	_ "nightjar/onion"    // want "tunnel imports onion"
)
