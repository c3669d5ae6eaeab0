#!/usr/bin/env bash
# Builds the program for other systems, and for iOS, where programs are made by Apple's tools, the
# packages that an app is made of. All of them must build.
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
report() { # name, result
	if [ "$2" = 0 ]; then
		echo "$1 builds"
	else
		echo "$1 does not build:"
		head -20 "$log"
		failed=1
	fi
}
for target in linux/amd64 linux/arm64 linux/arm darwin/arm64 windows/amd64 freebsd/amd64 \
	android/arm64; do
	GOOS=${target%/*} GOARCH=${target#*/} scripts/build.sh /dev/null 2>"$log"
	report "$target" $?
done
GOOS=ios GOARCH=arm64 CGO_ENABLED=0 GOEXPERIMENT= go list -deps -export -f '' \
	./keystore ./node ./tunnel ./tunnel/datagram ./onion ./onion/ways ./sip >/dev/null 2>"$log"
report "ios/arm64 (packages)" $?
exit $failed
