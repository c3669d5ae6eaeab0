// The control socket on Windows, where the directory's rights alone say who may connect.

package control

import "net"

func listenPrivately(path string) (net.Listener, error) { return net.Listen("unix", path) }

func allowed(net.Conn) bool { return true }
