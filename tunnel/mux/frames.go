// The frames of one stream: which it sends when its turn comes, and what it does with those that
// come. All of it runs with the Mux's lock held.

package mux

import (
	"encoding/binary"
	"slices"

	"nightjar/tunnel/record"
)

// hasWork reports whether the stream has a frame to send.
func (s *Stream) hasWork() bool {
	return s.id == 0 || s.stop || s.grant > 0 || s.canSend() || s.canFinish()
}

func (s *Stream) canSend() bool   { return s.out.size > 0 && s.credit > 0 }
func (s *Stream) canFinish() bool { return s.finish && !s.finished && s.out.size == 0 }

// queue gives the stream a turn if it has work and none yet.
func (s *Stream) queue() {
	if s.queued || s.m.err != nil || !s.hasWork() {
		return
	}
	s.queued = true
	s.m.ready = append(s.m.ready, s)
	s.m.wake()
}

// emit appends the stream's frames for one turn, as far as they fit. A stream gets its number
// when Open leaves, so numbers leave in order.
func (s *Stream) emit(plain []byte) []byte {
	if s.id == 0 && record.Left(plain) >= idSize {
		s.id = s.m.mine.next
		s.m.mine.next += 2
		s.m.streams[s.id] = s
		plain = s.append(plain, record.Open)
	}
	if s.id == 0 {
		return plain
	}
	if s.stop && record.Left(plain) >= idSize {
		s.stop = false
		plain = s.append(plain, record.Stop)
	}
	if s.grant > 0 && record.Left(plain) >= idSize+4 {
		plain = s.append(plain, record.Credit, binary.BigEndian.AppendUint32(nil, s.grant)...)
		s.allowed += s.grant
		s.grant = 0
	}
	if n := record.Left(plain) - idSize; n > 0 && s.canSend() {
		plain = s.emitData(plain, min(n, s.out.size, int(s.credit)))
	}
	if s.canFinish() && record.Left(plain) >= idSize {
		s.finished = true
		plain = s.append(plain, record.Finish)
		s.reap()
	}
	return plain
}

// emitData moves n bytes out of the buffer into a Data frame.
func (s *Stream) emitData(plain []byte, n int) []byte {
	plain = record.AppendHeader(plain, record.Data, idSize+n)
	plain = binary.BigEndian.AppendUint32(plain, s.id)
	plain = slices.Grow(plain, n)
	end := len(plain) + n
	s.out.pop(plain[len(plain):end])
	s.credit -= uint32(n)
	if s.out.size <= sendBuffer/2 && s.out.size+n > sendBuffer/2 {
		s.changed.Broadcast() // Write waits only when all of the buffer is taken
	}
	return plain[:end]
}

func (s *Stream) append(plain []byte, k record.Kind, body ...byte) []byte {
	plain = record.AppendHeader(plain, k, idSize+len(body))
	plain = binary.BigEndian.AppendUint32(plain, s.id)
	return append(plain, body...)
}

// receive takes a frame of the far side for this stream.
func (s *Stream) receive(k record.Kind, body []byte) error {
	switch {
	case k == record.Data:
		return s.receiveData(body)
	case k == record.Finish && len(body) == 0 && !s.ended:
		s.ended, s.stop, s.grant = true, false, 0
		s.reap()
	case k == record.Stop && len(body) == 0:
		s.refused, s.finish = true, true
		s.out = ring{}
		s.queue()
	case k == record.Credit && len(body) == 4:
		more := binary.BigEndian.Uint32(body)
		if more == 0 || more > lastWindow || s.credit+more > lastWindow {
			return ErrProtocol
		}
		s.credit += more
		s.queue()
	default:
		return ErrProtocol
	}
	s.touch()
	return nil
}

// touch has Flush wake whoever waits for the stream.
func (s *Stream) touch() {
	if !s.touched {
		s.touched = true
		s.m.touched = append(s.m.touched, s)
	}
}

// receiveData keeps bytes for Read, or drops them when nobody will read.
func (s *Stream) receiveData(body []byte) error {
	if len(body) == 0 || s.ended || len(body) > int(s.allowed) {
		return ErrProtocol
	}
	s.allowed -= uint32(len(body))
	if !s.closed {
		s.in.push(body)
		s.touch()
	}
	return nil
}

// reap forgets a stream that both sides have finished.
func (s *Stream) reap() {
	if !s.finished || !s.ended {
		return
	}
	delete(s.m.streams, s.id)
	s.gone = true
	s.letGo()
	if s.mine {
		s.m.mine.alive--
	} else {
		s.m.theirs.alive--
	}
	s.m.changed.Broadcast()
}

// letGo gives back the memory of a stream that is gone and that its user has.
func (s *Stream) letGo() {
	m := s.m
	if !s.gone || !s.accepted || s.lost || m.err != nil {
		return
	}
	s.lost = true
	m.grown -= s.window - firstWindow
	m.loan.Give(int(s.window - firstWindow))
	if m.held--; m.held >= ownStreams {
		m.loan.Give(firstWindow)
	}
}
