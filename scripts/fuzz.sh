#!/usr/bin/env bash
# Fuzzes every parser in turn: fuzz.sh [TIME], by default 20s each. An input that breaks
# one is left under testdata/fuzz of its package: commit it with the mend.
set -euo pipefail
cd "$(dirname "$0")/.."
for file in $(grep -rlE --include='*_test.go' '^func Fuzz[A-Z]' . | sort); do
	for name in $(sed -nE 's/^func (Fuzz[A-Za-z0-9_]+)\(.*/\1/p' "$file"); do
		echo "$(dirname "$file") $name"
		go test -run '^$' -fuzz "^$name\$" -fuzztime "${1:-20s}" "$(dirname "$file")"
	done
done
