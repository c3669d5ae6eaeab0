// One at a time in a home, where directories cannot be locked.

package control

import (
	"fmt"
	"os"
	"path/filepath"

	"nightjar/keystore/host"
)

// exclude waits until nobody else is at work on the sockets of a home. The file it leaves is the
// same however many engines there were.
func exclude(dir string) (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, "seats"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the home directory: %w", bare(err))
	}
	if err := host.Lock(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock the home directory: %w", bare(err))
	}
	return func() { _ = f.Close() }, nil
}
