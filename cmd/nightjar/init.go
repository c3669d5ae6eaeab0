// Making and opening identities.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"nightjar/keystore"
	"nightjar/node"
)

// errVaultExists says that a new identity could overwrite a hidden one.
var errVaultExists = errors.New("there is a vault here already; it may hold identities")

// cmdInit makes a vault and an identity in it.
func cmdInit(ctx context.Context, c console, args []string) error {
	o := newOptions("init")
	name := o.set.String("name", "", "")
	keep := o.set.Int("keep", -1, "")
	if _, err := o.parse(args, 0, 0); err != nil {
		return err
	}
	if err := node.CheckName(*name); err != nil {
		return err
	}
	keystore.Harden() // nightjar up says what it could not do
	h, err := o.openHome()
	if err != nil {
		return err
	}
	if _, err := os.Stat(h.vault()); err == nil && *keep < 0 {
		return errVaultExists
	}
	release, err := h.claim()
	if err != nil {
		return err
	}
	defer release()
	_, missing := os.Stat(h.vault())
	id, err := o.create(ctx, h, max(*keep, 0))
	if err != nil && missing != nil {
		_ = os.Remove(h.vault()) // half made: nothing is in it yet
	}
	if errors.Is(err, syscall.ENOSPC) {
		return errDisk
	}
	if err != nil {
		return err
	}
	defer id.Lock()
	n, err := node.New(node.Config{Identity: id})
	if err != nil {
		return err
	}
	if err := n.SetName(*name); err != nil {
		return err
	}
	address := n.Status().Address.String()
	if o.json {
		return c.json(map[string]string{"address": address})
	}
	fmt.Fprintln(c.out, "your address is", address)
	fmt.Fprintln(c.out, "next:", o.same("nightjar up"))
	return nil
}

// errDisk says that the vault does not fit.
var errDisk = errors.New("there is no room for a vault of 4 MiB")

// same is a command for the same home.
func (o *options) same(command string) string {
	if o.home == "" {
		return command
	}
	return command + " --home " + o.home
}

// create asks for the new password, then for those of identities that must not be overwritten.
func (o *options) create(ctx context.Context, h home, keep int) (*keystore.Identity, error) {
	pw, err := o.askTwice(ctx)
	if err != nil {
		return nil, err
	}
	defer pw.Destroy()
	var kept []*keystore.Password
	defer func() {
		for _, k := range kept {
			k.Destroy()
		}
	}()
	for i := range keep {
		k, err := o.ask(ctx, fmt.Sprintf("password to keep, %d of %d: ", i+1, keep))
		if err != nil {
			return nil, err
		}
		kept = append(kept, k)
	}
	return keystore.Create(h.vault(), pw, kept...)
}

// unlock asks for the password and opens the identity it belongs to.
func (o *options) unlock(ctx context.Context, h home) (*keystore.Identity, error) {
	if _, err := os.Stat(h.vault()); err != nil {
		return nil, keystore.ErrNoVault
	}
	pw, err := o.ask(ctx, "password: ")
	if err != nil {
		return nil, err
	}
	defer pw.Destroy()
	return keystore.Open(h.vault(), pw)
}
