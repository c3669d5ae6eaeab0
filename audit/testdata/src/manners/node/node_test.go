// These tests sleep and skip by every road.

package node

import (
	"os"
	"testing"
	clock "time"
)

func TestEveryRoad(t *testing.T) {
	clock.Sleep(1)      // want "use of time.Sleep"
	wait := clock.Sleep // want "use of time.Sleep"
	wait(1)
	if testing.Short() { // want "use of testing.Short"
		t.Skip() // want "use of testing.Skip"
	}
	t.Skipf("no %s", os.Getenv("TOR")) // want "use of testing.Skipf"
	quit(t, t.SkipNow)                 // want "use of testing.SkipNow"
}

func quit(tb testing.TB, how func()) { tb.Skip("later") } // want "use of testing.Skip"
