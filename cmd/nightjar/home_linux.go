// Directories that Linux keeps in memory.

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// memoryDir names this user's directory for engines that leave nothing on disk, or "". It need not
// exist yet.
func memoryDir() string {
	for _, parent := range []string{fmt.Sprintf("/run/user/%d", os.Getuid()), "/dev/shm"} {
		if unix.Access(parent, unix.W_OK) == nil && inMemory(parent) {
			return filepath.Join(parent, fmt.Sprintf("nightjar-%d", os.Getuid()))
		}
	}
	return ""
}

// inMemory reports whether a directory is on a file system that is kept in memory.
func inMemory(dir string) bool {
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) != nil {
		return false
	}
	t := uint32(fs.Type)
	return t == unix.TMPFS_MAGIC || t == unix.RAMFS_MAGIC
}

// private reports whether a directory is ours alone.
func private(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.IsDir() && info.Mode().Perm()&0o077 == 0 && int(stat.Uid) == os.Getuid()
}
