// Package whole holds the tests of the whole program: real engines in processes of their own, real
// tor and DHT networks, and what can go wrong between them. The tests carry the build tag e2e.
package whole
