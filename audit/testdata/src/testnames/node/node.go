// Package node has tests.
package node
