// Identities that are in memory alone: nothing of them is on this machine before or after.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"nightjar/keystore"
)

// errExport is a file of an exported identity that cannot be read.
var errExport = errors.New("the file of the exported identity cannot be read")

// memoryFlags are the flags of up for identities that are not in a vault.
type memoryFlags struct {
	amnesic  *bool
	codename *bool
	from     *string
}

func (o *options) memoryFlags() memoryFlags {
	return memoryFlags{
		amnesic:  o.set.Bool("amnesic", false, ""),
		codename: o.set.Bool("codename", false, ""),
		from:     o.set.String("from-file", "", ""),
	}
}

// files lists what is read, besides the home.
func (f memoryFlags) files() []string {
	if *f.from == "" {
		return nil
	}
	return []string{*f.from}
}

// fresh reports whether an identity remembers all that it did: a vault does from its first moment,
// and a new one in memory has done nothing. One of a codename or a file may have been anywhere.
func (f memoryFlags) fresh() bool { return !*f.codename && *f.from == "" }

// where says in which place to work, and how to open the identity there.
func (f memoryFlags) where(o *options) (place, source, error) {
	if !*f.amnesic && !*f.codename && *f.from == "" {
		p, err := o.vaultPlace()
		return p, o.fromVault, err
	}
	if *f.codename && *f.from != "" {
		return place{}, nil, usageError{"an identity is in a file or in a codename, not in both"}
	}
	p, err := o.memoryPlace()
	switch {
	case *f.codename:
		return p, o.fromCodename, err
	case *f.from != "":
		return p, o.fromExport(*f.from), err
	}
	return p, func(context.Context, home) (*keystore.Identity, error) {
		return keystore.Ephemeral()
	}, err
}

// fromCodename opens the identity that follows from a codename.
func (o *options) fromCodename(ctx context.Context, _ home) (*keystore.Identity, error) {
	words, err := o.ask(ctx, "codename: ")
	if err != nil {
		return nil, err
	}
	defer words.Destroy()
	return keystore.Codename(words)
}

// fromExport opens an exported identity in memory.
func (o *options) fromExport(file string) source {
	return func(ctx context.Context, _ home) (*keystore.Identity, error) {
		sealed, err := readExport(file)
		if err != nil {
			return nil, err
		}
		pw, err := o.ask(ctx, "password of the file: ")
		if err != nil {
			return nil, err
		}
		defer pw.Destroy()
		return keystore.ImportEphemeral(sealed, pw)
	}
}

// exportLimit is more than an exported identity has, in bytes.
const exportLimit = 1 << 20

func readExport(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, errExport
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, exportLimit))
	if err != nil {
		return nil, errExport
	}
	return b, keystore.CheckExport(b)
}

// cmdCodename makes a codename, shows it, and has it typed.
func cmdCodename(ctx context.Context, c console, args []string) error {
	o := newOptions("codename")
	plain := o.set.Bool("print", false, "")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	keystore.Harden()
	words, err := keystore.NewCodename()
	if err != nil {
		return err
	}
	defer words.Destroy()
	if *plain {
		return printWords(c, words)
	}
	for range retypes {
		err := showWords(ctx, words, "This is your codename. Learn it by heart, or hide it well:")
		if err != nil {
			return err
		}
		typed, err := o.ask(ctx, "type it, to be sure: ")
		if err != nil {
			return err
		}
		same := typed.SameWords(words)
		typed.Destroy()
		if same {
			fmt.Fprintln(c.out, "that is right; nothing of it is on this machine")
			fmt.Fprintln(c.out, c.here("next: nightjar up --codename"))
			return nil
		}
		c.line("that is not it; look again")
	}
	return errCodename
}

// retypes is how often a codename is shown before its owner should begin with another one.
const retypes = 5
