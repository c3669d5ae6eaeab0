//go:build e2e

// What the contact does in its tunnel: it keeps it alive, renews its keys, writes, and answers.

package memory

import (
	"bytes"
	"crypto/rand"
	"io"
	"time"

	"nightjar/node/talk"
	"nightjar/tunnel/record"
)

// stream is the number of the one stream, the first of the initiator.
const stream = "\x00\x00\x00\x01"

// post sends one record with one frame, or with none.
func (m *mirror) post(k record.Kind, body []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.write(k, body)
}

// write is post with mu held. When the tunnel has ended nobody hears it.
func (m *mirror) write(k record.Kind, body []byte) {
	plain := make([]byte, 0, record.Size)
	if k != 0 {
		plain = record.Append(plain, k, body...)
	}
	_, _ = m.conn.Write(must(m.send.Seal(plain)))
}

// say sends a record of the talk on the stream.
func (m *mirror) say(r talk.Record) {
	var b bytes.Buffer
	check(talk.WriteRecord(&b, r))
	for b.Len() > 0 {
		m.post(record.Data, append([]byte(stream), b.Next(400)...))
	}
}

// work makes the tunnel and answers in it until the identity ends it. What it does itself begins
// when there is a stream; acked gets an id for each of its messages that the identity has safe.
func (m *mirror) work(first func(), acked chan<- talk.ID) {
	m.shake()
	r, w := io.Pipe()
	if m.initiator {
		m.post(record.Open, []byte(stream))
		m.say(talk.Record{Kind: talk.KindMain})
		go first()
	} else {
		m.post(0, nil)
	}
	go m.converse(r, first, acked)
	go m.beat()
	m.listen(w)
}

// beat keeps the tunnel alive.
func (m *mirror) beat() {
	for range time.Tick(5 * time.Second) {
		m.post(0, nil)
	}
}

// converse answers what comes on the stream.
func (m *mirror) converse(stream io.Reader, first func(), acked chan<- talk.ID) {
	for {
		r, err := talk.ReadRecord(stream)
		if err != nil {
			return
		}
		switch r.Kind {
		case talk.KindMain:
			go first()
		case talk.KindText:
			m.say(talk.Record{Kind: talk.KindAck, ID: r.ID})
		case talk.KindAck:
			acked <- talk.ID(r.ID)
		}
	}
}

// listen reads records until the tunnel ends.
func (m *mirror) listen(stream *io.PipeWriter) {
	defer stream.Close()
	wire := make([]byte, record.Size)
	for {
		if _, err := io.ReadFull(m.conn, wire); err != nil {
			return
		}
		for _, f := range must(record.Parse(nil, must(m.recv.Open(wire)))) {
			switch f.Kind {
			case record.Data:
				must(stream.Write(f.Body[4:]))
			case record.Renew:
				m.answered = append(m.answered, f.Body...)
			case record.Switch:
				m.turn()
			}
		}
	}
}

// renew asks for new keys: a mirror that began the tunnel, a minute after.
func (m *mirror) renew() {
	m.mu.Lock()
	defer m.mu.Unlock()
	var message []byte
	message, m.finish = m.ask(1, "nightjar tunnel 2 renewal"+string(m.binding))
	for len(message) > 0 {
		n := min(len(message), 400)
		m.write(record.Renew, message[:n])
		message = message[n:]
	}
}

// turn goes over to the new keys: the identity just did.
func (m *mirror) turn() {
	m.mu.Lock()
	defer m.mu.Unlock()
	toward, back := m.finish(m.answered)
	m.write(record.Switch, nil)
	m.send, m.recv = toward, back
	close(m.renewed)
}

// message sends a text and returns its id.
func (m *mirror) message(text string) (id talk.ID) {
	rand.Read(id[:])
	m.say(talk.Record{Kind: talk.KindText, ID: id[:], Text: text})
	return id
}
