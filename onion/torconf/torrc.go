// The settings file of our own tor.

package torconf

import "strings"

// Torrc returns the settings of a tor whose data is in data, whose SOCKS socket for onion services
// is socks, whose SOCKS socket for everything else is exit ("" is none), and to which checked
// options are added. No name may need quoting: ErrOption.
func Torrc(data, socks, exit string, options []string) (string, error) {
	if err := Check(options); err != nil {
		return "", err
	}
	if !plain(data) || !plain(socks) || exit != "" && !plain(exit) ||
		strings.ContainsAny(data+socks+exit, " '") {
		return "", ErrOption
	}
	lines := []string{
		"DataDirectory " + data,
		// Streams with other credentials use other circuits; those in use are kept; only onion
		// services can be asked for; why one could not be reached is told.
		"SocksPort unix:" + socks +
			" IsolateSOCKSAuth KeepAliveIsolateSOCKSAuth OnionTrafficOnly ExtendedErrors",
		"ControlPort 0",
		"DisableNetwork 1", // until the settings have been looked at
		"ClientOnly 1",
		"AvoidDiskWrites 1",
		"SafeLogging 1",
		"ConfluxEnabled 0", // of no use for onion services
		"VanguardsLiteEnabled 1",
		"DormantCanceledByStartup 1", // a state that says "dormant" does not put us to sleep
		"HeartbeatPeriod 0",
	}
	if exit != "" {
		// Streams of one socket never share a circuit with those of another.
		lines = append(lines, "SocksPort unix:"+exit+
			" IsolateSOCKSAuth KeepAliveIsolateSOCKSAuth NoOnionTraffic ExtendedErrors")
	}
	if !Launches(options) {
		lines = append(lines, "NoExec 1")
	}
	return strings.Join(append(lines, options...), "\n") + "\n", nil
}
