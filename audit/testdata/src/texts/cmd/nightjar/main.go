// Package main may tell the user what the user typed, but never a log.
package main

import (
	"fmt"
	"log"
)

func main() {
	word := fmt.Sprint("typed")
	fmt.Println(fmt.Errorf("no such command: %s", word))
	log.Println(word) // want "log text holds a string that is not constant"
}
