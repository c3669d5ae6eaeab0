// Why tor does not reach its network: from its words to what a user can do.

package torproc

import (
	"fmt"
	"strings"
	"time"

	"nightjar/onion/torconf"
)

const (
	// stall is how long tor stays at a step before it is in trouble.
	stall = 10 * time.Second
	// refused is how long to wait before another try where the last ended at once: nothing is under
	// way that could be spoilt.
	refused = 4 * time.Second
	// unanswered is the same where nothing came back, which may yet.
	unanswered = 20 * time.Second
	// unheard is the same where a relay is asked without anything between: a network that was gone
	// and is back lets the system wait for longer than that. Every patient-th wait is unanswered,
	// for a network that is slow.
	unheard = 6 * time.Second
	patient = 4
	// atOnce is how soon a try to connect ends that was refused, and turnedAway how many such tries
	// leave no hope.
	atOnce     = 2 * time.Second
	turnedAway = 3
)

// A wait is what is seen while tor bootstraps.
type wait struct {
	at      torconf.Phase
	since   time.Time // when it came to this step
	trouble error     // nil while it gets on
	nudged  time.Time
	nudges  int
	turned  int // tries to connect that ended at once
}

// turnedAway reports whether nobody is where tor connects to: each try ends at once. Without a
// network they do too, which says nothing of who is there.
func (w *wait) turnedAway() bool {
	return w.turned >= turnedAway && !w.at.Answered() && w.trouble != ErrNoNetwork
}

// nudge reports whether tor should try again now.
func (w *wait) nudge(now time.Time) bool {
	pause := unanswered
	switch {
	case w.at.Reason == "NOROUTE" || w.at.Reason == "CONNECTREFUSED" ||
		w.at.Reason == "CONNECTRESET":
		pause = refused
	case strings.TrimPrefix(w.at.Tag, "ap_") == "conn" && w.nudges%patient != patient-1:
		pause = unheard
	}
	if w.turned > 0 {
		pause = refused // as a bridge's transport sees it, which does not tell tor why
	}
	since := w.since
	if w.trouble == ErrNoNetwork || since.Before(w.nudged) {
		since = w.nudged
	}
	if w.at.Answered() || now.Sub(since) < pause {
		return false
	}
	w.nudged = now
	w.nudges++
	return true
}

// look takes in a phase, and reports whether there is news.
func (w *wait) look(at torconf.Phase, skewed bool, now time.Time) bool {
	if skewed && at.Reason == "" && at.Percent < 100 {
		at.Reason = "CLOCK_SKEW"
	}
	if at.Percent != w.at.Percent || at.Tag != w.at.Tag {
		w.since = now
	}
	trouble := error(nil)
	if at.Percent < 100 && (skewed || at.Reason == "NOROUTE" || now.Sub(w.since) > stall) {
		trouble = troubleAt(at, skewed)
	}
	if at.Reason == "NOROUTE" {
		w.since = now // no other way in would do better: patience is for another day
	}
	news := at != w.at || trouble != w.trouble
	w.at, w.trouble = at, trouble
	return news
}

// why is the trouble, of which there is one.
func (w *wait) why() error {
	if w.trouble == nil {
		return ErrSlow
	}
	return w.trouble
}

// because is another cause, with the trouble if there is one.
func (w *wait) because(cause error) error {
	if w.trouble == nil {
		return cause
	}
	return fmt.Errorf("%w: %w", w.trouble, cause)
}

// troubleAt says what keeps tor at a step.
func troubleAt(at torconf.Phase, skewed bool) error {
	switch {
	case skewed:
		return ErrClock
	case at.Reason == "NOROUTE":
		return ErrNoNetwork
	case at.Reason == "PT_MISSING":
		return ErrTransport
	case !at.Answered():
		return ErrBlocked
	}
	return ErrSlow
}

// tries counts tries to connect that end at once.
type tries struct {
	begun  map[string]time.Time // by tor's number of the connection
	turned int
}

// hear takes what tor says of a connection. Of one that a bridge's transport could not make it says
// nothing, and begins another.
func (t *tries) hear(id, status string, now time.Time) {
	switch status {
	case "LAUNCHED":
		t.turned += len(t.begun)
		t.begun = map[string]time.Time{id: now}
	case "FAILED", "CONNECTED":
		begun, known := t.begun[id]
		delete(t.begun, id)
		if known && status == "FAILED" && now.Sub(begun) < atOnce {
			t.turned++
		}
	}
}
