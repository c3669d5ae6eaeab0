//go:build bench

// How far the time to open tells a right password from a wrong one.

package keystore

import (
	"fmt"
	"slices"
	"testing"
)

// TestTheTimeToOpenTellsNotWhetherItOpened judges; here the numbers are shown. A naive search is
// the control.
func TestFiguresOfRightAndWrongPasswords(t *testing.T) {
	v := edges(t, 8, cost{passes: 1, memory: 16 << 10, lanes: 4})
	times := race([]func() *Identity{
		opening(t, v, "low"), opening(t, v, "high"), opening(t, v, "no"),
	})
	fmt.Printf("FIGURE keystore.right_other_p %.4f p\n", mannWhitney(times[0], times[1]))
	fmt.Printf("FIGURE keystore.right_wrong_p %.4f p\n", mannWhitney(times[0], times[2]))
	for i, name := range []string{"right", "other", "wrong"} {
		slices.Sort(times[i])
		ms := float64(times[i][runs/2].Microseconds()) / 1000
		fmt.Printf("FIGURE keystore.open_%s_16mib_ms %.2f ms\n", name, ms)
	}
	cheaply := edges(t, 8, cheap())
	naive := race([]func() *Identity{
		naiveOpening(t, cheaply, "low"), naiveOpening(t, cheaply, "no"),
	})
	fmt.Printf("FIGURE keystore.right_wrong_p_control %.4f p\n", mannWhitney(naive[0], naive[1]))
}
