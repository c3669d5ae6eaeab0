package two // want "does not say what it holds"

// do has a comment, the file has none.
func do() {}
