// The commands of an identity as a whole: its password, its copies, its end.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"nightjar/cmd/control"
	"nightjar/cmd/control/api"
	"nightjar/keystore"
)

// Errors of the commands of identities.
var (
	errForever = errors.New("burning cannot be undone: the identity, its contacts and messages go")
	errFile    = errors.New("the file could not be written")
)

// cmdIdentityList lists the identities that are open now.
func cmdIdentityList(ctx context.Context, c console, args []string) error {
	o := newOptions("identity list")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	list := []api.Identity{}
	for _, e := range control.Running(ctx, o.homes()...) {
		list = append(list, e.Identity)
	}
	if o.json {
		return c.json(list)
	}
	for _, id := range list {
		switch {
		case id.Address == "":
			fmt.Fprintln(c.out, "(waits for its password)")
		case id.InMemory:
			fmt.Fprintln(c.out, id.Address, id.Role, "in memory", id.Name)
		default:
			fmt.Fprintln(c.out, id.Address, id.Role, id.Name)
		}
	}
	if len(list) == 0 {
		c.line("none is open; how many a vault holds nobody can tell")
	}
	return nil
}

// cmdIdentityPassword gives an identity another password.
func cmdIdentityPassword(ctx context.Context, c console, args []string) error {
	o := newOptions("identity password")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	return o.withVault(ctx, c, func(ctx context.Context, id *keystore.Identity) error {
		pw, err := o.askTwice(ctx, c, "new password: ")
		if err != nil {
			return err
		}
		defer pw.Destroy()
		if err := id.ChangePassword(pw); err != nil {
			return err
		}
		c.line("done; copies of the vault made before still open with the old one")
		return nil
	})
}

// cmdIdentityBurn makes an identity's slot random.
func cmdIdentityBurn(ctx context.Context, c console, args []string) error {
	o := newOptions("identity burn")
	forever := o.set.Bool("forever", false, "")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	if !*forever {
		return errForever
	}
	return o.withVault(ctx, c, func(_ context.Context, id *keystore.Identity) error {
		if err := id.Burn(); err != nil {
			return err
		}
		c.line("burned; copies of the vault made before still hold it")
		return nil
	})
}

// cmdIdentityExport writes an identity to a file under a password of its own.
func cmdIdentityExport(ctx context.Context, c console, args []string) error {
	o := newOptions("identity export")
	rest, err := o.parse(args, 1, 1)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(rest[0]); err == nil {
		return errFile // before anybody has typed a password
	}
	return o.withVault(ctx, c, func(ctx context.Context, id *keystore.Identity) error {
		pw, err := o.askTwice(ctx, c, "password for the file: ")
		if err != nil {
			return err
		}
		defer pw.Destroy()
		sealed, err := id.Export(pw)
		if err != nil {
			return err
		}
		if err := writeNew(rest[0], sealed); err != nil {
			return errFile
		}
		c.line("written; use it on one machine at a time")
		return nil
	})
}

// writeNew writes a file that is not there yet; it is on disk, whole, or not there at all.
func writeNew(file string, b []byte) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		_ = os.Remove(file)
	}
	return err
}

// cmdIdentityPhrase shows the words an identity's keys can be made from again.
func cmdIdentityPhrase(ctx context.Context, c console, args []string) error {
	o := newOptions("identity phrase")
	plain := o.set.Bool("print", false, "")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	return o.withVault(ctx, c, func(ctx context.Context, id *keystore.Identity) error {
		words, err := id.Phrase()
		if err != nil {
			return err
		}
		defer words.Destroy()
		if *plain {
			return printWords(c, words)
		}
		return showWords(ctx, words, "Write these words down, in this order:")
	})
}
