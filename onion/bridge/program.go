// The programs that speak transports: which there are, and where they are installed.

package bridge

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
)

var (
	// ErrNoObfs4 means that obfs4 or meek_lite is wanted and nothing here speaks it.
	ErrNoObfs4 = errors.New("no program for obfs4 and meek_lite: Debian's package obfs4proxy " +
		"has one, or install lyrebird")
	// ErrNoSnowflake means that snowflake is wanted and nothing here speaks it.
	ErrNoSnowflake = errors.New("no program for snowflake: Debian's package snowflake-client " +
		"has one, or install lyrebird 0.6 or later")
	// ErrNoWebtunnel means that webtunnel is wanted and nothing here speaks it.
	ErrNoWebtunnel = errors.New("no program for webtunnel: Debian has no package of its own; " +
		"install the Tor Project's webtunnel-client, or lyrebird 0.6 or later")
)

// programs are the names of programs that speak a transport, the best first.
func programs(transport string) []string {
	switch transport {
	case "obfs4", "meek_lite":
		return []string{"lyrebird", "obfs4proxy"}
	case "snowflake":
		return []string{"snowflake-client", "lyrebird"}
	case "webtunnel":
		return []string{"webtunnel-client", "lyrebird"}
	}
	return nil
}

func missing(transport string) error {
	switch transport {
	case "snowflake":
		return ErrNoSnowflake
	case "webtunnel":
		return ErrNoWebtunnel
	}
	return ErrNoObfs4
}

// A Finder returns the absolute name of a program, or "" if it is not installed.
type Finder func(name string) string

// Installed is the Finder of this machine: PATH, and what a short PATH leaves out.
func Installed(name string) string {
	for _, try := range []string{name, "/usr/bin/" + name, "/usr/local/bin/" + name,
		"/usr/sbin/" + name} {
		if at, err := exec.LookPath(try); err == nil {
			if at, err = filepath.Abs(at); err == nil {
				return at
			}
		}
	}
	return ""
}

// Plugins returns the settings (ClientTransportPlugin) that the Bridge lines among tor's settings
// need and that are not there yet. Errors are ErrNoObfs4, ErrNoSnowflake and ErrNoWebtunnel. A
// Bridge line that Parse refuses is left for tor to judge.
func Plugins(settings []string, find Finder) ([]string, error) {
	have := map[string]bool{"": true}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, " ")
		f := strings.Fields(value)
		if strings.EqualFold(name, "ClientTransportPlugin") && len(f) > 0 {
			for _, t := range strings.Split(f[0], ",") {
				have[t] = true
			}
		}
	}
	var plugins []string
	for _, s := range settings {
		name, value, _ := strings.Cut(s, " ")
		if !strings.EqualFold(name, "Bridge") {
			continue
		}
		l, err := Parse(value)
		if err != nil || have[l.Transport] {
			continue
		}
		at := ""
		for _, program := range programs(l.Transport) {
			if at = find(program); at != "" {
				break
			}
		}
		if at == "" || strings.ContainsAny(at, " \"\\#%") {
			return nil, missing(l.Transport)
		}
		have[l.Transport] = true
		plugins = append(plugins, "ClientTransportPlugin "+l.Transport+" exec "+at)
	}
	return plugins, nil
}
