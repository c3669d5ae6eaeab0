// What is said to tor weakens nothing, and what it says is not believed blindly.

package torconf

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestOptionsThatWeakenAreRefused(t *testing.T) {
	for _, line := range []string{
		"HiddenServiceSingleHopMode 1", "HiddenServiceNonAnonymousMode 1", "SocksPort 9050",
		"ControlPort 9051", "ControlSocket /x", "Log debug file /x", "HiddenServiceDir /x",
		"HiddenServicePort 80", "ORPort 9001", "DNSPort 53", "TransPort 1", "NATDPort 1",
		"HTTPTunnelPort 1", "ExtORPort auto", "MetricsPort 1", "DirPort 1", "EntryNodes x",
		"User root", "DataDirectory /x", "SafeLogging 0", "NoExec 0", "__OwningControllerFD 4",
		"ServerTransportPlugin x exec /x", "UseEntryGuards 0", "VanguardsLiteEnabled 0",
		"MapAddress a b", "%include /x", "__DisableSignalHandlers 1", "PidFile /x",
		"HSLayer2Nodes x", "AllowSingleHopCircuits 1", "Tor2webMode 1", "DisableNetwork 0",
		"+Bridge 1.2.3.4:5", "/Bridge", "Bridg 1.2.3.4:5", "Bridge", "Bridge  ", "",
	} {
		if err := Check([]string{line}); !errors.Is(err, ErrOption) {
			t.Errorf("%q was allowed", line)
		}
	}
}

func TestOptionsCannotSmuggleOthers(t *testing.T) {
	for _, line := range []string{
		"Bridge 1.2.3.4:5\nControlPort 9051", "Bridge 1.2.3.4:5\rControlPort 1",
		"Bridge 1.2.3.4:5 \\", "Bridge \"1.2.3.4:5\"", "Bridge 1.2.3.4:5 # x", "Bridge\t1.2.3.4:5",
		"Bridge 1.2.3.4:5 %n", "Bridge 1.2.3.4:5\x00", "Bridge \xc3\xa9",
		"Bridge " + strings.Repeat("1", maxOption),
		"ClientTransportPlugin obfs4 exec obfs4proxy", "ClientTransportPlugin obfs4 socks5 1.2.3.4:5",
		"ClientTransportPlugin obfs4 exec",
	} {
		if err := Check([]string{line}); !errors.Is(err, ErrOption) {
			t.Errorf("%q was allowed", line)
		}
	}
	if err := Check(make([]string, maxOptions+1)); !errors.Is(err, ErrOption) {
		t.Error("too many options were allowed")
	}
}

var bridge = []string{
	"UseBridges 1",
	"ClientTransportPlugin obfs4 exec /usr/bin/obfs4proxy",
	"Bridge obfs4 192.0.2.1:443 224FAB4B7EA0824D204A58D91932114FB33A3AA2 cert=U+EP/xC iat-mode=0",
}

func TestPrivateNetworksAndBridgesAreAllowed(t *testing.T) {
	for _, lines := range [][]string{bridge, {"TestingTorNetwork 1", "GeoIPFile /dev/null",
		"DirAuthority a orport=1 no-v2 v3ident=FF 127.0.0.1:2 EE", "ShutdownWaitLength 0"}} {
		if err := Check(lines); err != nil {
			t.Errorf("%q: %v", lines, err)
		}
	}
}

func TestTorMayOnlyStartProgramsForBridges(t *testing.T) {
	plainly, err := Torrc("/run/n/data", "/run/n/socks", "", nil)
	if err != nil || !strings.Contains(plainly, "\nNoExec 1\n") {
		t.Errorf("%v\n%s", err, plainly)
	}
	bridged, err := Torrc("/run/n/data", "/run/n/socks", "", bridge)
	if err != nil || strings.Contains(bridged, "NoExec") {
		t.Errorf("%v\n%s", err, bridged)
	}
}

