// Scenes on kernels that refuse what the engine's seal is made of.

package play

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"nightjar/audit/enclose"
	"nightjar/audit/privnet/stage"
	"nightjar/cmd/control/api"
)

// kernels are the scenes of what a kernel lacks.
func kernels() []Scene {
	return []Scene{
		{Name: "no-namespaces", Says: "the kernel refuses namespaces, as some systems do",
			Play: lessSealed(enclose.Namespaces, "a list of system calls, its own files only")},
		{Name: "no-landlock", Says: "the kernel has no Landlock",
			Play: lessSealed(enclose.Landlock, "an empty network, a list of system calls")},
		{Name: "no-seal", Says: "the kernel has nothing that a seal is made of", Play: unsealed},
	}
}

// lacking is a cast whose engines run on a kernel that lacks something.
func (c *Cast) lacking(lacks string) (*Cast, error) {
	dir := c.file("without-" + strings.ReplaceAll(lacks, ",", "-"))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	script := dir + "/begin"
	text := fmt.Sprintf("#!/bin/sh\nexec '%s' -part without %s '%s' \"$@\"\n", c.Own, lacks, c.Bin)
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		return nil, err
	}
	other, err := c.With(script, dir)
	if err == nil {
		other.Did = c.Did
	}
	return other, err
}

// phoneOfOne is where the engine of such a scene has its door, so that it has sockets of its own.
const phoneOfOne = "127.0.0.1:5066"

// kernelParty starts somebody on such a kernel, and returns what the status says.
func (c *Cast) kernelParty(ctx context.Context, more ...string) (p *stage.Party, s api.Status,
	err error) {
	if p, err = c.party(ctx, "one"); err != nil {
		return nil, s, err
	}
	if err = c.begin(ctx, p, append([]string{"--sip", phoneOfOne}, more...)...); err != nil {
		return nil, s, err
	}
	if err = p.Reachable(ctx); err != nil {
		return nil, s, err
	}
	if err = p.Run(ctx, &s, "status"); err != nil {
		return nil, s, err
	}
	c.Did("the engine says: %s", s.Seal)
	err = p.Run(ctx, nil, "check")
	pause(ctx, time.Second)
	return p, s, err
}

// lessSealed plays an engine that is sealed still, which it says by which means.
func lessSealed(lacks, words string) func(context.Context, *Cast) error {
	return func(ctx context.Context, c *Cast) error {
		other, err := c.lacking(lacks)
		if err != nil {
			return err
		}
		defer other.Close()
		_, s, err := other.kernelParty(ctx, "--require-seal")
		if err == nil && (!s.Sealed || s.Seal != words) {
			err = errors.New("the engine does not say which part of its seal is missing")
		}
		return err
	}
}

// unsealed plays an engine that nothing in the kernel holds: it must say so, and not start where a
// seal is required.
func unsealed(ctx context.Context, c *Cast) error {
	all := strings.Join([]string{enclose.Namespaces, enclose.Landlock, enclose.Seccomp}, ",")
	other, err := c.lacking(all)
	if err != nil {
		return err
	}
	defer other.Close()
	p, err := other.party(ctx, "strict")
	if err != nil {
		return err
	}
	if err := other.begin(ctx, p, "--no-phone", "--require-seal"); err != nil {
		return err
	}
	if err := gone(ctx, p); err != nil {
		return fmt.Errorf("--require-seal is not kept: %w", err)
	}
	c.Did("--require-seal refuses: %s", p.Log(1))
	_, s, err := other.kernelParty(ctx)
	if err == nil && (s.Sealed || s.Seal != "not sealed" ||
		!strings.Contains(strings.Join(s.Warnings, " "), "not sealed")) {
		err = errors.New("the engine does not say that it is not sealed")
	}
	return err
}
