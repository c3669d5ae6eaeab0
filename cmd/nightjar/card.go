// The commands of cards.

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"rsc.io/qr"

	"nightjar/cmd/control/api"
	"nightjar/node"
	"nightjar/node/card"
	"nightjar/onion/exposure"
)

// errPicture is a QR code that could not be made or written.
var errPicture = errors.New("the QR code could not be written")

// cmdCardShow shows our card.
func cmdCardShow(ctx context.Context, c console, args []string) error {
	o := newOptions("card show")
	draw := o.set.Bool("qr", false, "")
	picture := o.set.String("png", "", "")
	request := o.cardFlags()
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	asked, err := request()
	if err != nil {
		return err
	}
	var reply api.CardReply
	if err := o.do(ctx, http.MethodPost, "/v1/card", asked, &reply); err != nil {
		return err
	}
	if *draw || *picture != "" {
		code, err := qr.Encode(strings.ToUpper(reply.Card), qr.L) // upper case makes it smaller
		if err != nil {
			return errPicture
		}
		if *draw && !o.json {
			fmt.Fprint(c.out, blocks(code))
		}
		if *picture != "" {
			if err := writePNG(*picture, code); err != nil {
				return err
			}
		}
	}
	if o.json {
		return c.json(reply)
	}
	fmt.Fprintln(c.out, reply.Card)
	if reply.Next != "" {
		c.note("%s", reply.Next)
	}
	return nil
}

// cardFlags are the flags of the card that is wanted. What it returns is called after parse.
func (o *options) cardFlags() func() (api.CardRequest, error) {
	var r api.CardRequest
	o.set.BoolVar(&r.Fresh, "fresh", false, "")
	o.set.BoolVar(&r.Doorbell, "doorbell", false, "")
	o.set.BoolVar(&r.Full, "full", false, "")
	once := o.set.Bool("once", false, "")
	uses := o.set.Uint("uses", 0, "")
	good := o.set.String("for", "", "")
	return func() (api.CardRequest, error) {
		given := false
		o.set.Visit(func(f *flag.Flag) { given = given || f.Name == "uses" })
		if given && (*uses == 0 || *uses > math.MaxUint32 || *once) {
			return r, usageError{"say --once, or --uses N with N at least 1"}
		}
		r.Uses = uint32(*uses)
		if *once {
			r.Uses = 1
		}
		hours, err := parseHours(*good)
		r.Hours = hours
		return r, err
	}
}

