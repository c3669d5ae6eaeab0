//go:build plan9

// This file is never type checked here.

package tunnel

import "net"

// conn may be named, as in any file.
type conn = net.Conn

func elsewhere() { _, _ = net.Dial("tcp", "192.0.2.1:80") } // want "tunnel uses net.Dial on another system"
