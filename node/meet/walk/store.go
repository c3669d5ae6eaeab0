// Storing: the second half of a put.

package walk

import (
	"context"
	"net"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
)

// enough acknowledgements are worth not waiting for those that are late.
const enough = near / 2

// keepers are the nodes that shall hold the item.
func (w *walk) keepers() (out []*peer) {
	for _, kind := range []int{ip4, ip6} {
		if n := w.share(kind, w.wide()); n > 0 {
			out = append(out, w.keepersOf(kind, n)...)
		}
	}
	return out
}

// keepersOf are those of one DHT: the n nearest that gave a token, and if too few of them have the
// node id their address asks for (BEP42), some more that do. Whoever wants to stand near a key must
// find an address that fits. Where too many stand it is all who stand there. Half of them may stand
// anywhere; nobody would look for the item at the others if they stood far away.
func (w *walk) keepersOf(kind, n int) []*peer {
	var out []*peer
	fit := 0
	for _, p := range w.nearest(kind, len(w.answered)) {
		secure := dht.NodeIdSecure(p.id, net.IP(p.addr.Addr().AsSlice()))
		more := fit < n/2 && secure && len(out) < 2*n || w.belongs(p)
		if p.token == "" || len(out) >= n && !more || len(out) >= n/2 && w.beyond(p) {
			continue
		}
		out = append(out, p)
		if secure {
			fit++
		}
	}
	return out
}

// store puts the item to the keepers and returns how many say they took it.
func (w *walk) store(ctx context.Context, item Item) (int, error) {
	keepers := w.keepers()
	acks := make(chan bool, len(keepers))
	for _, p := range keepers {
		w.asking.Go(func() { acks <- w.put(ctx, p, item) })
	}
	late := time.NewTimer(w.patience())
	defer late.Stop()
	taken, hurry := 0, false
	for heard := 0; heard < len(keepers) && !(hurry && taken >= enough); {
		select {
		case ok := <-acks:
			heard++
			if ok {
				taken++
			}
		case <-late.C:
			hurry = true
		case <-ctx.Done():
			return taken, ctx.Err()
		case <-w.road.guard.lost:
			return taken, ErrLost
		case <-w.road.fail:
			return taken, ErrLost
		}
	}
	return taken, nil
}

func (w *walk) put(ctx context.Context, p *peer, item Item) bool {
	q := w.server.Query(ctx, library(p.addr), "put", dht.QueryInput{NumTries: 2,
		MsgArgs: krpc.MsgArgs{K: item.Key, Seq: &item.Seq, Sig: item.Sig, Token: p.token,
			V: string(item.Value)}})
	return q.ToError() == nil
}
