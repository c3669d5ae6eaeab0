#!/usr/bin/env bash
# Builds the program for other systems. The systems that are supported must build; of the
# others it is only said whether they do.
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
for target in linux/amd64 linux/arm64 linux/arm darwin/arm64 windows/amd64 freebsd/amd64 \
	android/arm64; do
	if GOOS=${target%/*} GOARCH=${target#*/} scripts/build.sh /dev/null 2>"$log"; then
		echo "$target builds"
	elif [ "$target" = linux/amd64 ] || [ "$target" = linux/arm64 ]; then
		echo "$target must build and does not:"
		cat "$log"
		failed=1
	else
		echo "$target does not build yet: $(grep -c . "$log") lines, the first:"
		grep -v '^#' "$log" | head -1
	fi
done
exit $failed
