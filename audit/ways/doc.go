// Package ways holds the tests of the whole program on ways out other than tor: sealed engines in a
// namespace with one way to the world, in which every packet that leaves is counted. The tests
// carry the build tag e2e.
package ways
