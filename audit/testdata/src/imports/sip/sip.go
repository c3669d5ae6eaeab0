// Package sip speaks to node, and around it.
package sip

import (
	_ "nightjar/node"
	_ "nightjar/node/book" // want "sip imports node/book"
	_ "nightjar/node/talk"
	_ "nightjar/sip/media"
	_ "nightjar/tunnel" // want "sip imports tunnel"
)
