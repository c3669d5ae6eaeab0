// Package two is described here as well.
package two // want "a second package comment"
