// A quick test may not go over the wall either.

package tunnel

import (
	_ "nightjar/audit/privnet/tornet" // want "tunnel imports audit/privnet/tornet"
	_ "nightjar/onion"                // want "tunnel imports onion"
)
