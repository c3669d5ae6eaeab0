// Package node runs before main.
package node

func init() {} // want "func init"

type thing struct{}

func (thing) init() {}
