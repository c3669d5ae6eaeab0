// What the engine does when its network is lost, or comes back.

package main

import (
	"context"

	"nightjar/onion/torproc"
)

// changed takes in what has become of the network; when too much waits, the rest says the same.
func (e *engine) changed(n torproc.Notice) {
	select {
	case e.changes <- n:
	default:
	}
}

// heed says what has become of the network, and looks for the contacts anew when it is back.
func (e *engine) heed(ctx context.Context) {
	for {
		select {
		case n := <-e.changes:
			e.step(e.start, noticeWords(n))
			switch n {
			case torproc.Answers, torproc.Woke, torproc.Began:
				e.node.Check()
			}
		case <-ctx.Done():
			return
		}
	}
}

func noticeWords(n torproc.Notice) string {
	switch n {
	case torproc.Silent:
		return "nothing comes from the network any more; tor is trying again"
	case torproc.Answers:
		return "the network answers again; looking for the contacts"
	case torproc.Woke:
		return "this machine slept, or its clock was set: connections are made anew"
	case torproc.Ended:
		return "tor has ended and is started again; until then nothing is sent, by no other way"
	}
	return "tor runs again; looking for the contacts"
}
