// This file reads the bytes of the finished program.

package linked

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"nightjar/audit/rules/leaks"
)

// Build makes the program as make build does, into out.
func Build(ctx context.Context, root, out string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(root, "scripts", "build.sh"), out)
	cmd.Dir = root
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", ErrBroken, bytes.TrimSpace(said))
	}
	return nil
}

// dialled are the forms in which a program holds a host that it means to reach: a name or
// an address with a port, or a URL.
var dialled = []string{
	`(?:[a-z0-9-]+\.)+[a-z]{2,10}:[0-9]{2,5}`,
	`\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}:[0-9]{2,5}`,
	`\[[0-9a-f:]{3,}\]:[0-9]{2,5}`,
	`\b(?:https?|wss?|stuns?|turns?|udp|tcp)://[A-Za-z0-9\[][A-Za-z0-9.:\]-]*`,
}

// Reached returns every host that the bytes of a program hold in a form one dials, but for
// addresses that are nobody's and those in free, which say why each is there. Strings lie
// in a binary without a gap, so a host may have letters of its neighbour before it; an
// entry of free fits an end.
func Reached(program []byte, free map[string]string) []string {
	var out []string
	re := regexp.MustCompile(strings.Join(dialled, "|"))
	for _, found := range re.FindAll(program, -1) {
		host := string(found)
		fits := func(end string) bool { return strings.HasSuffix(host, end) }
		if a, err := netip.ParseAddrPort(host); err == nil && leaks.Nobodys(a.Addr()) {
			continue
		}
		if !slices.Contains(out, host) && !slices.ContainsFunc(keys(free), fits) {
			out = append(out, host)
		}
	}
	slices.Sort(out)
	return out
}

func keys(m map[string]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}

// Named returns which of the host names, whole or as the end of a longer run of letters,
// occur anywhere in the bytes.
func Named(program []byte, hosts []string) []string {
	var out []string
	for _, h := range hosts {
		if bytes.Contains(program, []byte(h)) {
			out = append(out, h)
		}
	}
	return out
}
