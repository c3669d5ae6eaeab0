#!/usr/bin/env bash
# Prepares the DHT library for a build that holds no host name: copies it below bin/, takes
# the names of its default bootstrap nodes out, and prints the path of a go.mod that uses
# the copy. Nothing else of it is changed. See docs/decisions/010-nohosts.md.
set -euo pipefail
cd "$(dirname "$0")/.."
lib=github.com/anacrolix/dht/v2
version=$(go list -m -f '{{.Version}}' "$lib")
dir=bin/nohosts/dht-$version
if [ ! -d "$dir" ]; then
	go mod download "$lib"
	from=$(go list -m -f '{{.Dir}}' "$lib")
	mkdir -p bin/nohosts
	new=$(mktemp -d bin/nohosts/new.XXXXXX)
	trap 'rm -rf "$new"' EXIT
	cp -r "$from"/. "$new"
	chmod -R u+w "$new"
	chmod 755 "$new"
	sed -i '/^var DefaultGlobalBootstrapHostPorts = /,/^}/{/^[[:space:]]*"/d}' "$new/dht.go"
	if grep -qE '^[[:space:]]*"[a-z0-9.-]+:[0-9]+",' "$new/dht.go" ||
		cmp -s "$new/dht.go" "$from/dht.go"; then
		echo "nohosts: $lib $version keeps its host names elsewhere; read its dht.go" >&2
		exit 1
	fi
	mv -T "$new" "$dir" 2>/dev/null || [ -d "$dir" ]
fi
tmp=$(mktemp bin/nohosts/mod.XXXXXX)
{
	cat go.mod
	echo "replace $lib => ./$dir"
} >"$tmp"
chmod 644 "$tmp"
cmp -s "$tmp" bin/nohosts/go.mod || mv "$tmp" bin/nohosts/go.mod
rm -f "$tmp"
cmp -s go.sum bin/nohosts/go.sum || cp go.sum bin/nohosts/go.sum
echo bin/nohosts/go.mod
