// Package torconf is what is said to a tor process, and what it says, as text: its settings file,
// the options that a user may add, control commands, bootstrap phases, versions and its state. It
// is pure; package torproc does the talking.
package torconf

import (
	"errors"
	"strings"
)

// ErrOption means an option that is not on the list of allowed ones, or not well formed.
var ErrOption = errors.New("tor option refused")

// The bounds of options.
const (
	maxOptions = 64
	maxOption  = 1024 // bytes
)

// allowed are the options that may be added, by their names in lower case; each with the reason.
// What is not here is refused: names of options that weaken a path are too many to list.
func allowed() map[string]string {
	return map[string]string{
		"testingtornetwork":     "a private network: its rules",
		"dirauthority":          "a private network: its authority",
		"geoipfile":             "a private network: no tables",
		"geoipv6file":           "a private network: no tables",
		"shutdownwaitlength":    "ends sooner",
		"usebridges":            "enter by a bridge",
		"bridge":                "the bridge's line",
		"clienttransportplugin": "the program that speaks a bridge's transport",
		"socks5proxy":           "a network that can only be left by a proxy",
		"socks5proxyusername":   "the proxy's user",
		"socks5proxypassword":   "the proxy's password",
		"httpsproxy":            "a network that can only be left by a proxy",
		"reachableaddresses":    "a network that lets few ports out",
		"clientuseipv4":         "a network without IPv4",
		"clientuseipv6":         "a network with IPv6",
		"connectionpadding":     "more cover towards the guard",
	}
}

// Check refuses lines that are not allowed options. The error is ErrOption.
func Check(lines []string) error {
	if len(lines) > maxOptions {
		return ErrOption
	}
	names := allowed()
	for _, line := range lines {
		name, value, _ := strings.Cut(line, " ")
		if len(line) > maxOption || names[strings.ToLower(name)] == "" || !plain(value) {
			return ErrOption
		}
		if strings.EqualFold(name, "ClientTransportPlugin") && !managedTransport(value) {
			return ErrOption
		}
	}
	return nil
}

// plain reports whether a value means in a settings file what it seems to mean: no quotes, no
// continuation, no comment, no control character; and something besides space.
func plain(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || strings.IndexByte(`"\#%`, c) >= 0 {
			return false
		}
	}
	return strings.TrimSpace(value) != ""
}

// managedTransport reports whether a ClientTransportPlugin names a program by its absolute path,
// so that nothing in another directory can take its place.
func managedTransport(value string) bool {
	f := strings.Fields(value)
	return len(f) >= 3 && f[1] == "exec" && strings.HasPrefix(f[2], "/")
}

// Launches reports whether checked lines let tor start another program.
func Launches(lines []string) bool { return len(Programs(lines)) > 0 }

// Programs lists the programs that checked lines let tor start.
func Programs(lines []string) (names []string) {
	for _, line := range lines {
		f := strings.Fields(line)
		if strings.EqualFold(f[0], "ClientTransportPlugin") && managedTransport(line[len(f[0]):]) {
			names = append(names, f[3])
		}
	}
	return names
}

// Tables lists the files that checked lines let tor read.
func Tables(lines []string) (names []string) {
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) > 1 && (strings.EqualFold(f[0], "GeoIPFile") ||
			strings.EqualFold(f[0], "GeoIPv6File")) && strings.HasPrefix(f[1], "/") {
			names = append(names, f[1])
		}
	}
	return names
}
