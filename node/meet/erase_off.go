// Erasure of secrets, where the toolchain or machine does not offer it.

//go:build !goexperiment.runtimesecret

package meet

func do(f func()) { f() }
