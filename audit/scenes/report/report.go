// Package report says what an audit has seen: to people, to programs, and as a picture. It knows
// nothing of how it was seen.
package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"text/tabwriter"

	"nightjar/audit/watch"
)

// Exit codes of an audit.
const (
	Clean     = 0 // nothing was stray
	Leak      = 1 // something was
	Untrusted = 2 // the audit could not see, or not do, all it should have
)

// A Report is a whole audit.
type Report struct {
	Subject string   `json:"subject"` // what was watched
	Seconds float64  `json:"seconds"`
	Proven  bool     `json:"recorder_proven"`
	Scenes  []*Scene `json:"scenes"`
	Totals  Totals   `json:"totals"`
}

// Totals are counted over all scenes.
type Totals struct {
	Ran     int `json:"scenes_ran"`
	NotRun  int `json:"scenes_not_run"`
	Packets int `json:"packets"`
	Stray   int `json:"stray_packets"`
	Names   int `json:"name_questions"`
	Doors   int `json:"open_doors"`
	Foreign int `json:"packets_of_phones_told_to"`
	Exit    int `json:"exit"`
}

// A Scene is what was done, and what was seen meanwhile.
type Scene struct {
	Name    string   `json:"name"`
	Says    string   `json:"says"`
	Did     []string `json:"did,omitempty"`
	Failed  string   `json:"failed,omitempty"` // why it could not be played to its end
	Seconds float64  `json:"seconds"`
	Stray   int      `json:"stray_packets"`
	Names   int      `json:"name_questions"`
	Foreign int      `json:"packets_of_phones_told_to"`
	Lines   []Line   `json:"traffic"`
	Doors   []string `json:"open_doors,omitempty"`
}

// A Line is all packets of one owner to one destination.
type Line struct {
	Owner   string        `json:"owner"`
	To      string        `json:"to"`
	Proto   string        `json:"proto"`
	Packets int           `json:"packets"`
	Bytes   int           `json:"bytes"`
	Verdict watch.Verdict `json:"verdict"`
	Foreign bool          `json:"told_to,omitempty"` // by a phone that was told to
}

// Seen fills in what was recorded during a scene. Packets of the foreign roles were wanted: they
// are those of a phone that was set up so, and are counted by themselves.
func (s *Scene) Seen(flows []watch.Flow, doors []watch.Door, rules watch.Rules, foreign []string) {
	sum := map[Line]*Line{}
	rules = rules.With(doors)
	for _, f := range flows {
		v := rules.Judge(f)
		bad := v == watch.Stray || v == watch.Name
		l := Line{Owner: f.Owner.String(), To: destination(f, bad), Proto: watch.ProtoName(f.Proto),
			Verdict: v, Foreign: bad && slices.Contains(foreign, f.Owner.Role)}
		if sum[l] == nil {
			sum[l] = &Line{Owner: l.Owner, To: l.To, Proto: l.Proto, Verdict: v, Foreign: l.Foreign}
		}
		sum[l].Packets += f.Packets
		sum[l].Bytes += f.Bytes
		switch {
		case l.Foreign:
			s.Foreign += f.Packets
		case bad:
			s.Stray += f.Packets
		}
		if v == watch.Name && !l.Foreign {
			s.Names += f.Packets
		}
	}
	for _, l := range sum {
		s.Lines = append(s.Lines, *l)
	}
	slices.SortFunc(s.Lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Owner, b.Owner),
			cmp.Compare(a.To, b.To), cmp.Compare(a.Proto, b.Proto))
	})
	for _, d := range doors {
		if rules.Open(d) {
			s.Doors = append(s.Doors, fmt.Sprintf("%s is open at %s %s", d.Owner,
				watch.ProtoName(d.Proto), d.At))
		}
	}
	slices.Sort(s.Doors)
}

// rank puts what is wrong first.
func rank(l Line) int {
	switch {
	case l.Foreign:
		return 2
	case l.Verdict == watch.Stray, l.Verdict == watch.Name:
		return 1
	}
	return 3
}

// destination is who gets it on loopback, and the address where somebody else would.
func destination(f watch.Flow, bad bool) string {
	if f.Interface == "lo" && f.Peer != (watch.Owner{}) {
		return f.Peer.String()
	}
	if f.Interface == "lo" && !bad {
		return "loopback"
	}
	if f.To.Port() == 0 {
		return f.To.Addr().String()
	}
	return netip.AddrPortFrom(f.To.Addr(), f.To.Port()).String()
}

// Sent reports whether anybody whose role ends so was seen to send, as is right.
func (s *Scene) Sent(role string) bool {
	return slices.ContainsFunc(s.Lines, func(l Line) bool {
		return strings.HasSuffix(l.Owner, role) && l.Verdict == watch.Fine
	})
}

