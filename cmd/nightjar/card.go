// The commands of cards.

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"os"
	"strings"
	"time"

	"rsc.io/qr"

	"nightjar/cmd/control/api"
	"nightjar/node/card"
)

// errPicture is a QR code that could not be made or written.
var errPicture = errors.New("the QR code could not be written")

// cmdCardShow shows our card.
func cmdCardShow(ctx context.Context, c console, args []string) error {
	o := newOptions("card show")
	draw := o.set.Bool("qr", false, "")
	picture := o.set.String("png", "", "")
	fresh := o.set.Bool("fresh", false, "")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	var reply api.CardReply
	err := o.do(ctx, http.MethodPost, "/v1/card", api.CardRequest{Fresh: *fresh}, &reply)
	if err != nil {
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
		fmt.Fprintln(c.err, "nightjar: note:", reply.Next)
	}
	return nil
}

// cmdCardOpen lets those ask who know only the address, or no more.
func cmdCardOpen(ctx context.Context, _ console, args []string) error {
	o := newOptions("card open")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	if rest[0] != "on" && rest[0] != "off" {
		return usageError{"say on or off"}
	}
	return o.do(ctx, http.MethodPost, "/v1/open", map[string]bool{"open": rest[0] == "on"}, nil)
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
		Bridges: len(parsed.Bridges), Relays: len(parsed.Relays)}
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
	fmt.Fprintf(c.out, "carries   %d gateways, %d DHT nodes, %d bridges, %d relays\n",
		len(v.Gateways), v.Nodes, v.Bridges, v.Relays)
	return nil
}
