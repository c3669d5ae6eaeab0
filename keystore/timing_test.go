// The time to open tells neither whether, nor which, nor how many.

//go:build e2e || bench

package keystore

import (
	"bytes"
	"cmp"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

// mannWhitney returns the two-sided p of the hypothesis that two samples are of one population
// (Mann and Whitney 1947, normal approximation, which is good from 20 values on).
func mannWhitney(a, b []time.Duration) float64 {
	type one struct {
		d time.Duration
		a bool
	}
	var all []one
	for _, d := range a {
		all = append(all, one{d, true})
	}
	for _, d := range b {
		all = append(all, one{d, false})
	}
	slices.SortFunc(all, func(x, y one) int { return cmp.Compare(x.d, y.d) })
	rank := 0.0
	for i, o := range all {
		if o.a {
			rank += float64(i + 1)
		}
	}
	n, m := float64(len(a)), float64(len(b))
	u := rank - n*(n+1)/2
	z := (u - n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
	return math.Erfc(math.Abs(z) / math.Sqrt2)
}

func TestMannWhitneySeesADifferenceAndOnlyThat(t *testing.T) {
	low := 0
	chance := rand.New(rand.NewPCG(1, 2)) // the same at each run: the test is of the arithmetic
	for range 400 {
		a, b := make([]time.Duration, 200), make([]time.Duration, 200)
		for i := range a {
			a[i], b[i] = time.Duration(chance.IntN(65536)), time.Duration(chance.IntN(65536))
		}
		if mannWhitney(a, b) < 0.05 {
			low++
		}
		for i := range b {
			b[i] += 20000
		}
		if p := mannWhitney(a, b); p > 1e-3 {
			t.Fatalf("a plain difference has p = %g", p)
		}
	}
	if low < 5 || low > 45 { // 20 expected
		t.Errorf("%d of 400 equal samples have p < 0.05", low)
	}
}

const runs = 200

// race measures several jobs, runs times each. What else the machine does hits all alike: the
// order is drawn as a whole, so that no job has more often this or that one before it. (Drawing
// round by round is not enough: a right one is then followed by a wrong one more often than not,
// and a wrong one finds the heap that a right one left.) Each begins with a collected heap; an
// identity that it opened is locked when its time is taken.
func race(jobs []func() *Identity) [][]time.Duration {
	order := make([]int, runs*len(jobs))
	for i := range order {
		order[i] = i % len(jobs)
	}
	rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	times := make([][]time.Duration, len(jobs))
	for _, i := range order {
		forget()
		start := time.Now()
		id := jobs[i]()
		times[i] = append(times[i], time.Since(start))
		if id != nil {
			id.Lock()
		}
	}
	return times
}

// edges returns a vault with n identities of which the first has a low slot and the last a high
// one; the passwords are "low" and "high".
func edges(t *testing.T, n int, c cost) vault {
	v := at(filepath.Join(t.TempDir(), "vault"), c)
	file := emptyVault()
	slots := []int{0, 15, 3, 4, 7, 9, 10, 12}[:n]
	for i, pw := range []string{"low", "high", "c", "d", "e", "f", "g", "h"}[:n] {
		kek := make([]byte, keySize)
		v.cost.kek(kek, []byte(pw), file[:saltSize])
		newcomer{must(newMaster(drawn)), nil}.seal(slotOf(file, slots[i]), kek, slots[i])
	}
	mustWrite(t, v, file)
	return v
}

// A contest is jobs by name, and pairs of them that are to take one time.
type contest struct {
	names []string
	jobs  []func() *Identity
	pairs [][2]int
}

// differ returns the pairs that take different times. Of two equal samples one in twenty has p
// below 0.05, so a pair differs when that happens in three races of three, which for equal ones
// is once in eight thousand.
func (c contest) differ(t *testing.T) (pairs [][2]int) {
	t.Helper()
	pairs = slices.Clone(c.pairs)
	for n := 0; n < 3 && len(pairs) > 0; n++ {
		times := race(c.jobs)
		for i, s := range times {
			slices.Sort(s)
			t.Logf("%s: median %v", c.names[i], s[runs/2])
		}
		pairs = slices.DeleteFunc(pairs, func(pair [2]int) bool {
			p := mannWhitney(times[pair[0]], times[pair[1]])
			t.Logf("%s, %s: p = %.3f", c.names[pair[0]], c.names[pair[1]], p)
			return p >= 0.05
		})
	}
	return pairs
}

// alike fails if a pair differs.
func (c contest) alike(t *testing.T) {
	t.Helper()
	for _, pair := range c.differ(t) {
		t.Errorf("%s and %s differ in time", c.names[pair[0]], c.names[pair[1]])
	}
}

func opening(t *testing.T, v vault, pw string) func() *Identity {
	p := password(t, pw)
	return func() *Identity {
		id, _ := v.open(p)
		return id
	}
}

// With a derivation of next to no cost, which is the strictest test: beside half a second of the
// real one, with its spread of a tenth, every difference of the search would drown.
func TestTheTimeToOpenTellsNeitherSlotNorCount(t *testing.T) {
	one, eight := edges(t, 1, cheap()), edges(t, 8, cheap())
	contest{
		names: []string{"1 right", "8 right", "8 other", "1 wrong", "8 wrong"},
		jobs: []func() *Identity{
			opening(t, one, "low"), opening(t, eight, "low"), opening(t, eight, "high"),
			opening(t, one, "no"), opening(t, eight, "no"),
		},
		pairs: [][2]int{{0, 1}, {1, 2}, {3, 4}, {1, 4}},
	}.alike(t)
}

// With a sixteenth of the real memory, so that the derivation leaves the collector work to do
// that could run into what comes after: the answer comes as soon for a wrong password as for a
// right one.
func TestTheTimeToOpenTellsNotWhetherItOpened(t *testing.T) {
	v := edges(t, 8, cost{passes: 1, memory: 16 << 10, lanes: 4})
	contest{
		names: []string{"right", "other", "wrong"},
		jobs: []func() *Identity{
			opening(t, v, "low"), opening(t, v, "high"), opening(t, v, "no"),
		},
		pairs: [][2]int{{0, 1}, {0, 2}, {1, 2}},
	}.alike(t)
}

// naiveFind is how slots are usually tried: until one opens.
func naiveFind(kek, file []byte) int {
	key := make([]byte, keySize)
	for i := range Slots {
		slotKey(key, kek, i)
		a, err := chacha20poly1305.NewX(key)
		if err != nil {
			panic(err)
		}
		s := slotOf(file, i)
		if _, err := a.Open(nil, s[:nonceSize], s[nonceSize:], slotAD(i)); err == nil {
			return i
		}
	}
	return -1
}

// naiveOpening opens as programs usually do: it looks no further when it is done, and makes an
// identity only when there is one.
func naiveOpening(t *testing.T, v vault, pw string) func() *Identity {
	p := password(t, pw)
	return func() *Identity {
		file := must(os.ReadFile(v.path))
		kek := must(v.derive(file[:saltSize], p))
		defer kek.destroy()
		slot := naiveFind(kek.bytes(), file)
		if slot < 0 {
			return nil
		}
		sealed := bytes.Clone(slotOf(file, slot))
		return newIdentity(v, file[:saltSize], slot, sealed, must(newArena(keysSize)))
	}
}

func TestTheTimeOfANaiveSearchTells(t *testing.T) {
	v := edges(t, 8, cheap())
	c := contest{
		names: []string{"right", "other", "wrong"},
		jobs: []func() *Identity{
			naiveOpening(t, v, "low"), naiveOpening(t, v, "high"), naiveOpening(t, v, "no"),
		},
		pairs: [][2]int{{0, 1}, {0, 2}},
	}
	if told := c.differ(t); len(told) != len(c.pairs) {
		t.Errorf("of a naive search only %v are told", told)
	}
}

// A program with a wrong password says the same, and ends alike, whatever the vault holds.
func TestAWrongPasswordIsAnsweredAlikeEverywhere(t *testing.T) {
	answers := map[string]bool{}
	for _, n := range []int{0, 1, 8} {
		v := edges(t, n, cheap())
		for _, pw := range []string{"no", "lo", strings.Repeat("x", 1000)} {
			cmd := victim("unlock", v.path)
			cmd.Stdin = bytes.NewReader([]byte(pw + "\n"))
			out, err := cmd.Output()
			exit, ok := err.(*exec.ExitError)
			if !ok {
				t.Fatalf("%d identities: %v", n, err)
			}
			answers[exit.String()+" "+string(out)] = true
		}
	}
	if len(answers) != 1 {
		t.Errorf("%d different answers: %v", len(answers), answers)
	}
	if !answers["exit status 1 "+ErrPassword.Error()+"\n"] {
		t.Error(answers)
	}
}
