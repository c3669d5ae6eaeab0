// A process that opens one of the other ways out, as an engine would, and loses it.

package main

import (
	"context"
	"errors"

	"nightjar/audit/watch"
)

// wayExits are what the part may send: to where its way leads.
func wayExits() []watch.Exit { return nil }

// walk opens a way.
func walk(context.Context, []string) error { return errors.New("no way is known") }
