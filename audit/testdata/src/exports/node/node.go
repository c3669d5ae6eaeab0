// Package node has too many names.
package node // want "package exports 26 names"

// Name01 is one of many.
type Name01 uint8

// Name02 is one of many.
type Name02 uint8

// Name03 is one of many.
type Name03 uint8

// Name04 is one of many.
type Name04 uint8

// Name05 is one of many.
type Name05 uint8

// Name06 is one of many.
type Name06 uint8

// Name07 is one of many.
type Name07 uint8

// Name08 is one of many.
type Name08 uint8

// Name09 is one of many.
type Name09 uint8

// Name10 is one of many.
type Name10 uint8

// Name11 is one of many.
type Name11 uint8

// Name12 is one of many.
type Name12 uint8

// Name13 is one of many.
type Name13 uint8

// Name14 is one of many.
type Name14 uint8

// Name15 is one of many.
type Name15 uint8

// Name16 is one of many.
type Name16 uint8

// Name17 is one of many.
type Name17 uint8

// Name18 is one of many.
type Name18 uint8

// Name19 is one of many.
type Name19 uint8

// Name20 is one of many.
type Name20 uint8

// Name21 is one of many.
type Name21 uint8

// Name22 is one of many.
type Name22 uint8

// Name23 is one of many.
type Name23 uint8

// Name24 is one of many.
type Name24 uint8

// Name25 is one of many.
type Name25 uint8

// The constants of a type count with their type.
const (
	First Name01 = iota
	Second
	Third
)

// Lone is a constant by itself.
const Lone = 1