func TestTorrcListensNowhereButOnOneUnixSocket(t *testing.T) {
	text, err := Torrc("/run/n/data", "/run/n/socks", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(text, "\n") {
		name, value, _ := strings.Cut(line, " ")
		switch {
		case name == "SocksPort" && strings.HasPrefix(value, "unix:/run/n/socks "):
		case name == "ControlPort" && value == "0":
		case strings.HasSuffix(name, "Port") || strings.HasSuffix(name, "Socket"):
			t.Errorf("line %q", line)
		}
	}
	for _, path := range []string{"/run/a b", "/run/a\nb", `/run/"a`, "/run/a%n", "/run/a#b", ""} {
		if _, err := Torrc(path, "/s", "", nil); !errors.Is(err, ErrOption) {
			t.Errorf("directory %q was taken", path)
		}
	}
}

// Only who asks for exits gets a socket that leads to them, and the other stays as it is.
func TestExitsHaveASocketOfTheirOwn(t *testing.T) {
	without, err := Torrc("/run/n/data", "/run/n/socks", "", nil)
	if err != nil || strings.Count(without, "SocksPort") != 1 ||
		!strings.Contains(without, " OnionTrafficOnly ") {
		t.Errorf("%v\n%s", err, without)
	}
	with, err := Torrc("/run/n/data", "/run/n/socks", "/run/n/exit", nil)
	if err != nil || !strings.HasPrefix(with, without[:strings.Index(without, "ControlPort")]) ||
		!strings.Contains(with, "\nSocksPort unix:/run/n/exit IsolateSOCKSAuth ") ||
		strings.Count(with, "OnionTrafficOnly") != 1 {
		t.Errorf("%v\n%s", err, with)
	}
	if _, err := Torrc("/run/n/data", "/run/n/socks", "/run/n/e x", nil); err == nil {
		t.Error("a socket's name with a space was taken")
	}
}

func TestOldTorIsRecognized(t *testing.T) {
	for version, enough := range map[string]bool{
		"0.4.9.11": true, "0.4.9.12": true, "0.4.10.0-alpha": true, "0.5.0.1": true, "1.0.0.0": true,
		"0.4.9.11 (git-abc)": true, "0.4.9.11-dev": true,
		"0.4.9.10": false, "0.4.8.99": false, "0.3.9.11": false, "0.4.9": false, "": false,
		"0.4.9.x": false, "0.4.9.-1": false, "9.9.9.9.9": false, "+1.0.0.0": false,
	} {
		if NewEnough(version) != enough {
			t.Errorf("version %q: %v", version, !enough)
		}
	}
	if got := ShortVersion("0.4.9.11-dev (git-abc)"); got != "0.4.9.11" {
		t.Errorf("short version %q", got)
	}
}

func TestPhasesTellOnlyFixedWords(t *testing.T) {
	p, ok := ParsePhase(`WARN BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY="Connecting to a relay" ` +
		`WARNING="Connection refused" REASON=CONNECTREFUSED COUNT=4 RECOMMENDATION=warn ` +
		`HOSTID="AAAA" HOSTADDR="192.0.2.1:443"`)
	if want := (Phase{5, "conn", "CONNECTREFUSED"}); !ok || p != want {
		t.Errorf("%+v, %v", p, ok)
	}
	if p.Word() != "conn (CONNECTREFUSED)" || (Phase{Tag: "done"}).Word() != "done" {
		t.Errorf("words %q", p.Word())
	}
	for _, line := range []string{"", "NOTICE BOOTSTRAP PROGRESS=5", "NOTICE OTHER PROGRESS=5 TAG=a",
		"NOTICE BOOTSTRAP PROGRESS=101 TAG=a", "NOTICE BOOTSTRAP PROGRESS=x TAG=a"} {
		if _, ok := ParsePhase(line); ok {
			t.Errorf("%q is a phase", line)
		}
	}
	if p, _ := ParsePhase("NOTICE BOOTSTRAP PROGRESS=5 TAG=a REASON=192.0.2.1"); p.Reason != "" {
		t.Errorf("reason %q", p.Reason)
	}
}

func FuzzPhase(f *testing.F) {
	f.Add(`NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"`)
	f.Add(`WARN BOOTSTRAP PROGRESS=5 TAG=conn REASON=NOROUTE HOSTADDR="192.0.2.1:443"`)
	f.Fuzz(func(t *testing.T, line string) {
		p, ok := ParsePhase(line)
		if ok && (p.Percent < 0 || p.Percent > 100 || strings.ContainsAny(p.Word(), ".:0123456789\n")) {
			t.Errorf("%+v", p)
		}
	})
}

func TestOnlyGuardsAreKeptOfTheState(t *testing.T) {
	state := "# Tor state file last generated on 2026-11-22 16:02:05 local time\n" +
		"Guard in=default rsa_id=AA nickname=x sampled_on=2026-11-20T00:00:00 confirmed_idx=0\n" +
		"TorVersion Tor 0.4.9.11\nLastWritten 2026-11-22 16:02:05\n" +
		"HidServRevCounter 1\nDormant 1\nCircuitBuildTimeBin 100 2\r\nTotalBuildTimes 2\n" +
		"Guard in=evil\x00\nGuard\nGuards x\n"
	want := "Guard in=default rsa_id=AA nickname=x sampled_on=2026-11-20T00:00:00 confirmed_idx=0\n" +
		"CircuitBuildTimeBin 100 2\nTotalBuildTimes 2\n"
	if got := string(Guards([]byte(state))); got != want {
		t.Errorf("kept %q", got)
	}
	long := bytes.Repeat([]byte("Guard x\n"), maxState)
	if n := len(Guards(long)); n > maxState {
		t.Errorf("kept %d bytes", n)
	}
}

func FuzzGuards(f *testing.F) {
	f.Add([]byte("Guard in=default\nDormant 1\n"))
	f.Fuzz(func(t *testing.T, state []byte) {
		once := Guards(state)
		if !bytes.Equal(Guards(once), once) {
			t.Errorf("kept %q, then %q", once, Guards(once))
		}
	})
}

func TestCommandsStayOneCommand(t *testing.T) {
	for _, text := range []string{"GETINFO a\r\nQUIT", "a\nb", "a\rb", "a\x00", "\xff"} {
		if err := CheckCommand(text); !errors.Is(err, ErrCommand) {
			t.Errorf("%q passed", text)
		}
	}
	key := make([]byte, 64)
	if _, err := AddOnion(key, 1, "unix:/a b", nil); !errors.Is(err, ErrCommand) {
		t.Error("a target with a space passed")
	}
	if _, err := AddOnion(key, 1, "unix:/a,Port=2", nil); !errors.Is(err, ErrCommand) {
		t.Error("a target with a comma passed")
	}
	if _, err := AddOnion(key, 1, "unix:/a", make([][32]byte, MaxClients+1)); !errors.Is(err, ErrCommand) {
		t.Error("too many clients passed")
	}
}

func TestServiceWithClientsIsClosedToOthers(t *testing.T) {
	open, _ := AddOnion(make([]byte, 64), 7, "unix:/s", nil)
	if strings.Contains(open, "V3Auth") {
		t.Errorf("command %q", open)
	}
	closed, _ := AddOnion(make([]byte, 64), 7, "unix:/s", make([][32]byte, 2))
	want := " Flags=DiscardPK,V3Auth MaxStreams=16 PoWDefensesEnabled=1 Port=7,unix:/s" +
		strings.Repeat(" ClientAuthV3="+strings.Repeat("A", 52), 2)
	if !strings.HasSuffix(closed, want) {
		t.Errorf("command %q", closed)
	}
}
