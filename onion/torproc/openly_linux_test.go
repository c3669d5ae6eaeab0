// A socket for a tor of another user.

package torproc

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestSocketForAnotherUsersTorIsBornOpen(t *testing.T) {
	for how, want := range map[string]fs.FileMode{"foreign": 0o666, "ours": 0o755} {
		name := filepath.Join(t.TempDir(), "s")
		listen := func() (net.Listener, error) { return net.Listen("unix", name) }
		open := openly
		if how == "ours" {
			open = func(f func() (net.Listener, error)) (net.Listener, error) { return f() }
		}
		l, err := open(listen)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(name)
		l.Close()
		if err != nil || info.Mode().Perm()&0o666 != want&0o666 {
			t.Errorf("%s: %v, %v", how, info.Mode(), err)
		}
	}
}
