package none // want "no package comment" "does not say what it holds"

type Bare struct{} // want "Bare is exported without a comment"

func (Bare) Method() {} // want "Method is exported without a comment"

func Loud() {} // want "Loud is exported without a comment"

const (
	One = 1 // Has a comment of its own.
	Two = 2 // Has one too.
)

var Three = 3 /* ends the list */

type quiet struct{}

func (quiet) Exported() {}
