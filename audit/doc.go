// Package audit holds the house rules as tests: which room may import which, who may open
// a socket, what an error may say, how large a file may grow, and what the finished binary
// may contain. The rules themselves are small packages under audit/rules; this package
// runs them over the whole tree, and runs each one over a naive variant in
// testdata/src that it must catch. A rule that cannot fail proves nothing.
//
// A finding reads "file:line: what is wrong: what to do".
//
// audit knows every room and no room knows audit: nothing under it is linked into the
// binary, and a test here says so.
package audit
