// The report as one page with a picture, which needs nothing from anywhere.

package report

import (
	"fmt"
	"html/template"
	"io"
	"slices"
)

const (
	rowHeight = 34
	wide      = 760
	left      = 180
	right     = 540
)

// picture is who sent to whom: senders left, receivers right.
type picture struct {
	Width, Height, Left, Right int
	From, To                   []spot
	Lines                      []stroke
}

type spot struct {
	Name string
	Y    int
}

type stroke struct {
	X1, Y1, X2, Y2 int
	Class, Title   string
	Width          int
}

// draw places the arrows.
func (r *Report) draw() picture {
	p := picture{Width: wide, Left: left, Right: right}
	place := func(list *[]spot, name string) int {
		i := slices.IndexFunc(*list, func(s spot) bool { return s.Name == name })
		if i < 0 {
			i = len(*list)
			*list = append(*list, spot{name, rowHeight * (i + 1)})
		}
		return (*list)[i].Y
	}
	for _, a := range r.arrows() {
		s := stroke{X1: left + 8, X2: right - 8, Y1: place(&p.From, a.from), Y2: place(&p.To, a.to),
			Class: "fine", Width: 1,
			Title: fmt.Sprintf("%s to %s: %d packets of %s, %s", a.from, a.to, a.packets, a.proto,
				a.verdict)}
		if a.verdict == "stray" || a.verdict == "name" {
			s.Class = "stray"
		} else if a.verdict == "told to" {
			s.Class = "told"
		}
		for n := a.packets; n >= 10 && s.Width < 5; n /= 10 {
			s.Width++
		}
		p.Lines = append(p.Lines, s)
	}
	p.Height = rowHeight * (max(len(p.From), len(p.To)) + 1)
	return p
}

const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>nightjar audit</title><style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .2rem .6rem;
  border-bottom: 1px solid #ddd; vertical-align: top }
.verdict { padding: .8rem 1rem; border-radius: .3rem; font-weight: 600 }
.exit0 { background: #e2f3e5 } .exit1 { background: #fbdcdc } .exit2 { background: #fdf0cf }
.fine { stroke: #5a9367 } .stray { stroke: #c62828 } .told { stroke: #c98a00 }
tr.leak td { background: #fbdcdc } tr.not td { background: #fdf0cf }
svg text { font-size: 13px; fill: #222 } details { margin: 0 } summary { cursor: pointer }
</style></head><body>
<h1>nightjar audit</h1>
<p>Watched: {{.R.Subject}}. {{.R.Totals.Ran}} scenes in {{printf "%.0f" .R.Seconds}} s,
{{.R.Totals.Packets}} packets looked at.</p>
<p class="verdict exit{{.R.Totals.Exit}}">{{.R.Verdict}}<br>
stray packets: {{.R.Totals.Stray}}; questions for names: {{.R.Totals.Names}};
open doors: {{.R.Totals.Doors}}</p>
<h2>Who sent to whom</h2>
{{with .P}}<svg viewBox="0 0 {{.Width}} {{.Height}}" width="100%" role="img"
 aria-label="senders on the left, receivers on the right">
{{range .Lines}}<line x1="{{.X1}}" y1="{{.Y1}}" x2="{{.X2}}" y2="{{.Y2}}" class="{{.Class}}"
 stroke-width="{{.Width}}"><title>{{.Title}}</title></line>
{{end}}{{$l := .Left}}{{range .From}}<text x="{{$l}}" y="{{.Y}}" text-anchor="end"
 dominant-baseline="middle">{{.Name}}</text>
{{end}}{{$r := .Right}}{{range .To}}<text x="{{$r}}" y="{{.Y}}"
 dominant-baseline="middle">{{.Name}}</text>
{{end}}</svg>{{end}}
<p>Green is what is meant to be, red is stray, yellow is a phone that was told to.</p>
<h2>Scenes</h2>
<table><tr><th>scene</th><th>stray</th><th>names</th><th>what was done and seen</th></tr>
{{range .R.Scenes}}<tr{{if .Leaks}} class="leak"{{else if .Failed}} class="not"{{end}}>
<td>{{.Name}}</td><td>{{.Stray}}</td><td>{{.Names}}</td><td><details><summary>{{.Says}}</summary>
{{with .Failed}}<p>not played to its end: {{.}}</p>{{end}}
{{range .Did}}{{.}}<br>{{end}}{{range .Doors}}<b>{{.}}</b><br>{{end}}
<table>{{range .Lines}}<tr><td>{{.Owner}}</td><td>{{.To}}</td><td>{{.Proto}}</td>
<td>{{.Packets}}</td><td>{{.Verdict}}</td></tr>
{{end}}</table></details></td></tr>
{{end}}</table></body></html>
`

// HTML writes the report as a page.
func (r *Report) HTML(w io.Writer) error {
	t, err := template.New("page").Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, struct {
		R *Report
		P picture
	}{r, r.draw()})
}
