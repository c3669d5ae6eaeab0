//go:build !linux

// Elsewhere there is no warden: an engine is one process, and not sealed.

package warden

import (
	"context"
	"os"

	"nightjar/onion/seal"
)

// Run returns seal.ErrUnsupported.
func Run(context.Context, Config) (int, error) { return 1, seal.ErrUnsupported }

// Take returns ErrOrder: nobody starts an engine here.
func Take([]string) (*Ward, error) { return nil, ErrOrder }

func kill() {}

// A line is where there is a warden.
type line struct{}

func (*line) say(any, *os.File) error            { return ErrGone }
func (*line) hear(int) ([]byte, *os.File, error) { return nil, nil, ErrGone }
