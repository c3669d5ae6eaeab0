// A program that stands in for tor where tor itself cannot be made to misbehave. It is this test
// binary, started by a link whose name says how it behaves.

package torproc

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "--__OwningControllerFD") {
		pretend(filepath.Base(os.Args[0]))
		return
	}
	os.Exit(m.Run())
}

// program returns the name of a stand-in that behaves as told.
func standIn(t *testing.T, behaviour string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), behaviour)
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	return link
}

// pretend is the stand-in's life.
func pretend(behaviour string) {
	switch behaviour {
	case "dies":
		return
	case "refuses":
		os.Exit(1)
	}
	c, err := net.FileConn(os.NewFile(3, "control"))
	if err != nil {
		os.Exit(2)
	}
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		if behaviour != "deaf" {
			fmt.Fprint(c, answer(behaviour, lines.Text()))
		}
	}
	os.WriteFile(filepath.Join("data", "state"), []byte("Guard in=test\nDormant 1\n"), 0o600)
}

// answer is what a tor of that behaviour says to a command.
func answer(behaviour, command string) string {
	word, rest, _ := strings.Cut(command, " ")
	switch word {
	case "PROTOCOLINFO":
		version := "0.4.9.11"
		if behaviour == "old" {
			version = "0.4.8.10"
		}
		return "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n" +
			"250-VERSION Tor=\"" + version + "\"\r\n250 OK\r\n"
	case "GETCONF":
		value := "0"
		if behaviour == "shows" {
			value = "1"
		}
		return "250-HiddenServiceSingleHopMode=0\r\n250 HiddenServiceNonAnonymousMode=" + value + "\r\n"
	case "SETCONF":
		if behaviour == "disobeys" {
			return "553 Unable to set option\r\n"
		}
	case "GETINFO":
		return "250-" + rest + "=" + info(behaviour, rest) + "\r\n250 OK\r\n"
	}
	return "250 OK\r\n"
}

func info(behaviour, key string) string {
	dir, _ := os.Getwd()
	switch {
	case key == "net/listeners/socks":
		return `"unix:` + filepath.Join(dir, "s", "socks") + `"`
	case key == "net/listeners/dns" && behaviour == "listens":
		return `"127.0.0.1:53"`
	case key == "status/bootstrap-phase" && behaviour == "stuck":
		return `WARN BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY="x" REASON=NOROUTE HOSTADDR="192.0.2.1:1"`
	case key == "status/bootstrap-phase":
		return `NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"`
	}
	return ""
}
