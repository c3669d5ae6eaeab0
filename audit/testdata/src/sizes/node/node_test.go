// Only a line with a string may be wide in a test.

package node

const vector = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// But a comment may be no wider here than it may be anywhere else in the house, in any file. // want "columns"
