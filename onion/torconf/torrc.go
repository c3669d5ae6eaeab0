// The settings file of our own tor.

package torconf

import "strings"

// Torrc returns the settings of a tor whose data is in data, whose SOCKS socket is socks, and to
// which checked options are added. Neither name may need quoting: ErrOption.
func Torrc(data, socks string, options []string) (string, error) {
	if err := Check(options); err != nil {
		return "", err
	}
	if !plain(data) || !plain(socks) || strings.ContainsAny(data+socks, " '") {
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
	if !Launches(options) {
		lines = append(lines, "NoExec 1")
	}
	return strings.Join(append(lines, options...), "\n") + "\n", nil
}
