// Answering help, and what is no command.

package main

import (
	"fmt"
	"slices"
	"strings"
)

// help answers help, no command at all, half of one, and one that does not exist.
func (c console) help(args []string) int {
	words, asked := helpWords(args)
	switch {
	case len(args) > 0 && (args[0] == "version" || args[0] == "--version"):
		fmt.Fprintln(c.out, "nightjar", version)
		return 0
	case c.asJSON:
		c.show(refusal{Code: "usage", Message: errNoCommand, Hint: nearest(words) + seeAll})
		return 2
	case len(words) == 0 && asked:
		fmt.Fprint(c.out, helpHead, list(commands()), helpFoot)
		return 0
	case len(words) == 0:
		fmt.Fprint(c.err, helpHead, list(commands()), helpFoot)
		return 2
	}
	text := about(words)
	switch {
	case !exists(words):
		c.show(refusal{Message: errNoCommand, Hint: nearest(words) + seeAll})
		if text != "" {
			text = "\n" + text
		}
	case asked:
		fmt.Fprint(c.out, text)
		return 0
	}
	fmt.Fprint(c.err, text)
	return 2
}

const (
	errNoCommand = "there is no such command"
	seeAll       = "see them all: nightjar help"
)

// helpWords is what help is asked about, and whether it is asked for at all.
func helpWords(args []string) (words []string, asked bool) {
	for _, a := range args {
		switch {
		case a == "--help" || a == "-h" || a == "help" && len(words) == 0:
			asked = true
		case strings.HasPrefix(a, "-"):
			return words, asked
		default:
			words = append(words, a)
		}
	}
	return words, asked
}

// about tells of a command, and of those that begin with the same word. It is empty if there is
// neither.
func about(words []string) string {
	text := ""
	cmd, rest := find(words)
	if cmd != nil {
		text = cmd.usage()
	}
	group := beginning(words[0])
	if len(group) == 0 || cmd != nil && (len(rest) > 0 || cmd.name != words[0]) {
		return text
	}
	if text != "" {
		text += "\n"
	}
	return text + "commands that begin with " + words[0] + ":\n\n" + list(group) +
		"\nmore of each, with examples: nightjar help " + group[0].name + "\n"
}

// beginning lists the commands that begin with a word and go on.
func beginning(word string) []*command {
	return slices.DeleteFunc(commands(), func(k *command) bool {
		return !strings.HasPrefix(k.name, word+" ")
	})
}

// exists reports whether words name a command, or the word that several begin with. A command that
// takes no words and that others begin with has none behind it.
func exists(words []string) bool {
	cmd, rest := find(words)
	if cmd == nil {
		return len(words) == 1 && len(beginning(words[0])) > 0
	}
	return len(rest) == 0 || strings.HasPrefix(rest[0], "-") || len(beginning(cmd.name)) == 0
}

// slips is how many letters may be wrong in a command that is still guessed.
const slips = 2

// nearest asks whether the command was meant that is spelt most like the words; "" if none is.
func nearest(words []string) string {
	best, least := "", slips+1
	try := func(typed, name string) {
		if d := distance(typed, name); d > 0 && d < least && d <= len(name)/2 {
			best, least = name, d
		}
	}
	for _, k := range commands() {
		parts := strings.Fields(k.name)
		if len(words) == 1 {
			try(words[0], parts[0])
		}
		try(strings.Join(words[:min(len(parts), len(words))], " "), k.name)
	}
	if best == "" {
		return ""
	}
	return "did you mean: nightjar " + best + "; "
}

// distance is how many letters must be put in, left out or changed to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}

func list(commands []*command) string {
	var b strings.Builder
	for _, cmd := range commands {
		fmt.Fprintf(&b, "  %-34s %s\n", strings.TrimSpace(cmd.name+" "+cmd.args), cmd.short)
	}
	return b.String()
}

// form is how a command is written.
func (cmd *command) form() string {
	return strings.TrimSpace("nightjar " + cmd.name + " [FLAGS] " + cmd.args)
}

func (cmd *command) usage() string {
	return fmt.Sprintf("usage: %s\n\n%s\n", cmd.form(), cmd.long)
}
