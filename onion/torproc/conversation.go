// Talking with tor through bine, around its defects: one command at a time (two at once can lock
// each other out), text never as a format, events always drained, and an end to waiting.

package torproc

import (
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cretz/bine/control"

	"nightjar/onion/torconf"
)

const (
	// eventQueue takes whatever bine has read ahead; it is drained all the time.
	eventQueue = 1024
	// registered is tor's code for a client key that also opened a waiting descriptor. It means
	// success, which bine does not know.
	registered = 252
	// unknown is the code for a command that does not exist, or that a filter hides.
	unknown = 510
	// limitParts is how many parts the time for an answer has.
	limitParts = 8
)

// A conversation is the control connection of one tor.
type conversation struct {
	conn   net.Conn
	ctl    *control.Conn
	limit  atomic.Int64 // a time.Duration for an answer; a tor that takes longer is given up
	stuck  atomic.Bool  // it was given up
	mu     sync.Mutex   // one command at a time
	events chan control.Event
	lost   chan struct{} // closed when no more will be heard
	work   sync.WaitGroup
}

// converse begins a conversation. heard is called with every event, one call at a time, and must
// not wait for an answer of tor.
func converse(conn net.Conn, limit time.Duration, heard func(control.Event)) *conversation {
	c := &conversation{
		conn:   conn,
		ctl:    control.NewConn(textproto.NewConn(conn)),
		events: make(chan control.Event, eventQueue),
		lost:   make(chan struct{}),
	}
	c.limit.Store(int64(limit))
	c.work.Go(func() {
		for c.ctl.HandleNextEvent() == nil {
		}
		c.conn.Close()
		close(c.lost)
	})
	c.work.Go(func() {
		for {
			select {
			case e := <-c.events:
				heard(e)
			case <-c.lost:
				return
			}
		}
	})
	return c
}

// close ends the conversation; a tor that is owned by it ends too.
func (c *conversation) close() {
	c.conn.Close()
	c.work.Wait()
}

// timed runs f, which waits for an answer, with a limit: past it the connection is cut. The limit
// is counted in parts: when the whole machine stands still for a while, only one of them passes,
// and tor is not blamed.
func (c *conversation) timed(f func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	answered := make(chan struct{})
	defer close(answered)
	go func() {
		t := time.NewTicker(time.Duration(c.limit.Load()) / limitParts)
		defer t.Stop()
		for range limitParts {
			select {
			case <-t.C:
			case <-answered:
				return
			}
		}
		c.stuck.Store(true)
		c.conn.Close()
	}()
	err := f()
	var refused *textproto.Error
	if err == nil || errors.As(err, &refused) {
		return err
	}
	return ErrDied // whatever it was, nobody is there any more
}

// ask sends one command and returns the lines of the answer. ErrCommand wraps a refusal, by its
// number alone: tor's words may repeat ours. ErrDied means that there is no answer.
func (c *conversation) ask(command string) (lines []string, err error) {
	if err := torconf.CheckCommand(command); err != nil {
		return nil, err
	}
	err = c.timed(func() error {
		resp, err := c.ctl.SendRequest("%s", command)
		if resp != nil && resp.Err != nil && resp.Err.Code == registered {
			err = nil
		}
		if err == nil {
			lines = resp.DataWithReply()
		}
		return err
	})
	if err = refusal(err); err != nil {
		return nil, err
	}
	return lines, nil
}

// refusal is the error of a command, by tor's number alone. Tor knows every command that we use.
func refusal(err error) error {
	var refused *textproto.Error
	switch {
	case !errors.As(err, &refused):
		return err
	case refused.Code == unknown:
		return ErrFiltered
	}
	return fmt.Errorf("%w (%d)", ErrCommand, refused.Code)
}

// info returns one value that tor knows.
func (c *conversation) info(key string) (string, error) {
	lines, err := c.ask("GETINFO " + key)
	if err != nil {
		return "", err
	}
	value, ok := strings.CutPrefix(lines[0], key+"=")
	if !ok {
		return "", ErrCommand
	}
	return strings.TrimPrefix(value, "\r\n"), nil
}

// greet returns tor's version, and authenticates before if nobody has.
func (c *conversation) greet(known bool) (version string, err error) {
	err = c.timed(func() error {
		if !known {
			if err := c.ctl.Authenticate(""); err != nil {
				return err
			}
		}
		info, err := c.ctl.ProtocolInfo()
		if err == nil {
			version = info.TorVersion
		}
		return err
	})
	return version, err
}

// listen asks for the events that heard is to get.
func (c *conversation) listen(codes ...control.EventCode) error {
	return refusal(c.timed(func() error { return c.ctl.AddEventListener(c.events, codes...) }))
}
