// What programs load: libraries, as single files. Who may run a program that is linked may run its
// loader, and the loader runs whatever it can read: so nothing that is a program itself must be
// readable besides.

package seal

import (
	"debug/elf"
	"path/filepath"
	"slices"
	"strings"
)

// libraryDirs are where systems keep libraries, and what these load by name: OpenSSL's modules.
func libraryDirs() []string {
	var dirs []string
	for _, root := range []string{"/lib", "/usr/lib", "/usr/local/lib", "/lib64", "/usr/lib64",
		"/lib32", "/usr/lib32"} {
		multi, _ := filepath.Glob(root + "/*-linux-*")
		for _, dir := range append(multi, root) {
			modules, _ := filepath.Glob(dir + "/engines-*")
			dirs = append(dirs, append(modules, dir, dir+"/ossl-modules")...)
		}
	}
	return dirs
}

// libraries lists the libraries that some programs may need: all of the system's, those in their
// own directories, and where they say themselves.
func libraries(programs []string) (names []string) {
	dirs := libraryDirs()
	for _, name := range programs {
		dirs = append(dirs, namedDirs(name)...)
	}
	for i, dir := range dirs {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dirs[i] = real
		}
	}
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		found, _ := filepath.Glob(filepath.Join(dir, "*.so*"))
		names = append(names, found...)
	}
	return names
}

// namedDirs lists where a program looks for libraries besides: beside itself, and where it is
// written in it.
func namedDirs(name string) []string {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	dirs := []string{filepath.Dir(name)}
	f, err := elf.Open(name)
	if err != nil {
		return dirs
	}
	defer f.Close()
	for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
		paths, err := f.DynString(tag)
		if err != nil {
			continue
		}
		for _, path := range paths {
			for dir := range strings.SplitSeq(path, ":") {
				dir = strings.NewReplacer("$ORIGIN", dirs[0], "${ORIGIN}", dirs[0]).Replace(dir)
				if filepath.IsAbs(dir) {
					dirs = append(dirs, dir)
				}
			}
		}
	}
	return dirs
}
