// Package node waits, and reads the environment.
package node

import (
	"os"
	"time"
)

func waits() { time.Sleep(1) } // want "use of time.Sleep"

func reads() any {
	_ = os.Environ() // want "use of os.Environ"
	return os.Getenv // want "use of os.Getenv"
}
