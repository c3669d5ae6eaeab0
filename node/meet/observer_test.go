// Claims about who sees everything: every node, every gateway, every moment.

package meet

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// gatewaysSeen is how many gateways everybody shares, all of them the observer's.
const gatewaysSeen = 8

// act is one operation on a slot as the observer sees it.
type act struct {
	at      time.Time
	gateway int
	id      uint64 // the node id, or a part of it
}

// view is all that the observer sees of one slot.
type view struct {
	key           [32]byte
	stores, reads []act
	seq           int64
	size          int
}

// trail is what one pair leaves in each epoch.
type trail map[int64]*view

func (t trail) at(epoch int64) *view {
	if t[epoch] == nil {
		t[epoch] = &view{}
	}
	return t[epoch]
}

func acted(at time.Time) act { return act{at, rand.IntN(gatewaysSeen), rand.Uint64()} }

// lead follows a pair as it is: one writes, the other looks for it and does not get through.
func lead(root [32]byte, from, to time.Time) trail {
	t := make(trail)
	for epoch, stores := range live(root, from, to, 0) {
		v, s := t.at(epoch), pairSlot(root, Low, epoch)
		v.key, v.seq, v.size = s.key(), s.seq(s.begin), valueSize
		for _, at := range stores {
			v.stores = append(v.stores, acted(at))
		}
	}
	for now := from; now.Before(to); now = now.Add(Wait(30 * time.Minute)) {
		v := t.at(epochs.at(now))
		v.reads = append(v.reads, acted(now))
	}
	return t
}

// leadHasty is lead, but whoever looks does so every 30 minutes, and near the edge of an epoch into
// both slots; and all slots are stored at each call, through one gateway.
func leadHasty(root [32]byte, from, to time.Time) trail {
	t, gateway := lead(root, from, from), rand.IntN(gatewaysSeen)
	add := func(list *[]act, at time.Time) {
		*list = append(*list, act{at, gateway, rand.Uint64()})
	}
	for now := from; now.Before(to); now = Next(now) {
		for _, n := range epochs.around(now, overlap, latest) {
			add(&t.at(n).stores, now)
		}
	}
	for now := from; now.Before(to); now = now.Add(30 * time.Minute) {
		for _, n := range epochs.around(now, overlap, overlap) {
			add(&t.at(n).reads, now)
		}
	}
	for n, v := range t {
		v.key, v.size = pairSlot(root, Low, n).key(), valueSize
	}
	return t
}

// leadNaive is lead with one key for ever.
func leadNaive(root [32]byte, from, to time.Time) trail {
	t := lead(root, from, to)
	for n, v := range t {
		v.key, v.seq = root, n
	}
	return t
}

// sign is what the observer compares in two slots of epochs that follow each other.
type sign struct {
	name string
	of   func(old, young *view) float64
}

// apart is the least time between acts of two slots, in minutes; 1e6 if there are none.
func apart(a, b []act) float64 {
	least := 1e6
	for _, x := range a {
		for _, y := range b {
			least = min(least, math.Abs(x.at.Sub(y.at).Minutes()))
		}
	}
	return least
}

// handover is the time from the last act on one slot to the first on the other, in minutes.
func handover(a, b []act) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 1e6
	}
	return b[0].at.Sub(a[len(a)-1].at).Minutes()
}

// rhythm is the mean time between acts, in minutes.
func rhythm(a []act) float64 {
	if len(a) < 2 {
		return 0
	}
	return a[len(a)-1].at.Sub(a[0].at).Minutes() / float64(len(a)-1)
}

// common counts what two lists of acts share.
func common(a, b []act, same func(x, y act) bool) (n float64) {
	for _, x := range a {
		for _, y := range b {
			if same(x, y) {
				n++
			}
		}
	}
	return n
}

func sameID(x, y act) bool { return x.id == y.id }

// phase is when in its epoch a slot is first stored, in minutes.
func phase(v *view) float64 {
	if len(v.stores) == 0 {
		return 0
	}
	return math.Mod(v.stores[0].at.Sub(epochs.begin(0)).Minutes(), epochLength.Minutes())
}

// gatewayBias is how far two slots prefer the same gateways.
func gatewayBias(a, b []act) float64 {
	n := common(a, b, func(x, y act) bool { return x.gateway == y.gateway })
	return n / float64(max(len(a)*len(b), 1))
}

var signs = []sign{
	{"repeated key", func(a, b *view) float64 {
		if a.key == b.key {
			return 1
		}
		return 0
	}},
	{"repeated node id", func(a, b *view) float64 {
		return common(slices.Concat(a.stores, a.reads), slices.Concat(b.stores, b.reads), sameID)
	}},
	{"seq goes on", func(a, b *view) float64 { return math.Abs(float64(b.seq - a.seq)) }},
	{"size", func(a, b *view) float64 { return float64(b.size - a.size) }},
	{"stores hand over", func(a, b *view) float64 { return handover(a.stores, b.stores) }},
	{"reads hand over", func(a, b *view) float64 { return handover(a.reads, b.reads) }},
	{"stored together", func(a, b *view) float64 { return apart(a.stores, b.stores) }},
	{"read together", func(a, b *view) float64 { return apart(a.reads, b.reads) }},
	{"read when stored", func(a, b *view) float64 { return apart(a.reads, b.stores) }},
	{"stored when read", func(a, b *view) float64 { return apart(a.stores, b.reads) }},
	{"same phase", func(a, b *view) float64 { return math.Abs(phase(a) - phase(b)) }},
	{"rhythm of stores", func(a, b *view) float64 {
		return math.Abs(rhythm(a.stores) - rhythm(b.stores))
	}},
	{"rhythm of reads", func(a, b *view) float64 {
		return math.Abs(rhythm(a.reads) - rhythm(b.reads))
	}},
	{"number of reads", func(a, b *view) float64 {
		return math.Abs(float64(len(a.reads) - len(b.reads)))
	}},
	{"gateways of stores", func(a, b *view) float64 { return gatewayBias(a.stores, b.stores) }},
	{"gateways of reads", func(a, b *view) float64 { return gatewayBias(a.reads, b.reads) }},
}

