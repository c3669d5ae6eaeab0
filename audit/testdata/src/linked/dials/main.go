// Package main opens no socket itself. Its library does.
package main

import "golang.org/x/net/proxy"

func main() {
	d, _ := proxy.SOCKS5("unix", "sock", nil, nil)
	_, _ = d.Dial("tcp", "card.invalid:1")
}
