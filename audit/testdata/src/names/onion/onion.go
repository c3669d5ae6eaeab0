// Package onion hides what it imports.
package onion

import (
	"errors"
	ours "golang.org/x/sys/unix" // want "import of golang.org/x/sys/unix as ours"
	network "net"                // want "import of net as network"
	. "net/http"                 // want "import of net/http as ."
	_ "net/http/pprof"           // want "import of net/http/pprof as _"
	run "os/exec"                // want "import of os/exec as run"
	kernel "syscall"             // want "import of syscall as kernel"
	_ "unsafe"                   // want "import of unsafe as _"
)

var _, _, _, _, _, _ = network.Dial, Get, run.Command, kernel.Socket, ours.Socket, errors.New

//go:linkname dial net.Dial  // want "go:linkname"
func dial(network, address string) (any, error)
