// Package node talks past the commands.
package node

import (
	"fmt"
	"io"
	"log"
	"os"
)

func talks(w io.Writer) {
	fmt.Println("hello")       // want "use of Println"
	p := fmt.Printf            // want "use of Printf"
	_, _ = p("hello")          //
	log.Printf("hello")        // want "use of Printf"
	fmt.Fprintln(os.Stderr)    // want "use of Stderr"
	println("hello")           // want "use of println"
	_, _ = fmt.Fprint(w, "ok") // whoever gave w decides
}
