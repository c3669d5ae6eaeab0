// Whose a packet is: from flows to sockets, from sockets to processes.

package watch

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"nightjar/audit/watch/held"
)

// resolve finds the owners of flows that are new, or have none, or were last looked at long ago.
func (r *Recorder) resolve(batch []seen) {
	now := time.Now()
	var ask []flowKey
	for _, s := range batch {
		e := r.known[s.key]
		fresh := s.packet.Proto == TCP && s.packet.Type&(flagSYN|flagACK) == flagSYN
		switch {
		case e != nil && e.at == now: // in this batch already
		case e == nil, fresh:
			r.known[s.key] = r.begun(s.key, now)
			ask = append(ask, s.key)
		case e.owner == (Owner{}) && e.tries < maxTries,
			s.packet.Proto != TCP && now.Sub(e.at) > again:
			e.at = now
			e.tries++
			ask = append(ask, s.key)
		}
	}
	r.ask(ask)
}

// ask looks for the owners of flows.
func (r *Recorder) ask(ask []flowKey) {
	if len(ask) == 0 {
		return
	}
	r.refresh(ask)
	inodes := map[uint64]bool{}
	for _, k := range ask {
		for _, s := range r.ends(k) {
			if s.Inode != 0 {
				r.procs.want(s.Inode, inodes)
			}
		}
	}
	if len(inodes) > 0 {
		r.procs.find(inodes)
	}
	for _, k := range ask {
		for i, s := range r.ends(k) {
			o := r.procs.holds[s.Inode]
			switch {
			case s.Inode == 0 || o == (Owner{}):
			case i == 0:
				r.known[k].owner = o
			default:
				r.known[k].peer = o
			}
		}
	}
}

// late looks again for the owners of flows that lack one: the kernel's tables are not read in one
// piece, and a socket that is there may be missed.
func (r *Recorder) late() {
	var ask []flowKey
	r.mu.Lock()
	for k, f := range r.flows {
		lacks := f.Owner == (Owner{}) || f.Interface == "lo" && f.Peer == (Owner{})
		if e := r.known[k]; lacks && e != nil && e.again < maxTries && !rawly(k.proto) {
			e.again++
			ask = append(ask, k)
		}
	}
	r.mu.Unlock()
	r.ask(ask)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range ask {
		if f := r.flows[k]; f != nil {
			f.Owner, f.Peer = r.known[k].owner, r.known[k].peer
		}
	}
}

// begun is a flow that nothing is known of but that a reset belongs to the connection it ends,
// whose socket may be gone.
func (r *Recorder) begun(k flowKey, now time.Time) *ends {
	e := &ends{at: now}
	if k.proto == TCP && k.kind != 0 {
		k.kind = 0
		if of := r.known[k]; of != nil {
			e.owner, e.peer = of.owner, of.peer
		}
	}
	return e
}

// ends are the sockets at both ends of a flow; the second only on loopback.
func (r *Recorder) ends(k flowKey) (both [2]held.Socket) {
	both[0] = r.socket(k.proto, k.from, k.to)
	if r.linkName(k.link) == "lo" {
		both[1] = r.socket(k.proto, k.to, k.from)
	}
	return both
}

// socket is the one at the local end, or none.
func (r *Recorder) socket(proto byte, local, remote netip.AddrPort) held.Socket {
	s, ok := find(r.sockets, proto, local, remote)
	if !ok && rawly(proto) {
		s, _ = r.raw(proto)
	}
	return s
}

// rawly reports whether a protocol is spoken by raw sockets, which have no port to tell them apart.
func rawly(proto byte) bool { return proto != TCP && proto != UDP }

// raw picks a raw socket; if there are several, whose packet it is remains open.
func (r *Recorder) raw(proto byte) (found held.Socket, ok bool) {
	n := 0
	for _, s := range r.sockets {
		if s.Raw || s.Proto == proto {
			found = s
			n++
		}
	}
	return found, n == 1
}

// refresh reads the kernel's tables, as far as flows need them; all of them for none.
func (r *Recorder) refresh(flows []flowKey) {
	var protos []byte
	for _, k := range flows {
		if rawly(k.proto) {
			protos = nil
			break
		}
		protos = append(protos, k.proto)
	}
	all, err := held.Read(protos)
	if err != nil {
		r.mu.Lock()
		r.fault = err
		r.mu.Unlock()
		return
	}
	r.sockets = all
}

// look is done now and then: it meets new processes, and looks at whose doors are open.
func (r *Recorder) look() {
	r.procs.look()
	r.refresh(nil)
	inodes := map[uint64]bool{}
	var doors []held.Socket
	for _, s := range r.sockets {
		if s.Inode == 0 || s.Proto == TCP && !s.Listens {
			continue
		}
		doors = append(doors, s)
		r.procs.want(s.Inode, inodes)
	}
	if len(inodes) > 0 {
		r.procs.find(inodes)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range doors {
		if o := r.procs.holds[s.Inode]; o != (Owner{}) {
			r.doors[Door{o, s.Proto, s.Local, s.Listens, s.Raw}] = true
		}
	}
	stats, err := unix.GetsockoptTpacketStats(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err == nil {
		r.lost += int(stats.Drops)
	}
}

func (r *Recorder) linkName(link int) string {
	if name, ok := r.links[link]; ok {
		return name
	}
	name := fmt.Sprintf("interface %d", link)
	if i, err := net.InterfaceByIndex(link); err == nil {
		name = i.Name
		r.links[link] = name
	}
	return name
}
