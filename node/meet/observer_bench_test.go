// The figure of unlinkability: what an observer of every node gains in 30 epochs of 1000 pairs.

//go:build bench

package meet

import (
	"fmt"
	"testing"
)

func TestFiguresOfTheObserver(t *testing.T) {
	sign, ours, naiveSign, naive := observed(1000, 30)
	t.Logf("ours: %s; control: %s", sign, naiveSign)
	fmt.Printf("FIGURE meeting.observer_advantage_points %.1f points\n", ours)
	fmt.Printf("FIGURE meeting.observer_advantage_points_control %.1f points\n", naive)
}
