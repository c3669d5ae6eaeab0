// The keys of one epoch: from a handshake, or a renewal, to the next.

package datagram

import (
	"nightjar/tunnel/bulk"
	"nightjar/tunnel/handshake"
	"nightjar/tunnel/outlet"
	"nightjar/tunnel/packet"
	"nightjar/tunnel/record"
)

// What is exported from a session, for each side that sends.
const (
	labelBody = "nightjar tunnel 2 packets of the "
	labelMask = "nightjar tunnel 2 numbers of the "
	labelIDs  = "nightjar tunnel 2 ids of the "
	labelPin  = "nightjar tunnel 2 streams of the "
	labelVeil = "nightjar tunnel 2 veil of the "

	initiator = "initiator"
	responder = "responder"
)

// newEpoch makes both directions of a session's keys.
func newEpoch(s *handshake.Session) (out outlet.Keys, in *lane, err error) {
	here, there := responder, initiator
	if s.Initiator {
		here, there = initiator, responder
	}
	record.Erasing(func() {
		in = &lane{ids: idsOf(s, there)}
		out.IDs = idsOf(s, here)
		if out.Sealer, err = packet.NewSealer(keysOf(s, here)); err == nil {
			in.opener, err = packet.NewOpener(keysOf(s, there))
		}
	})
	s.Send, s.Receive = nil, nil // those are for records
	return out, in, err
}

func keysOf(s *handshake.Session, sender string) packet.Keys {
	return packet.Keys{Body: s.Export(labelBody + sender), Mask: s.Export(labelMask + sender)}
}

func idsOf(s *handshake.Session, sender string) packet.IDs {
	return packet.NewIDs(s.Export(labelIDs + sender))
}

// secretsOf is what streams need of a session.
func secretsOf(s *handshake.Session) (all *bulk.Secrets) {
	record.Erasing(func() {
		side := func(name string) bulk.Side {
			return bulk.Side{Pin: s.Export(labelPin + name), Veil: s.Export(labelVeil + name)}
		}
		all = &bulk.Secrets{Initiator: side(initiator), Responder: side(responder)}
	})
	return all
}
