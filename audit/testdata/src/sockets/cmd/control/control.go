// Package control speaks over unix sockets, and tries another network.
package control

import (
	"context"
	"net"
	"net/http"
)

func client(path, network string) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}}
}

func widens(path, network string) {
	_, _ = net.Listen("unix", path)
	_, _ = net.Listen(network, path)                                        // want "net.Listen"
	_, _ = net.Dial("tcp", path)                                            // want "net.Dial"
	_, _ = new(net.Dialer).DialContext(context.Background(), network, path) // want "net.Dialer.DialContext"
	_ = net.Dial                                                            // want "net.Dial"
	_, _ = http.Get("http://control.invalid")                               // want "net/http.Get"
}
