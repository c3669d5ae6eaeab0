//go:build e2e

// The look into another process: which of many secrets stand anywhere in its memory.

package memory

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// secrets are bytes that are looked for, by name; each is at least 16 bytes long.
type secrets map[string][]byte

// merge returns all of several sets.
func merge(sets ...secrets) secrets {
	all := secrets{}
	for _, s := range sets {
		maps.Copy(all, s)
	}
	return all
}

// piece is 16 bytes of a secret, and whose.
type piece struct {
	name string
	b    []byte
}

// pieces cuts secrets up, sorted by their first two bytes for a search in one pass.
func (s secrets) pieces() *[1 << 16][]piece {
	by := new([1 << 16][]piece)
	for name, b := range s {
		for ; len(b) >= 16; b = b[16:] {
			i := binary.LittleEndian.Uint16(b)
			by[i] = append(by[i], piece{name, b[:16]})
		}
	}
	return by
}

// names are those that were found, in order.
func names(found map[string]int) []string { return slices.Sorted(maps.Keys(found)) }

// scan returns how often a piece of each secret stands in the memory of a process. What it
// changes while the look goes on may be missed.
func (s secrets) scan(pid int) map[string]int {
	found, by := map[string]int{}, s.pieces()
	mem := must(os.Open(fmt.Sprintf("/proc/%d/mem", pid)))
	defer mem.Close()
	table := string(must(os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))))
	const chunk, overlap = 4 << 20, 15
	buf := make([]byte, chunk+overlap)
	for line := range strings.Lines(table) {
		if strings.Contains(line, "[vsyscall]") { // at the end of all addresses; not memory
			continue
		}
		var from, to int64
		must(fmt.Sscanf(line, "%x-%x", &from, &to))
		for ; from < to; from += chunk {
			n, _ := mem.ReadAt(buf[:min(int64(len(buf)), to-from)], from)
			for i := 0; i+16 <= n; i++ {
				for _, p := range by[uint16(buf[i])|uint16(buf[i+1])<<8] {
					if bytes.Equal(p.b, buf[i:i+16]) {
						found[p.name]++
					}
				}
			}
		}
	}
	return found
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
