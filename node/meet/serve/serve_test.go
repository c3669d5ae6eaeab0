// A node that gives back, and cannot be used against anybody.

package serve

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anacrolix/dht/v2"

	"nightjar/node/meet/walk"
)

// open opens a road at an address to a node.
func open(t *testing.T, h *hub, at, first netip.AddrPort) *walk.Road {
	return walk.Open(t.Context(), h.conn(at), []netip.AddrPort{first})
}

func TestSwarmOfOursKeepsWhatIsStored(t *testing.T) {
	for _, six := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			h := newHub()
			all := swarm(t, h, 40, six)
			for i, s := range all {
				if n := s.Stats().Nodes; n < 8 {
					t.Errorf("node %d knows %d others", i, n)
				}
			}
			for seed := range byte(10) {
				i := signed(seed, 1, strings.Repeat("v", 695))
				r := open(t, h, place(1000, six), place(3, six))
				got, err := r.Put(t.Context(), i.Key, 0,
					func(*walk.Item) (walk.Item, bool) { return i, true })
				r.Close()
				if err != nil || got.Acks < 8 {
					t.Fatalf("stored at %d: %v", got.Acks, err)
				}
				r = open(t, h, place(1001, six), place(9, six))
				if found, err := r.Get(t.Context(), i.Key, 3); err != nil || found.Seq != 1 {
					t.Errorf("not found: %v", err)
				}
				if _, err := r.Get(t.Context(), [32]byte{1}, 3); !errors.Is(err, walk.ErrNotFound) {
					t.Error(err)
				}
				r.Close()
				<-time.After(time.Second) // an address gets four items a second from each node
			}
		})
	}
}

func TestOwnAddressAsksForTheID(t *testing.T) {
	bubble(t, func(t *testing.T) {
		all := swarm(t, newHub(), 20, false)
		for i, s := range all {
			if !dht.NodeIdSecure(s.self, place(i, false).Addr().AsSlice()) {
				t.Errorf("node %d has an id that its address does not ask for", i)
			}
		}
	})
}

// ask sends a question of a stranger and returns what it is answered, in all.
func ask(h *hub, from netip.AddrPort, packet string) (answers []string) {
	c := h.conn(from)
	h.send([]byte(packet), from, place(0, false))
	synctest.Wait()
	for len(c.in) > 0 {
		if m := <-c.in; !strings.Contains(string(m.b), "1:y1:q") {
			answers = append(answers, string(m.b))
		}
	}
	return answers
}

const stranger = "2:id20:abcdefghij0123456789"

func asking(name, args string) string {
	return "d1:ad" + args + "e1:q" + string(rune('0'+len(name))) + ":" + name + "2:roi1e1:t2:aa1:y1:qe"
}

func getOf(target [20]byte) string {
	return asking("get", stranger+"6:target20:"+string(target[:]))
}

func TestStrangersAreAnswered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub()
		alone(t, h)
		for name, args := range map[string]string{"ping": "", "get": "6:target20:" + stranger[7:],
			"find_node": "6:target20:" + stranger[7:], "get_peers": "9:info_hash20:" + stranger[7:]} {
			got := ask(h, place(7, false), asking(name, sortedArgs(args)))
			if len(got) != 1 || !strings.Contains(got[0], "1:y1:r") ||
				!strings.Contains(got[0], "2:ip6:"+string(compact(place(7, false)))) {
				t.Errorf("%s is answered by %q", name, got)
			}
			if token := strings.Contains(got[0], "5:token8:"); token != strings.HasPrefix(name, "get") {
				t.Errorf("%s is answered by %q", name, got)
			}
		}
		for _, what := range []string{"", "d1:q4:ping1:t1:a1:y1:qe", "d2:ip1:x1:q4:ping1:t1:a1:y1:qe",
			asking("put", stranger), asking("vote", stranger), asking("ping", "2:id2:ab"),
			asking("announce_peer", stranger), "d1:rd" + stranger + "e1:t4:aaaa1:y1:re"} {
			if got := ask(h, place(7, false), what); len(got) != 0 {
				t.Errorf("%q is answered by %q", what, got)
			}
		}
	})
}

