// Package node keeps state.
package node

import (
	"encoding/base32"
	"errors"
	"regexp"
	"sync"
	"time"
)

// ErrGone is a sentinel.
var ErrGone = errors.New("gone")

var mutex sync.Mutex // want "mutex is neither"

var count int // want "count is changed"

var pattern = regexp.MustCompile("x") // want "pattern is neither"

var now = time.Now

var seam = time.Now // want "seam is changed"

var cache = map[string]int{} // want "cache is changed"

var lazy = func() int { return 1 }() // want "lazy is neither"

var taken = [2]byte{1, 2} // want "taken is changed"

var table = []struct {
	name string
	do   func() time.Time
}{{"now", time.Now}, {name: "later", do: nil}}

var labels = map[string][]byte{"a": []byte("label")}

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding('=')

var noise = base32.NewEncoding(pattern.String()) // want "noise is neither"

var _ error = (*problem)(nil)

type problem struct{}

func (*problem) Error() string { return "problem" }

func use() any {
	count++
	seam = nil
	cache["x"] = 1
	p := &taken
	return p
}
