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
	case len(args) > 0 && args[0] == "version":
		fmt.Fprintln(c.out, "nightjar", version)
		return 0
	case c.asJSON:
		c.show(refusal{Code: "usage", Message: errNoCommand, Hint: seeAll})
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
	case text == "":
		c.show(refusal{Message: errNoCommand, Hint: seeAll})
		return 2
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
	group := slices.DeleteFunc(commands(), func(k *command) bool {
		return !strings.HasPrefix(k.name, words[0]+" ")
	})
	if len(group) == 0 || cmd != nil && (len(rest) > 0 || cmd.name != words[0]) {
		return text
	}
	if text != "" {
		text += "\n"
	}
	return text + "commands that begin with " + words[0] + ":\n\n" + list(group) +
		"\nmore of each, with examples: nightjar help " + group[0].name + "\n"
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