// parseHours reads "48h" or "30d", at least an hour and at most ten years; "" is 0.
func parseHours(s string) (uint32, error) {
	if s == "" {
		return 0, nil
	}
	unit, number := uint64(1), s[:len(s)-1]
	switch s[len(s)-1] {
	case 'd':
		unit = 24
	case 'h':
	default:
		number = ""
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil || n == 0 || n*unit > 10*365*24 {
		return 0, usageError{"say how long the card is good, from 1h to 3650d: 48h, 30d"}
	}
	return uint32(n * unit), nil
}

// cmdCardList lists the cards that are out.
func cmdCardList(ctx context.Context, c console, args []string) error {
	o := newOptions("card list")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	var list []node.CardStatus
	if err := o.do(ctx, http.MethodGet, "/v1/cards", nil, &list); err != nil {
		return err
	}
	if o.json {
		return c.json(list)
	}
	for _, k := range list {
		limit := "for any number of people"
		if k.Uses > 0 {
			limit = fmt.Sprintf("used by %d of %d", k.Used, k.Uses)
		}
		bell := ""
		if k.Bell {
			bell = ", with a doorbell"
		}
		fmt.Fprintf(c.out, "%s  until %s, %s%s\n", k.ID, k.Expires.Format(time.DateOnly), limit,
			bell)
	}
	if len(list) == 0 {
		c.line("no card is out; make one: nightjar card show")
	}
	return nil
}

// cmdCardRevoke makes a card worthless.
func cmdCardRevoke(ctx context.Context, c console, args []string) error {
	o := newOptions("card revoke")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	return o.done(ctx, c, http.MethodDelete, "/v1/cards/"+url.PathEscape(rest[0]), nil,
		"nobody can ask by it any more")
}

// cmdCardOpen lets those ask who know only the address, or no more.
func cmdCardOpen(ctx context.Context, c console, args []string) error {
	o := newOptions("card open")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	if rest[0] != "on" && rest[0] != "off" {
		return usageError{"say on or off"}
	}
	what := "only those who have a card can ask"
	if rest[0] == "on" {
		what = "whoever knows your address can ask"
	}
	return o.done(ctx, c, http.MethodPost, "/v1/open", api.OpenRequest{Open: rest[0] == "on"}, what)
}

// quiet is the margin of a QR code in modules that readers need.
const quiet = 4

// writePNG writes a QR code as a picture of 8 pixels a module. The library's own encoder would sign
// it with an address.
func writePNG(file string, code *qr.Code) error {
	const module = 8
	size := (code.Size + 2*quiet) * module
	picture := image.NewGray(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			if !code.Black(x/module-quiet, y/module-quiet) {
				picture.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	var b bytes.Buffer
	if png.Encode(&b, picture) != nil || os.WriteFile(file, b.Bytes(), 0o600) != nil {
		return errPicture
	}
	return nil
}

// blocks draws a QR code with half-block characters, two rows a line, light on dark, with the
// quiet zone, in colours of its own so that it can be read on a light terminal too.
func blocks(code *qr.Code) string {
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		b.WriteString("\x1b[97;40m") // white on black
		for x := -quiet; x < code.Size+quiet; x++ {
			top, bottom := code.Black(x, y), code.Black(x, y+1)
			switch {
			case top && bottom:
				b.WriteRune(' ')
			case top:
				b.WriteRune('▄')
			case bottom:
				b.WriteRune('▀')
			default:
				b.WriteRune('█')
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String()
}

// cardView is what card read prints as JSON.
type cardView struct {
	Address  string   `json:"address"`
	Name     string   `json:"name,omitempty"`
	Expires  string   `json:"expires,omitempty"`
	Expired  bool     `json:"expired"`
	Gateways []string `json:"gateways"`
	Nodes    int      `json:"dht_nodes"`
	Bridges  int      `json:"bridges"`
	Relays   int      `json:"relays"`
	Uses     uint     `json:"uses,omitempty"` // how many may become contacts by it; 0: any number
	Doorbell bool     `json:"doorbell"`
}

// cmdCardRead shows what a card holds.
func cmdCardRead(_ context.Context, c console, args []string) error {
	o := newOptions("card read")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	parsed, err := card.Parse(rest[0])
	if err != nil {
		return err
	}
	v := cardView{Address: parsed.Address.String(), Name: parsed.Name,
		Expired: parsed.Expired(time.Now()), Nodes: len(parsed.Nodes), Gateways: []string{},
		Bridges: len(parsed.Bridges), Relays: len(parsed.Relays), Uses: parsed.Uses,
		Doorbell: parsed.Doorbell != card.Gateway{}}
	if !parsed.Expires.IsZero() {
		v.Expires = parsed.Expires.UTC().Format(time.DateOnly)
	}
	for _, g := range parsed.Gateways {
		v.Gateways = append(v.Gateways, g.String())
	}
	if o.json {
		return c.json(v)
	}
	fmt.Fprintln(c.out, "address  ", v.Address)
	fmt.Fprintln(c.out, "name     ", escape(v.Name))
	fmt.Fprintln(c.out, "expires  ", v.Expires)
	if v.Expired {
		fmt.Fprintln(c.out, "           this card has expired: ask for a fresh one")
	}
	switch {
	case v.Uses == 1:
		fmt.Fprintln(c.out, "for       one person")
	case v.Uses > 1:
		fmt.Fprintf(c.out, "for       %d people\n", v.Uses)
	}
	if v.Doorbell {
		fmt.Fprintln(c.out, "doorbell  yes: the invitation arrives at once if its owner is there")
	}
	fmt.Fprintf(c.out, "carries   %s, %s, %s, %s\n", exposure.Count(len(v.Gateways), "gateway"),
		exposure.Count(v.Nodes, "DHT node"), exposure.Count(v.Bridges, "bridge"),
		exposure.Count(v.Relays, "relay"))
	return nil
}
