//go:build plan9

// This file is never type checked here.

package keystore

import _ "nightjar/onion" // want "keystore imports onion"
