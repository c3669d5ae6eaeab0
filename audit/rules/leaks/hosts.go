// This file holds what no constant of the program and no file of the repository may
// contain: the name or the address of a host, a path of somebody's machine, a secret.

package leaks

import (
	"bytes"
	"go/ast"
	"go/token"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"nightjar/audit/rules/house"
)

// hostName matches a dotted name, with whatever port or path follows it.
const hostName = `(?i)\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,18}\b`

// domains are the ends that make a dotted name a host's: the ones in use among bootstrap
// nodes, relays, STUN servers and resolvers, and the large countries.
var domains = []string{
	"com", "org", "net", "io", "info", "biz", "dev", "app", "cloud", "link", "network", "online",
	"site", "xyz", "me", "tv", "cc", "co", "eu", "us", "uk", "de", "fr", "nl", "ch", "se", "is",
	"ru", "cn", "ir", "in", "jp", "br", "ca", "au", "onion", "i2p", "arpa", "local", "tech",
}

// Hosts finds string constants of the program that name a host or an address outside this
// machine. Free are loopback, the unspecified address, and what RFC 2606, RFC 5737 and RFC
// 3849 set aside for documents; known holds the texts of specifications that look like
// hosts, each with its reason.
func Hosts(ps []*house.Package, known map[string]string) []house.Finding {
	var out []house.Finding
	for _, p := range ps {
		if p.Under("audit") {
			continue
		}
		for _, f := range p.All() {
			if f.Test {
				continue
			}
			ast.Inspect(f.File, func(n ast.Node) bool {
				if _, ok := n.(*ast.ImportSpec); ok {
					return false
				}
				lit, ok := n.(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING {
					return true
				}
				text, _ := strconv.Unquote(lit.Value)
				if host := NamesHost(text); host != "" && known[host] == "" {
					out = append(out, p.At(lit.Pos(), "constant names "+strconv.Quote(host),
						"take hosts from a card, the vault or the user"))
				}
				return true
			})
		}
	}
	return out
}

// NamesHost returns the first host or address outside this machine in text, or nothing.
func NamesHost(text string) string {
	for _, name := range regexp.MustCompile(hostName).FindAllString(text, -1) {
		end := strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
		if slices.Contains(domains, end) && !strings.HasPrefix(name, "example.") {
			return name
		}
	}
	for _, word := range regexp.MustCompile(`[0-9a-fA-F:.]{3,}`).FindAllString(text, -1) {
		for _, s := range []string{word, strings.Trim(word, ":."), beforePort(word)} {
			if a, err := netip.ParseAddr(s); err == nil && !Nobodys(a) {
				return s
			}
		}
	}
	return ""
}

// Nobodys reports whether an address belongs to no host: it is of this machine, of documents,
// or of 0.0.0.0/8, as versions of programs look.
func Nobodys(a netip.Addr) bool {
	for _, p := range []string{"0.0.0.0/8", "127.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24",
		"203.0.113.0/24", "::/127", "2001:db8::/32"} {
		if netip.MustParsePrefix(p).Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

func beforePort(s string) string {
	host, _, _ := strings.Cut(s, ":")
	return host
}

// Tracked finds what must not be in a file of the repository: paths of a machine, module
// registries, private keys. It is given each file's path and content.
func Tracked(path string, content []byte) []house.Finding {
	var out []house.Finding
	for _, r := range secrets {
		re := regexp.MustCompile(r.pattern)
		if r.code && !strings.HasSuffix(path, ".go") && !strings.HasPrefix(path, "scripts/") &&
			path != "Makefile" {
			continue
		}
		for i, line := range bytes.Split(content, []byte("\n")) {
			if m := re.Find(line); m != nil {
				out = append(out, house.Finding{File: path, Line: i + 1,
					What: r.what + " " + strconv.Quote(string(m)), Do: r.do})
			}
		}
	}
	return out
}

// secrets are the patterns of Tracked, written so that they do not match themselves.
var secrets = []struct {
	pattern, what, do string
	code              bool // only in code and scripts; documents may name it
}{
	{`["'\s=(]/work[/]\w*`, "a path of one machine", "use a path below the module", false},
	{`/(?:root|home/\w+)[/]\w+`, "a path of one machine", "use a path below the module", false},
	{`["'\s=(]/tmp[/]\w*`, "a fixed path for temporary files", "ask for one: t.TempDir, " +
		"os.MkdirTemp, mktemp", true},
	{`prox[y]\.golang\.org|su[m]\.golang\.org|GOPROX[Y]=`, "a module registry",
		"leave it to the user's own settings", false},
	{`-----BEGIN [A-Z ]*PRIVATE KE[Y]`, "a private key", "make keys when they are needed", false},
	{`\bAKI[A][0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b`, "a credential", "revoke it", false},
}
