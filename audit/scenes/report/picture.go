// The picture of a report: everybody who sent or got something, once, and the lines between them.

package report

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// The picture has four columns. Between the third and the last is the edge of the machine.
const (
	columns   = 4
	boxWide   = 158
	boxHigh   = 46
	columnGap = 230
	rowGap    = 66
	top       = 44
)

// A part is how somebody is shown: in which column, and in which words.
type part struct {
	column    int
	name, say string
}

// parts are those that a picture knows. What else has a name is a program, what else is an address
// is outside.
var parts = map[string]part{
	"phone":             {0, "phone", "SIP, on this machine"},
	"command":           {0, "command", "nightjar send, read..."},
	"program":           {0, "the program", "that was watched"},
	"engine":            {1, "engine", "has your secrets"},
	"engine by a way":   {1, "engine", "by a VPN, proxy, interface"},
	"guard":             {1, "guard", "of the engine, no secrets"},
	"guard by a way":    {1, "guard", "by a VPN, proxy, interface"},
	"gateway":           {1, "gateway", "lends its address"},
	"tor":               {2, "tor", "the engine's only way"},
	"tor by a way":      {2, "tor", "within a VPN"},
	"transport":         {2, "transport", "obfs4, before tor"},
	"relay":             {3, "Tor network", "relays and bridges"},
	"world":             {3, "DHT", "nodes, and the stage"},
	"192.0.2.200:51820": {3, "VPN", "its endpoint"},
	"192.0.2.200:1080":  {3, "proxy", "SOCKS5"},
	"192.0.2.200:1081":  {3, "proxy", "its datagrams"},
}

type box struct {
	X, Y, Middle int
	Name, Say    string
	Class        string
}

type stroke struct {
	Path, Class, Title string
	Width              int
}

// picture is what the page draws.
type picture struct {
	Wide, High, Edge int
	BoxWide, BoxHigh int
	Boxes            []box
	Lines            []stroke
}

// pair is two who sent to each other, in whichever direction.
type pair struct{ a, b string }

// lines sums what went between two. What a kernel says by itself, and what the scenery says to
// itself, is not drawn.
func (r *Report) lines() (order []pair, packets map[pair]int, class map[pair]string) {
	packets, class = map[pair]int{}, map[pair]string{}
	for _, a := range r.arrows() {
		kind := "fine"
		switch a.verdict {
		case "kernel":
			continue
		case "stray", "name":
			kind = "stray"
		case "told to":
			kind = "told"
		}
		scenery := place(a.from).column == columns-1 && place(a.to).column == columns-1
		steered := a.from == "world" || a.to == "world" // phones, by the audit
		if kind == "fine" && (scenery || steered && place(a.from).column == 0 ||
			steered && place(a.to).column == 0 || a.from == "nobody" || a.to == "loopback" ||
			a.from == a.to) {
			continue
		}
		p := pair{a.from, a.to}
		if q := (pair{a.to, a.from}); packets[q] > 0 {
			p = q
		}
		if packets[p] == 0 {
			order = append(order, p)
		}
		packets[p] += a.packets
		if class[p] != "stray" {
			class[p] = kind
		}
	}
	return order, packets, class
}

// place says where somebody is drawn.
func place(who string) part {
	if p, ok := parts[who]; ok {
		return p
	}
	if a, err := netip.ParseAddrPort(who); err == nil {
		if a.Addr().IsLoopback() {
			return part{columns - 1, who, "on loopback"}
		}
		return part{columns - 1, who, "outside"}
	}
	if _, err := netip.ParseAddr(who); err == nil {
		return part{columns - 1, who, "outside"}
	}
	if who == "nobody" {
		return part{0, "nobody", "gone before it was known"}
	}
	return part{0, who, "on this machine"}
}

// draw places boxes and lines.
func (r *Report) draw() picture {
	order, packets, class := r.lines()
	who := map[string]string{} // and its class
	for _, p := range order {
		for _, n := range []string{p.a, p.b} {
			if who[n] == "" || class[p] == "stray" && n == p.b {
				who[n] = class[p]
			}
		}
	}
	var names []string
	for n := range who {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(place(a).name, place(b).name), cmp.Compare(a, b))
	})
	d := picture{BoxWide: boxWide, BoxHigh: boxHigh}
	at, rows := map[string]box{}, [columns]int{}
	for _, n := range names {
		p := place(n)
		b := box{X: 10 + p.column*columnGap, Y: top + rows[p.column]*rowGap, Name: p.name,
			Say: p.say, Class: who[n]}
		b.Middle = b.Y + boxHigh/2
		rows[p.column]++
		at[n] = b
		d.Boxes = append(d.Boxes, b)
	}
	low := top + max(rows[0], rows[1], rows[2], rows[3])*rowGap
	for _, p := range order {
		d.Lines = append(d.Lines, stroke{Path: curve(at[p.a], at[p.b], low), Class: class[p],
			Width: 1 + width(packets[p]),
			Title: fmt.Sprintf("%s and %s: %d packets, %s", p.a, p.b, packets[p], class[p])})
	}
	for _, way := range []string{"", " by a way"} {
		if a, b := at["engine"+way], at["tor"+way]; a.Name != "" && b.Name != "" {
			d.Lines = append(d.Lines, stroke{Path: curve(a, b, low), Class: "beside", Width: 1,
				Title: "unix sockets: no packets"})
		}
	}
	slices.SortStableFunc(d.Lines, func(a, b stroke) int { // what is wrong lies on top
		return strings.Compare(a.Class, b.Class)
	})
	d.Wide = 20 + (columns-1)*columnGap + boxWide
	d.High = low + boxHigh
	d.Edge = 10 + (columns-1)*columnGap - (columnGap-boxWide)/2
	return d
}

// width grows with every digit.
func width(n int) (w int) {
	for ; n >= 100 && w < 4; n /= 10 {
		w++
	}
	return w
}

// curve leads from one box to another, whichever is further left; below the lowest, if others could
// lie between.
func curve(a, b box, low int) string {
	if a.X > b.X {
		a, b = b, a
	}
	if a.X == b.X { // one above the other
		x := a.X + boxWide
		return fmt.Sprintf("M%d %d C%d %d %d %d %d %d", x, a.Middle, x+34, a.Middle, x+34,
			b.Middle, x, b.Middle)
	}
	from, to := a.X+boxWide, b.X
	half := (to - from) / 2
	if to-from > columnGap {
		return fmt.Sprintf("M%d %d C%d %d %d %d %d %d", from, a.Middle, from+columnGap/2,
			low+boxHigh, to-columnGap/2, low+boxHigh, to, b.Middle)
	}
	return fmt.Sprintf("M%d %d C%d %d %d %d %d %d", from, a.Middle, from+half, a.Middle, to-half,
		b.Middle, to, b.Middle)
}
