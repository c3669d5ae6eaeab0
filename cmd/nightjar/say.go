// From errors to words: what happened, and what to do next.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"

	"nightjar/cmd/control"
	"nightjar/cmd/control/disk"
	"nightjar/onion"
)

// say turns an error into one line of what happened and one of what to do next: the rooms say what,
// not what now. For programs it is one object of JSON.
func (c console) say(cmd *command, err error) int {
	var misuse usageError
	var code ended
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(c.out, cmd.usage())
		return 0
	case errors.As(err, &code):
		return c.afterwards(code)
	case errors.As(err, &misuse):
		return c.misused(cmd, misuse.msg)
	case errors.Is(err, context.Canceled) && (cmd.name == "up" || cmd.name == "gateway"):
		c.show(refusal{Code: "stopped", Message: "stopped"})
	case errors.Is(err, context.Canceled):
		c.show(refusal{Code: "interrupted",
			Message: "interrupted; what was begun goes on in the engine"})
	default:
		c.tell(err)
	}
	return 1
}

// killedAbove is the exit code above which a signal ended a process, as shells say it.
const killedAbove = 128

// afterwards returns the exit code of an engine: it has said why it ended, unless it was killed.
func (c console) afterwards(code ended) int {
	if code > killedAbove {
		c.show(refusal{Code: "killed",
			Message: "the engine was killed; nothing that is stored in the vault is lost",
			Hint:    "start it again: nightjar up"})
	}
	return int(code)
}

// misused says that a command was given in a way it does not know.
func (c console) misused(cmd *command, how string) int {
	if !c.asJSON {
		fmt.Fprintf(c.err, "nightjar: %s\nusage: %s\nhint: more, with examples: nightjar help %s\n",
			how, cmd.form(), cmd.name)
		return 2
	}
	c.show(refusal{Code: "usage", Message: how, Hint: "as in: " + cmd.form()})
	return 2
}

// refusal is an error for programs.
type refusal struct {
	Code    control.Code `json:"error"` // of docs/api.md
	Message string       `json:"message"`
	Hint    string       `json:"hint,omitempty"`
}

// tell shows an error and what to do next.
func (c console) tell(err error) {
	r := refusal{Code: code(err), Message: what(err), Hint: hint(err)}
	c.show(r)
}

// show shows a refusal.
func (c console) show(r refusal) {
	r.Hint = c.here(r.Hint)
	if c.asJSON {
		_ = json.NewEncoder(c.err).Encode(r)
		return
	}
	fmt.Fprintf(c.err, "nightjar: %s\n", r.Message)
	if r.Hint != "" {
		fmt.Fprintf(c.err, "hint: %s\n", r.Hint)
	}
}

// note shows what the user should know, beside what was asked for.
func (c console) note(format string, args ...any) {
	c.line("nightjar: note: "+format, args...)
}

// line shows a line of ours beside what was asked for. Programs are shown none: what they need to
// know is in the data.
func (c console) line(format string, args ...any) {
	if !c.asJSON {
		fmt.Fprintln(c.err, c.here(fmt.Sprintf(format, args...)))
	}
}

// what is the error in one line. A network error of the way out says only which part of the road
// failed.
func what(err error) string {
	var tried trialError
	if errors.As(err, &tried) {
		return tried.Error()
	}
	var place *onion.Error
	if errors.As(err, &place) {
		return "cannot " + place.Op + ": " + place.Err.Error()
	}
	if why := disk.Cause(err); why != nil && code(err) == code(why) {
		return why.Error()
	}
	return err.Error()
}
