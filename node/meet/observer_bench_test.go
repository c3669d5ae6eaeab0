// The figure of unlinkability: what an observer of every node and every gateway gains in 30 epochs
// of 1000 pairs.

//go:build bench

package meet

import (
	"fmt"
	"testing"
)

func TestFiguresOfTheObserver(t *testing.T) {
	sign, ours := observed(1000, 30, lead)
	naiveSign, naive := observed(1000, 30, leadNaive)
	hastySign, hasty := observed(1000, 30, leadHasty)
	t.Logf("ours: %s; control: %s; hasty: %s", sign, naiveSign, hastySign)
	fmt.Printf("FIGURE meeting.observer_advantage_points %.1f points\n", ours)
	fmt.Printf("FIGURE meeting.observer_advantage_points_control %.1f points\n", naive)
	fmt.Printf("FIGURE meeting.observer_advantage_points_hasty %.1f points\n", hasty)
}
