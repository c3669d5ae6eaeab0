// The report as one page with a picture, which needs nothing from anywhere.

package report

import (
	"html/template"
	"io"
	"strings"
)

const style = `
:root { color-scheme: light dark; --ink: #1d2326; --soft: #5d686d; --paper: #fbfbf9; --card: #fff;
  --line: #dfe3e1; --good: #2c7a4b; --goodbg: #e3f3e8; --bad: #b3261e; --badbg: #fbe1df;
  --warn: #8a6100; --warnbg: #fdf0cf }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9e8; --soft: #9aa5a8; --paper: #14181a;
  --card: #1c2224; --line: #313a3d; --good: #6fcf97; --goodbg: #17301f; --bad: #ff8a80;
  --badbg: #3d1a18; --warn: #f2c14e; --warnbg: #362b0e } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 0 auto; padding: 1.5rem 1rem;
  color: var(--ink); background: var(--paper) }
h1 { font-size: 1rem; font-weight: 600; color: var(--soft); margin: 0 0 .6rem }
h2 { font-size: 1.05rem; margin: 1.8rem 0 .5rem }
p { margin: .3rem 0 } .soft { color: var(--soft) }
.verdict { padding: 1rem 1.2rem; border-radius: .6rem; border: 2px solid }
.verdict b { font-size: 1.7rem; line-height: 1.2; display: block }
.exit0 { background: var(--goodbg); color: var(--good); border-color: var(--good) }
.exit1 { background: var(--badbg); color: var(--bad); border-color: var(--bad) }
.exit2 { background: var(--warnbg); color: var(--warn); border-color: var(--warn) }
.counts { display: flex; flex-wrap: wrap; gap: .6rem; margin: .8rem 0 0 }
.counts div { flex: 1 1 8rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; padding: .5rem .8rem }
.counts b { display: block; font-size: 1.5rem; line-height: 1.2 }
.counts .wrong { border-color: var(--bad); color: var(--bad) }
svg { width: 100%; height: auto; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem }
svg text { fill: var(--ink); font-size: 14px } svg .say { fill: var(--soft); font-size: 11px }
svg rect { fill: var(--paper); stroke: var(--line); stroke-width: 1.5 }
svg rect.fine { stroke: var(--good) } svg rect.stray { stroke: var(--bad); fill: var(--badbg) }
svg rect.told { stroke: var(--warn) }
svg path { fill: none } path.fine { stroke: var(--good) }
path.stray { stroke: var(--bad); stroke-width: 4; stroke-dasharray: 7 4 }
path.told { stroke: var(--warn) }
path.beside { stroke: var(--soft); stroke-dasharray: 2 4 }
.edge { stroke: var(--soft); stroke-dasharray: 3 5 }
ul { align-items: start; list-style: none; padding: 0; margin: 0; display: grid; gap: .3rem .6rem;
  grid-template-columns: repeat(auto-fill, minmax(26rem, 1fr)) }
@media (max-width: 30rem) { ul { grid-template-columns: 1fr } }
li { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--good);
  border-radius: .3rem; padding: .2rem .6rem }
li.leak { border-left-color: var(--bad); background: var(--badbg) }
li.not { border-left-color: var(--warn); background: var(--warnbg) }
summary { cursor: pointer } details p { font-size: 13px }
table { border-collapse: collapse; width: 100%; font-size: 12px }
td { padding: .1rem .4rem .1rem 0; vertical-align: top } td.n { text-align: right }
`

const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>nightjar audit</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>` + style +
	`</style></head><body>
<h1>nightjar audit of: {{.R.Subject}}</h1>
<p class="verdict exit{{.R.Totals.Exit}}"><b>{{.Head}}</b>{{.Rest}}</p>
{{with .R.Totals}}<div class="counts">
<div{{if .Stray}} class="wrong"{{end}}><b>{{.Stray}}</b>stray packets</div>
<div{{if .Names}} class="wrong"{{end}}><b>{{.Names}}</b>questions for names</div>
<div{{if .Doors}} class="wrong"{{end}}><b>{{.Doors}}</b>open doors</div>
<div><b>{{.Ran}}</b>scenes played{{if .NotRun}}, {{.NotRun}} not to their end{{end}}</div>
<div><b>{{.Packets}}</b>packets looked at</div></div>{{end}}
<h2>Who sent to whom</h2>
{{with .P}}<svg viewBox="0 0 {{.Wide}} {{.High}}" role="img"
 aria-label="parts of nightjar on the left, the network on the right">
<line x1="{{.Edge}}" y1="8" x2="{{.Edge}}" y2="{{.High}}" class="edge"></line>
<text x="{{.Edge}}" y="22" text-anchor="end" dx="-10" class="say">this machine</text>
<text x="{{.Edge}}" y="22" dx="10" class="say">the network</text>
{{range .Lines}}<path d="{{.Path}}" class="{{.Class}}" stroke-width="{{.Width}}"><title>{{.Title}}
</title></path>
{{end}}{{$w := .BoxWide}}{{$h := .BoxHigh}}{{range .Boxes}}<rect x="{{.X}}" y="{{.Y}}"
 width="{{$w}}" height="{{$h}}" rx="6" class="{{.Class}}"></rect>
<text x="{{.X}}" y="{{.Y}}" dx="10" dy="20">{{.Name}}</text>
<text x="{{.X}}" y="{{.Y}}" dx="10" dy="36" class="say">{{.Say}}</text>
{{end}}</svg>{{end}}
<p class="soft">Green: as it is meant to be. Red and dashed: stray. Yellow: a phone that the audit
told to do so. Grey: unix sockets, which carry no packets. The thicker, the more packets.</p>
<h2>What was tried</h2>
<ul>{{range .R.Scenes}}<li{{if .Leaks}} class="leak"{{else if .Failed}} class="not"{{end}}>
<details{{if .Leaks}} open{{end}}><summary>{{.Says}}</summary>
<p class="soft">{{.Name}}, {{printf "%.0f" .Seconds}} s</p>
{{with .Failed}}<p><b>not played to its end: {{.}}</b></p>{{end}}
{{range .Did}}<p>{{.}}</p>{{end}}{{range .Doors}}<p><b>{{.}}</b></p>{{end}}
<table>{{range .Lines}}<tr><td>{{.Owner}}</td><td>{{.To}}</td><td>{{.Proto}}</td>
<td class="n">{{.Packets}}</td><td>{{.Verdict}}</td></tr>
{{end}}</table></details></li>
{{end}}</ul>
<p class="soft">It took {{printf "%.0f" .R.Seconds}} s. The recorder
{{if .R.Proven}}saw what it was sent to prove itself, before and after{{else}}did NOT see what
it was sent to prove itself{{end}}.</p>
</body></html>
`

// HTML writes the report as a page.
func (r *Report) HTML(w io.Writer) error {
	t, err := template.New("page").Parse(page)
	if err != nil {
		return err
	}
	head, rest, _ := strings.Cut(r.Verdict(), ": ")
	return t.Execute(w, struct {
		R          *Report
		P          picture
		Head, Rest string
	}{r, r.draw(), head, rest})
}
