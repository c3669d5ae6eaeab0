//go:build !unix

// Settings of sockets that Go has no name for: none here.

package native

import "syscall"

func noBroadcast(_, _ string, _ syscall.RawConn) error { return nil }
