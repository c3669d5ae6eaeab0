// Every command that the documents tell to type is one that there is.
package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documents lists what people read, from this directory.
func documents(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(list) < 5 {
		t.Fatal("the documents are not where they were")
	}
	return append(list, "../../README.md", "../../SECURITY.md")
}

// commandsIn finds the commands in a document: lines that begin with the program's name, and what
// stands between backquotes.
func commandsIn(text string) (commands []string) {
	line := regexp.MustCompile(`(?m)^(?: {4}|\$ )?\s*(nightjar .*)$`)
	inline := regexp.MustCompile("`(nightjar [^`]+)`")
	fences := regexp.MustCompile("(?ms)^```.*?^```")
	for _, block := range fences.FindAllString(text, -1) {
		text += "\n" + strings.ReplaceAll(block, "\n", "\n    ")
	}
	for _, m := range line.FindAllStringSubmatch(text, -1) {
		if strings.HasPrefix(m[0], "    ") || strings.HasPrefix(m[0], "$ ") {
			command, _, _ := strings.Cut(m[1], "  ") // what follows is a remark
			commands = append(commands, command)
		}
	}
	label := regexp.MustCompile(` v\d+$|^nightjar tunnel \d`) // of a key, no command
	for _, m := range inline.FindAllStringSubmatch(text, -1) {
		if label.MatchString(m[1]) {
			continue
		}
		commands = append(commands, strings.Join(strings.Fields(m[1]), " "))
	}
	return commands
}

// wrong says what is wrong with a command, by asking for its help behind all its flags.
func wrong(t *testing.T, command string) string {
	t.Helper()
	command = strings.ReplaceAll(command, "IP:PORT", "192.0.2.7:6881")
	words := regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(command, -1)[1:]
	if words[0] == "help" || words[0] == "version" {
		return ""
	}
	cmd, rest := find(words)
	if cmd == nil {
		if len(words) == 1 && about(words) != "" {
			return "" // a group of them
		}
		return "there is no such command"
	}
	for i, w := range rest {
		if w == "--" {
			rest = rest[:i]
			break
		}
	}
	flags := false
	for _, w := range rest {
		flags = flags || strings.HasPrefix(w, "-")
	}
	least := len(strings.Fields(regexp.MustCompile(`\[.*\]`).ReplaceAllString(cmd.args, "")))
	if !flags && len(rest) > 0 && len(rest) < least {
		return "an argument is missing"
	}
	if n := len(rest); n > 0 && strings.HasPrefix(rest[n-1], "--") && !strings.Contains(rest[n-1], "=") {
		if !strings.Contains(cmd.long+helpFoot, rest[n-1]) {
			return "its help does not tell of " + rest[n-1]
		}
		rest = rest[:n-1] // its value may be missing: prose speaks of flags
	}
	var out, errs bytes.Buffer
	args := append(strings.Fields(cmd.name), append(rest[:len(rest):len(rest)], "--help")...)
	if run(t.Context(), args, console{out: &out, err: &errs}) != 0 {
		return strings.TrimSpace(errs.String())
	}
	return ""
}

func TestEveryCommandInTheDocumentsIsOne(t *testing.T) {
	found := 0
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range commandsIn(string(text)) {
			found++
			if why := wrong(t, command); why != "" {
				t.Errorf("%s: %s: %s", filepath.Base(file), command, why)
			}
		}
	}
	if found < 40 {
		t.Errorf("only %d commands were found: the search is wrong", found)
	}
	for _, command := range []string{"nightjar card shew", "nightjar up --no-fone --sip 127.0.0.1:1",
		"nightjar contact accept NAME --loudly yes", "nightjar send newsdesk"} {
		if wrong(t, command) == "" {
			t.Errorf("%s passes: this test proves nothing", command)
		}
	}
}

func TestEveryCommandInHelpIsOne(t *testing.T) {
	for _, cmd := range commands() {
		for _, command := range commandsIn(strings.ReplaceAll(cmd.long, "\n  nightjar", "\n    nightjar")) {
			if why := wrong(t, command); why != "" {
				t.Errorf("help %s: %s: %s", cmd.name, command, why)
			}
		}
	}
}
