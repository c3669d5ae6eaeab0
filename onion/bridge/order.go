// In which order the ways into the network are tried.

package bridge

import "slices"

// Plain is the way into the network without a bridge, among lines.
const Plain = ""

// Order returns the ways to try, each once: the one that worked last, then the plain one unless
// bridges are to be used alone, then each bridge. A last way that is not among the others any more
// is left out. Without any bridge the plain way is left, unless bridges alone were asked for: then
// there is none.
func Order(bridges []string, last string, bridgesOnly bool) []string {
	var ways []string
	if !bridgesOnly {
		ways = append(ways, Plain)
	}
	for _, b := range bridges {
		if !slices.Contains(ways, b) {
			ways = append(ways, b)
		}
	}
	if i := slices.Index(ways, last); i > 0 {
		ways = slices.Insert(slices.Delete(ways, i, i+1), 0, last)
	}
	return ways
}
