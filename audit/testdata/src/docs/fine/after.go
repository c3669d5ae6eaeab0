package fine

// This file says what it holds, after the package clause.

// More has a comment.
func More() {}
