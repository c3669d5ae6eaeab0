#!/usr/bin/env bash
# Builds the program: build.sh [FILE], by default bin/nightjar. The same source gives the
# same bytes on every machine.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-bin/nightjar}
export GOEXPERIMENT=runtimesecret CGO_ENABLED=${CGO_ENABLED:-0}
modfile=$(scripts/nohosts.sh)
go build -trimpath -buildvcs=false -modfile="$modfile" -o "$out" ./cmd/nightjar
