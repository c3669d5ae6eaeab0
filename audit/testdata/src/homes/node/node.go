// Package node uses libraries that live elsewhere.
package node

import (
	_ "github.com/anacrolix/dht/v2"      // want "node uses github.com/anacrolix/dht/v2"
	_ "github.com/anacrolix/dht/v2/krpc" // want "node uses github.com/anacrolix/dht/v2/krpc"
	_ "github.com/emiago/sipgo"          // want "node uses github.com/emiago/sipgo"
	_ "golang.org/x/crypto/hkdf"
)
