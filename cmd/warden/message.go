// What is said on the line, and how much of it.

package warden

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"nightjar/onion/bridge"
	"nightjar/onion/torproc"
)

// The bounds of the line.
const (
	maxAsk    = 160 << 10 // bytes of a packet from the engine: a state of 64 KiB, and 64 options
	maxAnswer = 4 << 10   // bytes of a packet from the warden
	maxTors   = 64        // that one engine can have had started and not wiped
	maxBusy   = 32        // asks at work at a time; more wait
)

// errMessage means a packet that is not one of ours.
var errMessage = errors.New("not a message of the line")

// An ask is what the engine wants.
type ask struct {
	ID      uint64   `json:"id"`
	Do      string   `json:"do"`
	At      string   `json:"at,omitempty"`
	To      string   `json:"to,omitempty"`
	Net     string   `json:"net,omitempty"` // "tcp" or "udp"
	Tor     int      `json:"tor,omitempty"`
	State   []byte   `json:"state,omitempty"`
	Options []string `json:"options,omitempty"`
}

// A word is what the warden says: an answer if it has an ID, else news.
type word struct {
	ID      uint64 `json:"id,omitempty"`
	Errno   int    `json:"errno,omitempty"`
	Why     string `json:"why,omitempty"`
	Tor     int    `json:"tor,omitempty"`
	Dir     string `json:"dir,omitempty"`
	PID     int    `json:"pid,omitempty"`
	Ended   bool   `json:"ended,omitempty"`
	Refused bool   `json:"refused,omitempty"`
	Foreign string `json:"foreign,omitempty"` // where a tor that is not ours listens
	User    string `json:"user,omitempty"`    // the login of tor at the outlet
	Key     string `json:"key,omitempty"`
	Lost    bool   `json:"lost,omitempty"`  // the way out has ended
	Moved   bool   `json:"moved,omitempty"` // this machine has another network
	Stop    bool   `json:"stop,omitempty"`
}

// readAsk reads an ask strictly: what it accepts, written again, is read as the same.
func readAsk(b []byte) (a ask, err error) {
	if len(b) > maxAsk {
		return a, errMessage
	}
	if err := strictly(b, &a); err != nil || a.ID == 0 {
		return ask{}, errMessage
	}
	return a, nil
}

// readWord reads what the warden says.
func readWord(b []byte) (w word, err error) {
	if len(b) > maxAnswer {
		return w, errMessage
	}
	if err := strictly(b, &w); err != nil {
		return word{}, errMessage
	}
	return w, nil
}

// strictly reads one JSON object with known fields and nothing behind it.
func strictly(b []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return errMessage
	}
	if d.More() {
		return errMessage
	}
	return nil
}

// reason says in a word why there is no tor; cause reads it.
func reason(err error) string {
	for _, r := range reasons() {
		if errors.Is(err, r.is) {
			return r.word
		}
	}
	return "died"
}

func cause(word string) error {
	for _, r := range reasons() {
		if r.word == word {
			return r.is
		}
	}
	return torproc.ErrDied
}

// A saying is a word for an error on the line.
type saying struct {
	word string
	is   error
}

// reasons lists the words; of two errors that are both true the first one says more.
func reasons() []saying {
	return []saying{{"missing", torproc.ErrMissing}, {"option", torproc.ErrOption},
		{"directory", torproc.ErrDirectory}, {"died", torproc.ErrDied}, {"away", torproc.ErrAway},
		{"cookie", torproc.ErrCookie},
		{"password", torproc.ErrPassword}, {"auth", torproc.ErrAuth},
		{"obfs4", bridge.ErrNoObfs4}, {"snowflake", bridge.ErrNoSnowflake},
		{"webtunnel", bridge.ErrNoWebtunnel}, {"bridge", bridge.ErrLine}, {"weak", bridge.ErrWeak}}
}

// onlyBridges reports whether the engine adds nothing but bridges to the user's settings: it must
// not name programs to run or proxies to use.
func onlyBridges(options []string) bool {
	for _, line := range options {
		switch name, _, _ := strings.Cut(line, " "); strings.ToLower(name) {
		case "usebridges", "bridge":
		default:
			return false
		}
	}
	return true
}
