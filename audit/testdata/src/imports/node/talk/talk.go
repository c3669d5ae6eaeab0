// Package talk looks up to the room above it.
package talk

import (
	_ "nightjar/node"      // want "node/talk imports node"
	_ "nightjar/node/card" // want "node/talk imports node/card"
)
