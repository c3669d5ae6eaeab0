// Package fine is described once.
package fine

// Named has a comment.
type Named struct{}
