//go:build !linux

// Systems on which no directory is known to be kept in memory.

package main

import "io/fs"

// memoryDir returns "": a place has to be given with --home.
func memoryDir() string { return "" }

// inMemory believes the user, who named the directory.
func inMemory(string) bool { return true }

// private reports whether a directory is closed to others, as far as its mode tells.
func private(info fs.FileInfo) bool { return info.IsDir() && info.Mode().Perm()&0o077 == 0 }