// Leaks reports whether something was wrong in the scene.
func (s *Scene) Leaks() bool { return s.Stray > 0 || len(s.Doors) > 0 }

// Sum counts, and decides.
func (r *Report) Sum() {
	t := Totals{}
	for _, s := range r.Scenes {
		if s.Failed == "" {
			t.Ran++
		} else {
			t.NotRun++
		}
		for _, l := range s.Lines {
			t.Packets += l.Packets
		}
		t.Stray, t.Names = t.Stray+s.Stray, t.Names+s.Names
		t.Doors, t.Foreign = t.Doors+len(s.Doors), t.Foreign+s.Foreign
	}
	switch {
	case t.Stray > 0 || t.Doors > 0:
		t.Exit = Leak // what was seen was seen, whatever was not
	case !r.Proven || t.NotRun > 0 || t.Ran == 0:
		t.Exit = Untrusted
	}
	r.Totals = t
}

// JSON writes the report for programs.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Verdict is the end of the report in words.
func (r *Report) Verdict() string {
	switch r.Totals.Exit {
	case Leak:
		if r.nobodys() {
			return "LEAK: something was sent by nobody: the socket was gone before it was known " +
				"whose it was, as on a busy machine; run it again on a quieter one"
		}
		return "LEAK: something was sent, or could be reached, that should not"
	case Untrusted:
		return "NOT TRUSTED: the audit could not see or do all it should have"
	}
	return "CLEAN: nothing left but by the way that is meant for it"
}

// nobodys reports whether all that was wrong came from sockets whose owner was not found.
func (r *Report) nobodys() bool {
	for _, s := range r.Scenes {
		if len(s.Doors) > 0 {
			return false
		}
		for _, l := range s.Lines {
			if rank(l) == 1 && l.Owner != (watch.Owner{}).String() {
				return false
			}
		}
	}
	return true
}

// Text writes one scene for people.
func (s *Scene) Text(w io.Writer) {
	word := "clean"
	switch {
	case s.Leaks():
		word = "LEAK"
	case s.Failed != "":
		word = "NOT RUN"
	}
	fmt.Fprintf(w, "%-8s %-22s %5.1f s  %s\n", word, s.Name, s.Seconds, s.Says)
	if s.Failed != "" {
		fmt.Fprintf(w, "         %s\n", s.Failed)
	}
	for _, d := range s.Doors {
		fmt.Fprintf(w, "         %s\n", d)
	}
	for _, l := range s.Lines {
		if rank(l) < 3 {
			told := ""
			if l.Foreign {
				told = " (it was told to)"
			}
			fmt.Fprintf(w, "         %s -> %s, %s: %d packets%s\n", l.Owner, l.To, l.Proto,
				l.Packets, told)
		}
	}
}

// Text writes the end of the report for people: who wrote to whom, and the verdict.
func (r *Report) Text(w io.Writer) {
	fmt.Fprintf(w, "\nwho wrote to whom, in all scenes:\n")
	t := tabwriter.NewWriter(w, 2, 4, 2, ' ', 0)
	for _, a := range r.arrows() {
		fmt.Fprintf(t, "  %s\t-> %s\t%s\t%d packets\t%s\n", a.from, a.to, a.proto, a.packets,
			a.verdict)
	}
	t.Flush()
	s := r.Totals
	fmt.Fprintf(w, "\n%d scenes ran, %d did not; %d packets looked at in %.0f s\n", s.Ran, s.NotRun,
		s.Packets, r.Seconds)
	fmt.Fprintf(w, "stray packets: %d; questions for names: %d; open doors: %d\n", s.Stray, s.Names,
		s.Doors)
	if s.Foreign > 0 {
		fmt.Fprintf(w, "%d more were of phones that were told to send them\n", s.Foreign)
	}
	fmt.Fprintf(w, "%s\n", r.Verdict())
}

// An arrow is all that one role sent to another, over all scenes.
type arrow struct {
	from, to, proto, verdict string
	packets                  int
}

// arrows sums the lines by role: whose does not matter in a picture.
func (r *Report) arrows() []arrow {
	sum := map[arrow]int{}
	for _, s := range r.Scenes {
		for _, l := range s.Lines {
			v := string(l.Verdict)
			if l.Foreign {
				v = "told to"
			}
			sum[arrow{role(l.Owner), role(l.To), l.Proto, v, 0}] += l.Packets
		}
	}
	var out []arrow
	for a, n := range sum {
		a.packets = n
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b arrow) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to),
			cmp.Compare(a.proto, b.proto), cmp.Compare(a.verdict, b.verdict))
	})
	return out
}

// role is the last part of "desk's tor".
func role(owner string) string {
	if _, r, ok := strings.Cut(owner, "'s "); ok {
		return r
	}
	return owner
}
