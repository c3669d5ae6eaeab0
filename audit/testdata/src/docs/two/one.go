// Package two is described here,
package two
