// Package meet knows where to begin, and should not.
package meet

const (
	router  = "router.bittorrent.com:6881"                                     // want "router.bittorrent.com"
	numeric = "185.157.221.247:25401"                                          // want "185.157.221.247"
	six     = "[2a01:4f8::1]:6881"                                             // want "2a01:4f8::1"
	secure  = "https://relay.pkarr.org/"                                       // want "relay.pkarr.org"
	service = "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion" // want "duckduck"

	loopback = "127.0.0.1:5060"
	loop6    = "[::1]:0"
	anywhere = "0.0.0.0:0"
	reserved = "nightjar.invalid"
	version  = "1.2.3"
	file     = "state.json"
	clock    = "15:04:05"
	suffix   = ".onion"
	document = "192.0.2.7:9001 and [2001:db8::1]:1, at example.org"
	program  = "0.4.9.11"
	known    = "spec.example.org"
)
