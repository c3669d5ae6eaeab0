// A flag that was typed wrong, in words.

package main

import (
	"regexp"
	"time"
)

// misread says in our words why the flag package could not read a flag. What was typed for it is
// not repeated.
func (o *options) misread(err error) string {
	text := err.Error()
	for form, words := range map[string]string{
		`^flag provided but not defined: -(.*)$`: "there is no flag --$1 here",
		`^flag needs an argument: -(.*)$`:        "--$1 needs a value behind it",
		`^bad flag syntax: .*$`:                  "a flag is two dashes and its name: --json",
	} {
		if re := regexp.MustCompile(form); re.MatchString(text) {
			return re.ReplaceAllString(text, words)
		}
	}
	m := regexp.MustCompile(`(?s)^invalid .* for (?:flag )?-([a-z0-9-]+): (.*)$`).
		FindStringSubmatch(text)
	if m == nil {
		return text
	}
	return "--" + m[1] + o.takes(m[1], ": "+m[2])
}

// takes says what a flag takes, or why if only its own reader knows.
func (o *options) takes(name, why string) string {
	var kind any
	if f := o.set.Lookup(name); f != nil {
		if g, ok := f.Value.(interface{ Get() any }); ok {
			kind = g.Get()
		}
	}
	switch kind.(type) {
	case time.Duration:
		return " takes a time, such as 15m or 2h"
	case int, uint:
		return " takes a number"
	case bool:
		return " takes nothing, or =true or =false"
	}
	return why
}
