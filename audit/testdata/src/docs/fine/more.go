//go:build !plan9

// This file says what it holds, after its constraint.

package fine
