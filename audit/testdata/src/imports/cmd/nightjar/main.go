// Package main takes a tool of the tests along.
package main

import (
	_ "nightjar/audit/rules/house" // want "cmd/nightjar imports audit/rules/house"
	_ "nightjar/keystore"
)

func main() {}
