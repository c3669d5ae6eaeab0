// Package tunnel opens sockets in every way that does not look like it.
package tunnel

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"os/exec"
	"syscall"

	"golang.org/x/net/proxy"
	"golang.org/x/sys/unix"
)

func plain() { _, _ = net.Dial("tcp", "192.0.2.1:80") } // want "tunnel uses net.Dial"

func asValue() func(string, string) (net.Conn, error) {
	return net.Dial // want "tunnel uses net.Dial"
}

type embedded struct {
	net.Dialer // want "tunnel uses net.Dialer"
}

type alias = net.Dialer // want "tunnel uses net.Dialer"

func promoted(e embedded) {
	_, _ = e.DialContext(context.Background(), "tcp", "192.0.2.1:80") // want "net.Dialer.DialContext"
}

func methodValue(e *embedded) any { return e.Dial } // want "net.Dialer.Dial"

func methodExpression() any { return (*alias).Dial } // want "net.Dialer.Dial"

func throughAlias() {
	var d alias
	_, _ = d.Dial("tcp", "192.0.2.1:80") // want "net.Dialer.Dial"
}

type dialer interface {
	Dial(network, address string) (net.Conn, error)
}

func asInterface() dialer { return new(embedded) }

func given(d dialer) { _, _ = d.Dial("tcp", "192.0.2.1:80") }

func inStruct() any {
	return struct {
		do func(string) ([]string, error)
	}{net.LookupHost} // want "net.LookupHost"
}

func listens() {
	_, _ = net.ListenPacket("udp", ":0")                    // want "net.ListenPacket"
	_, _ = new(net.ListenConfig).Listen(nil, "tcp", ":0")   // want "net.ListenConfig" "net.ListenConfig.Listen"
	_, _ = net.ResolveUDPAddr("udp", "localhost:0")         // want "net.ResolveUDPAddr"
	_, _ = net.FilePacketConn(nil)                          // want "net.FilePacketConn"
	_, _ = net.InterfaceAddrs()                             // want "net.InterfaceAddrs"
	_, _ = net.DefaultResolver.LookupAddr(nil, "192.0.2.1") // want "net.DefaultResolver" "net.Resolver.LookupAddr"
	_, _ = tls.Dial("tcp", "192.0.2.1:443", nil)            // want "crypto/tls.Dial"
	_, _ = proxy.SOCKS5("tcp", "192.0.2.1:1080", nil, nil)  // want "proxy.SOCKS5"
	_, _ = syscall.Socket(2, 1, 0)                          // want "syscall.Socket"
	_, _ = unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)   // want "unix.Socket"
	_, _ = http.Get("https://card.invalid")                 // want "net/http.Get"
	_ = &http.Client{}                                      // want "net/http.Client"
	_ = &http.Transport{}                                   // want "net/http.Transport"
	_, _ = http.DefaultClient.Head("https://card.invalid")  // want "net/http.DefaultClient" "net/http.Client.Head"
	_ = exec.Command("curl")                                // want "os/exec.Command"
}

func harmless(c net.Conn, l net.Listener) {
	_, _ = net.Pipe()
	_, _ = l.Accept()
	_, _ = net.SplitHostPort("127.0.0.1:1")
}
