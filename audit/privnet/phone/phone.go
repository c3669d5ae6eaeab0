// Package phone drives unmodified SIP phones, baresip and linphonec, for the end-to-end tests
// and the demonstration: a configuration of its own in a directory of its own, registration,
// calls with recorded speech, texts, key presses, hold, and what was heard as a WAV.
//
// A phone works where there is nothing but loopback: no network interface besides lo, no sound
// card, no name server. It leaves nothing: its process ends by Stop, with the program that
// started it, or with the ctx it was started with.
//
//	p, err := phone.Baresip(ctx, phone.Config{Server: "127.0.0.1:5060", User: "alice", ...})
//	defer p.Stop()
//	err = p.Registered(ctx)
//	err = p.Call(ctx, "bob")     // returns when bob has answered
//
// Both phones answer a call that comes by themselves.
package phone

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"

	"nightjar/audit/privnet/phone/sound"
)

// ErrMissing is returned when a program is not installed; the text names the Debian package.
var ErrMissing = errors.New("phone is not installed")

// ErrNoSpeech is returned when no recorded speech is installed; the text names the package.
var ErrNoSpeech = errors.New("recorded speech is not installed")

// ErrEnded is returned when the phone's process ended while something was expected of it.
var ErrEnded = errors.New("phone has ended")

// Codec names as SDP has them.
const (
	Opus = "opus"
	G722 = "G722"
	PCMU = "PCMU"
	PCMA = "PCMA"
)

// Config says who a phone is and what it does.
type Config struct {
	Server    string            // the registrar, IP:PORT
	User      string            // account name
	Password  string            // its password
	Realm     string            // of the account; linphonec wants to know; empty: "nightjar"
	Transport string            // "udp" or "tcp"; empty: udp
	Address   netip.Addr        // an address of this machine that the phone uses; zero: 127.0.0.1
	Codecs    []string          // in order of preference; empty: Opus, PCMU
	Speech    string            // WAV with what it says in calls, again and again; empty: nothing
	Peer      string            // the name that it writes to; baresip only
	InfoKeys  bool              // press keys by SIP INFO; linphonec only
	Encrypt   bool              // offer SRTP only; linphonec only
	STUN      string            // a STUN server that it asks in calls, IP:PORT; baresip only
	Dir       string            // working directory; empty: a temporary one, removed by Stop
	Tell      func(line string) // what the phone prints; nil: nobody
}

// Phone is a running phone. The methods that wait return the error of ctx, or ErrEnded.
type Phone interface {
	// Registered waits until the phone is registered.
	Registered(ctx context.Context) error
	// Call dials a name at the server and waits until it is answered.
	Call(ctx context.Context, name string) error
	// Talking waits until a call that came is answered.
	Talking(ctx context.Context) error
	// Write sends a text to a name at the server.
	Write(ctx context.Context, name, text string) error
	// Got waits until a text of one line has come.
	Got(ctx context.Context, text string) error
	// Press sends a key press into the call.
	Press(ctx context.Context, key byte) error
	// Pressed waits until the far side has pressed a key.
	Pressed(ctx context.Context, key byte) error
	// Hold holds the call, Resume takes it back.
	Hold(ctx context.Context) error
	Resume(ctx context.Context) error
	// HangUp ends the call.
	HangUp(ctx context.Context) error
	// Ended waits until the call is over.
	Ended(ctx context.Context) error
	// Heard is the WAV with what the phone heard. It is whole once the call is over.
	Heard() (string, error)
	// Log returns the last n lines the phone printed.
	Log(n int) string
	// Pid is the phone's process.
	Pid() int
	// Stop ends the phone and removes what it wrote, unless Config.Dir was given.
	Stop()
}

// defaults fills what is empty, finds the program, and makes the directory.
func (c *Config) defaults(program, debian string) (exe string, err error) {
	if exe, err = exec.LookPath(program); err != nil {
		return "", fmt.Errorf("%w: apt-get install %s", ErrMissing, debian)
	}
	if c.Realm == "" {
		c.Realm = "nightjar"
	}
	if c.Transport == "" {
		c.Transport = "udp"
	}
	if !c.Address.IsValid() {
		c.Address = netip.MustParseAddr("127.0.0.1")
	}
	if len(c.Codecs) == 0 {
		c.Codecs = []string{Opus, PCMU}
	}
	if c.Dir == "" {
		c.Dir, err = os.MkdirTemp("", "nj-phone")
		return exe, err
	}
	return exe, os.MkdirAll(c.Dir, 0o700)
}

// speechTime is how long a phone can speak: baresip hangs up when its file ends.
const speechTime = 600

// prepareSpeech writes what the phone says, long enough and as both phones like it.
func (c *Config) prepareSpeech() error {
	if c.Speech == "" {
		return nil
	}
	clip, err := sound.Read(c.Speech)
	if err != nil {
		return err
	}
	c.Speech = filepath.Join(c.Dir, "speech.wav")
	return sound.Write(c.Speech, clip.At(8000).Repeat(speechTime))
}

// Recordings finds two recordings of a human voice that are not the same: what each side of a
// call can say.
func Recordings() (one, other string, err error) {
	const dir = "/usr/share/asterisk/sounds/en_US_f_Allison/"
	one, other = dir+"demo-instruct.wav", dir+"demo-congrats.wav"
	for _, name := range []string{one, other} {
		if _, err := os.Stat(name); err != nil {
			return "", "", fmt.Errorf("%w: apt-get install asterisk-core-sounds-en-wav",
				ErrNoSpeech)
		}
	}
	return one, other, nil
}

// freePort asks the kernel for a port on which nobody listens over UDP nor TCP.
func freePort() (int, error) {
	for range 50 {
		udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		port := udp.LocalAddr().(*net.UDPAddr).Port
		udp.Close()
		tcp, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			tcp.Close()
			return port, nil
		}
	}
	return 0, errors.New("no free port")
}

// newest finds the newest file that matches a pattern.
func newest(pattern string) (string, error) {
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		return "", errors.New("the phone recorded nothing")
	}
	best := names[0]
	for _, n := range names[1:] {
		a, errA := os.Stat(best)
		b, errB := os.Stat(n)
		if errA == nil && errB == nil && b.ModTime().After(a.ModTime()) {
			best = n
		}
	}
	return best, nil
}