// games are two slots of following epochs, of one pair or of two, by their signs.
type games struct{ same, other [2][][]float64 } // the first half is to learn from

// play lets the observer see games.
func play(trails []trail, all []int64) (g games) {
	value := func(a, b *view) (out []float64) {
		for _, s := range signs {
			out = append(out, s.of(a, b))
		}
		return out
	}
	for pair, t := range trails {
		half := pair % 2
		for i := range len(all) - 1 {
			stranger := trails[(pair+1+rand.IntN(len(trails)-1))%len(trails)]
			old := t.at(all[i])
			g.same[half] = append(g.same[half], value(old, t.at(all[i+1])))
			g.other[half] = append(g.other[half], value(old, stranger.at(all[i+1])))
		}
	}
	return g
}

const bins = 12

// judge weighs one sign: by what each value is more often, in one pair or in two.
type judge struct {
	cuts   []float64
	weight [bins + 1]float64
}

func learnJudge(g games, sign int) (j judge) {
	var all []float64
	for _, list := range [][][]float64{g.same[0], g.other[0]} {
		for _, v := range list {
			all = append(all, v[sign])
		}
	}
	slices.Sort(all)
	for b := 1; b < bins; b++ {
		j.cuts = append(j.cuts, all[len(all)*b/bins])
	}
	j.cuts = slices.Compact(j.cuts)
	var n, m [bins + 1]float64
	for i := range g.same[0] {
		n[j.bin(g.same[0][i][sign])]++
		m[j.bin(g.other[0][i][sign])]++
	}
	for b := range n {
		j.weight[b] = math.Log((n[b] + 1) / (m[b] + 1))
	}
	return j
}

// bin tells values at a cut from those on either side.
func (j *judge) bin(v float64) int {
	at, exact := slices.BinarySearch(j.cuts, v)
	if exact {
		at++
	}
	return at
}

// gain is by how many points of 50 a score beats guessing on the half it did not learn from.
func gain(g games, score func([]float64) float64) float64 {
	right := 0.0
	for i := range g.same[1] {
		for _, d := range []float64{score(g.same[1][i]), -score(g.other[1][i])} {
			switch {
			case d > 0:
				right++
			case d == 0:
				right += 0.5
			}
		}
	}
	return 100*right/float64(2*len(g.same[1])) - 50
}

// linked returns what the observer does best by, one sign or all together, and its gain.
func linkedBy(trails []trail, all []int64) (string, float64) {
	g := play(trails, all)
	judges := make([]judge, len(signs))
	best, points := "nothing", 0.0
	for s := range signs {
		judges[s] = learnJudge(g, s)
		alone := func(v []float64) float64 { return judges[s].weight[judges[s].bin(v[s])] }
		if p := gain(g, alone); p > points {
			best, points = signs[s].name, p
		}
	}
	together := func(v []float64) (sum float64) {
		for s := range signs {
			sum += judges[s].weight[judges[s].bin(v[s])]
		}
		return sum
	}
	if p := gain(g, together); p > points {
		best, points = "all signs together", p
	}
	return best, points
}

// observed lets pairs live for some epochs, in a way to live, and returns how the observer links
// the epochs of a pair best, and its gain.
func observed(pairs, span int, way func(root [32]byte, from, to time.Time) trail) (
	string, float64) {
	start := at("2026-01-01 00:00:00")
	var all []int64
	for n := range int64(span) {
		all = append(all, epochs.at(start)+2+n)
	}
	var trails []trail
	for p := range pairs {
		begin := start.Add(rand.N(2 * epochLength))
		trails = append(trails, way(rootOf(p), begin, start.Add(time.Duration(span+3)*epochLength)))
	}
	return linkedBy(trails, all)
}

func rootOf(pair int) [32]byte {
	root := fixed(1)
	root[0], root[1] = byte(pair), byte(pair>>8)
	return root
}

func TestObserverOfEverythingCannotLinkTheEpochsOfAPair(t *testing.T) {
	sign, ours := observed(120, 6, lead)
	hastySign, hasty := observed(120, 6, leadHasty)
	naiveSign, naive := observed(120, 6, leadNaive)
	t.Logf("ours: %s %.1f; hasty: %s %.1f; one key: %s %.1f", sign, ours, hastySign, hasty,
		naiveSign, naive)
	if ours > 10 { // 300 games each: the noise of one sign has a deviation of about 2 points
		t.Errorf("by %q the observer gains %.1f points", sign, ours)
	}
	if hasty < 30 || naive < 45 {
		t.Errorf("by %q only %.1f of the hasty, by %q %.1f of the naive: this test proves nothing",
			hastySign, hasty, naiveSign, naive)
	}
}