// sortedArgs puts the id where its key belongs.
func sortedArgs(args string) string {
	return stranger + args
}

// putOf is a put with the token that a get was answered with.
func putOf(h *hub, from netip.AddrPort, args func(token string) string) string {
	got := ask(h, from, getOf([20]byte{1}))
	if len(got) != 1 {
		return ""
	}
	_, rest, _ := strings.Cut(got[0], "5:token8:")
	return asking("put", args("5:token8:"+rest[:8]))
}

func mutable(i walk.Item, cas, token string) string {
	seq := string(walk.SigningBytes(i.Seq, i.Value))
	seq = seq[:strings.Index(seq, "1:v")] // "3:seqi..e"
	value := string(walk.SigningBytes(i.Seq, i.Value))[len(seq):]
	return cas + stranger + "1:k32:" + string(i.Key[:]) + seq + "3:sig64:" + string(i.Sig[:]) +
		token + value
}

func TestRulesOfBEP44(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub()
		s := alone(t, h)
		forged := signed(1, 9, "v")
		forged.Seq = 10
		for n, c := range []struct {
			i    walk.Item
			cas  string
			says string
		}{
			{signed(1, 5, "five"), "", "1:y1:r"},
			{signed(1, 5, "five"), "", "1:y1:r"}, // again
			{signed(1, 5, "other"), "", "i302e"},
			{signed(1, 4, "four"), "", "i302e"},
			{signed(1, 6, "six"), "3:casi4e", "i301e"},
			{signed(1, 6, "six"), "3:casi5e", "1:y1:r"},
			{signed(1, 7, "seven"), "", "1:y1:r"}, // a cas is not remembered
			{forged, "", "i206e"},
		} {
			put := putOf(h, place(7, false), func(token string) string {
				return mutable(c.i, c.cas, token)
			})
			got := ask(h, place(7, false), put)
			if len(got) != 1 || !strings.Contains(got[0], c.says) {
				t.Errorf("%d: answered by %q, want %q", n, got, c.says)
			}
		}
		key := signed(1, 0, "").Key
		got := ask(h, place(8, false), getOf(walk.Target(key)))
		if len(got) != 1 || !strings.Contains(got[0], "5:seven") {
			t.Errorf("it holds %q", got)
		}
		put := putOf(h, place(7, false), func(token string) string {
			return stranger + token + "1:vli5ee"
		})
		if got := ask(h, place(7, false), put); len(got) != 1 || !strings.Contains(got[0], "1:y1:r") {
			t.Errorf("an immutable item is answered by %q", got)
		}
		i := &item{value: []byte("li5ee")}
		if got := ask(h, place(9, false), getOf(i.target())); len(got) != 1 ||
			!strings.Contains(got[0], "1:vli5ee") || strings.Contains(got[0], "1:k32:") {
			t.Errorf("it holds %q", got)
		}
		<-time.After(itemTime + time.Minute)
		synctest.Wait()
		if n := s.Stats().Items; n != 0 {
			t.Errorf("%d items are kept for ever", n)
		}
	})
}

func TestTokenIsGoodForItsAddressAndTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub()
		alone(t, h)
		put := putOf(h, place(7, false), func(token string) string {
			return mutable(signed(1, 1, "v"), "", token)
		})
		if got := ask(h, place(8, false), put); len(got) != 0 {
			t.Errorf("another address is answered by %q", got)
		}
		<-time.After(tokenTime - time.Second)
		if got := ask(h, place(7, false), put); len(got) != 1 {
			t.Error("it is worthless too soon")
		}
		<-time.After(tokenTime + 2*time.Second)
		if got := ask(h, place(7, false), put); len(got) != 0 {
			t.Errorf("it is good for ever: %q", got)
		}
	})
}

func TestOwnQuestionsGoWhereTheyMay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHub()
		s := alone(t, h)
		s.Allowed = func(a netip.AddrPort) bool { return a != place(5, false) }
		if got := ask(h, place(5, false), asking("ping", stranger)); len(got) != 0 {
			t.Errorf("whom it may not send to is answered by %q", got)
		}
		if got := ask(h, place(6, false), asking("ping", stranger)); len(got) != 1 {
			t.Error("others are not answered: this test proves nothing")
		}
	})
}
