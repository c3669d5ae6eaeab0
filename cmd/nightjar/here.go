// Commands that we tell the user to type: with the flags by which the user said where.

package main

import (
	"regexp"
	"strings"
)

// here puts the --home and --as that were given into every command that a text tells to type, so
// that it can be copied as it stands. A command is told after a colon, a comma, a bracket or "or",
// and at the beginning; elsewhere a text only speaks of it.
func (c console) here(text string) string {
	if c.home == "" && c.as == "" {
		return text
	}
	var b strings.Builder
	at := 0
	for _, m := range told().FindAllStringIndex(text, -1) {
		clause, _, _ := strings.Cut(text[m[1]:], ";")
		cmd, _ := find(strings.FieldsFunc(clause, func(r rune) bool {
			return strings.ContainsRune(" ,()\n", r)
		}))
		if cmd == nil || !strings.HasPrefix(clause, cmd.name) {
			continue
		}
		end := m[1] + len(cmd.name)
		b.WriteString(text[at:end])
		b.WriteString(c.where(cmd, clause[len(cmd.name):]))
		at = end
	}
	return b.String() + text[at:]
}

// told finds where a command is told.
func told() *regexp.Regexp { return regexp.MustCompile(`(?:^|[:;,(]\s*|\bor )nightjar `) }

// where is the flags for a command, unless what follows has them.
func (c console) where(cmd *command, follows string) string {
	out := ""
	if c.home != "" && !strings.Contains(follows, "--home") {
		out += " --home " + shell(c.home)
	}
	if c.as != "" && cmd.chooses() && !strings.HasPrefix(follows, " --as") {
		out += " --as " + shell(c.as)
	}
	return out
}

// chooses reports whether a command is for one of the identities that are open.
func (cmd *command) chooses() bool {
	switch cmd.name {
	case "init", "up", "codename", "gateway", "card read", "audit", "identity list":
		return false
	}
	return true
}

// shell quotes a word for a shell, if it has to be.
func shell(word string) string {
	if !regexp.MustCompile(`[^A-Za-z0-9_./:=@%+,-]`).MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(escape(word), "'", `'\''`) + "'"
}
