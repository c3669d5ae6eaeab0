// What a far side that keeps no rules can and cannot do to the streams.

package mux

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"nightjar/tunnel/record"
)

func frame(k record.Kind, id uint32, body ...byte) record.Frame {
	return record.Frame{Kind: k, Body: append(binary.BigEndian.AppendUint32(nil, id), body...)}
}

func TestEveryBrokenRuleIsRefused(t *testing.T) {
	open, big := frame(record.Open, 2), make([]byte, 400)
	for name, frames := range map[string][]record.Frame{
		"no id":                   {{Kind: record.Open, Body: []byte{0, 0, 1}}},
		"own number":              {frame(record.Open, 1)},
		"number skipped":          {frame(record.Open, 4)},
		"number zero":             {frame(record.Open, 0)},
		"number twice":            {frame(record.Open, 2), frame(record.Open, 2)},
		"open with body":          {frame(record.Open, 2, 1)},
		"data before open":        {frame(record.Data, 2, 1)},
		"data on no stream":       {frame(record.Data, 0, 1)},
		"empty data":              {frame(record.Open, 2), frame(record.Data, 2)},
		"data after finish":       {open, frame(record.Finish, 2), frame(record.Data, 2, 1)},
		"finish twice":            {open, frame(record.Finish, 2), frame(record.Finish, 2)},
		"finish with body":        {frame(record.Open, 2), frame(record.Finish, 2, 0)},
		"stop with body":          {frame(record.Open, 2), frame(record.Stop, 2, 0)},
		"short credit":            {frame(record.Open, 2), frame(record.Credit, 2, 1, 0, 0)},
		"no credit":               {frame(record.Open, 2), frame(record.Credit, 2, 0, 0, 0, 0)},
		"credit past the window":  {frame(record.Open, 2), frame(record.Credit, 2, 0, 4, 0, 0)},
		"credit that wraps":       {frame(record.Open, 2), frame(record.Credit, 2, 255, 255, 255, 255)},
		"credit before open":      {frame(record.Credit, 2, 0, 0, 0, 1)},
		"not a kind for streams":  {frame(record.Open, 2), frame(record.Renew, 2)},
		"credit for our next one": {frame(record.Credit, 1, 0, 0, 0, 1)},
	} {
		m, err := New(true, nil, func() {}), error(nil)
		for i, f := range frames {
			if err = m.Receive(f); err != nil && i < len(frames)-1 {
				t.Error(name, "was refused too soon")
			}
		}
		if !errors.Is(err, ErrProtocol) {
			t.Error(name, "was taken:", err)
		}
	}
	m := New(true, nil, func() {})
	m.Receive(frame(record.Open, 2))
	for n := 0; ; n += len(big) {
		if err := m.Receive(frame(record.Data, 2, big...)); err != nil {
			if n+len(big) <= firstWindow || n > firstWindow {
				t.Error("refused after", n, "bytes")
			}
			break
		}
	}
}

func TestOpeningWithoutEndIsRefused(t *testing.T) {
	m := New(true, nil, func() {})
	for n := range uint32(MaxStreams + 1) {
		if err := m.Receive(frame(record.Open, 2+2*n)); (err != nil) != (n == MaxStreams) {
			t.Fatal("stream", n, err)
		}
	}
}

func TestLateFramesForAFinishedStreamAreForgiven(t *testing.T) {
	m := New(false, nil, func() {})
	m.Receive(frame(record.Open, 1))
	s, err := m.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	m.Fill(make([]byte, 0, record.Size))
	m.Receive(frame(record.Finish, 1))
	if len(m.streams) != 0 {
		t.Fatal("kept")
	}
	for _, f := range []record.Frame{frame(record.Stop, 1), frame(record.Credit, 1, 0, 0, 0, 1)} {
		if err := m.Receive(f); err != nil {
			t.Error(f.Kind, err)
		}
	}
	if err := m.Receive(frame(record.Data, 1, 1)); !errors.Is(err, ErrProtocol) {
		t.Error("data after finish:", err)
	}
}

// Law: whatever frames come, nothing panics, what is held stays within its bounds, and what is
// sent in return parses.
func FuzzReceive(f *testing.F) {
	pack := func(frames ...record.Frame) []byte {
		var b []byte
		for _, fr := range frames {
			b = record.Append(b, fr.Kind, fr.Body...)
		}
		return b
	}
	f.Add(pack(frame(record.Open, 2), frame(record.Data, 2, 1, 2, 3), frame(record.Finish, 2)))
	f.Add(pack(frame(record.Credit, 1, 0, 0, 1, 0), frame(record.Stop, 1), frame(record.Finish, 1)))
	f.Add(pack(frame(record.Open, 2), frame(record.Open, 4), frame(record.Stop, 4)))
	f.Fuzz(func(t *testing.T, plain []byte) {
		padded := make([]byte, record.Plain)
		copy(padded, plain)
		frames, err := record.Parse(nil, padded)
		if err != nil {
			return
		}
		m := New(true, nil, func() {})
		own, _ := m.Open(t.Context())
		own.Write(make([]byte, 1000))
		for _, fr := range frames {
			m.Fill(make([]byte, 0, 100))
			if m.Receive(fr) != nil {
				return
			}
			for len(m.arrived) > 0 {
				s, _ := m.Accept(t.Context())
				if s.in.size > 0 {
					s.Read(make([]byte, 10))
				}
				s.Close()
			}
		}
		held := 0
		for _, s := range m.streams {
			held += len(s.in.buf) + len(s.out.buf)
		}
		if held > len(plain)*4+sendBuffer || m.theirs.alive > MaxStreams || m.mine.alive < 0 {
			t.Fatal("held", held, "alive", m.theirs.alive, m.mine.alive)
		}
		for m.Pending() {
			out := m.Fill(make([]byte, 0, record.Size))
			if len(out) == 0 || len(out) > record.Plain {
				t.Fatal("a turn gave", len(out))
			}
			out = append(out, make([]byte, record.Plain-len(out))...)
			if _, err := record.Parse(nil, out); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Law: a ring gives back what was put in, whatever the order of pushes and pops.
func FuzzRing(f *testing.F) {
	f.Add([]byte{1, 200, 3, 255, 255, 255, 9, 130})
	f.Fuzz(func(t *testing.T, steps []byte) {
		var r ring
		var want []byte
		next := byte(0)
		for _, step := range steps {
			n := int(step&0x7f) * 9
			if step&0x80 == 0 {
				b := make([]byte, n)
				for i := range b {
					b[i], next = next, next+1
				}
				r.push(b)
				want = append(want, b...)
				continue
			}
			got := make([]byte, n)
			n = r.pop(got)
			if !bytes.Equal(got[:n], want[:n]) || n != min(len(got), len(want)) {
				t.Fatal("popped something else")
			}
			want = want[n:]
		}
		if r.size != len(want) {
			t.Fatal("size", r.size, "want", len(want))
		}
	})
}
