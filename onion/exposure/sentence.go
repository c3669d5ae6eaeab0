// Exposures and numbers as people read them.

package exposure

import (
	"fmt"
	"strings"
)

// String is the exposure as a sentence without its full stop.
func (e Exposure) String() string {
	return e.Who + " " + verb(e.Who) + " " + e.Learns + "; not " + e.Hidden
}

// verb is "learn" after many, and "learns" after one.
func verb(who string) string {
	words := strings.Fields(who)
	for i, w := range words {
		switch w {
		case "whoever", "everybody", "somebody":
			return "learns"
		case "and":
			return "learn"
		case "of", "on", "that", "who", "or":
			words = words[:i]
		default:
			continue
		}
		break
	}
	if n := len(words); n > 0 && strings.HasSuffix(words[n-1], "s") {
		return "learn"
	}
	return "learns"
}

// Count is a number of things: "1 gateway", "2 gateways".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
