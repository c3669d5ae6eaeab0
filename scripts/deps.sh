#!/usr/bin/env bash
# Installs the Debian packages that the tests and the demo need, if they are missing, and
# downloads the Go modules. Needs root or sudo only when something is missing; without
# either it prints the command to run.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
	gcc libc6-dev                   # the race detector
	tor obfs4proxy                  # the private network, and its bridges
	baresip-core linphone-cli       # two phones that know nothing of each other
	asterisk-core-sounds-en-wav     # recordings of a human voice
	zbar-tools                      # reads a card's QR code
	python3-libtorrent              # a DHT of other people's making
	iproute2 nftables tshark        # namespaces, counters and captures of the leak audit
	wireguard-go wireguard-tools    # a VPN of other people's making
	dante-server                    # a SOCKS5 proxy that carries datagrams
	faketime                        # a tor with a wrong clock
	procps                          # what is still running, which must be nothing
)

missing=()
if command -v dpkg-query >/dev/null; then
	for p in "${packages[@]}"; do
		state=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)
		[ "$state" = installed ] || missing+=("$p")
	done
else
	echo "deps: this is no Debian; make sure that these are here: ${packages[*]}" >&2
fi

# install puts the missing packages in. A newly installed tor is not started: it would
# tell this network that somebody here uses it, before anybody asked for that.
install() {
	local policy=/usr/sbin/policy-rc.d
	$1 env DEBIAN_FRONTEND=noninteractive apt-get update -qq
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' | $1 tee $policy >/dev/null
		$1 chmod 755 $policy
		# shellcheck disable=SC2064
		trap "$1 rm -f $policy" EXIT
	fi
	$1 env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends "${missing[@]}"
	if [[ " ${missing[*]} " == *" tor "* ]] && command -v systemctl >/dev/null; then
		$1 systemctl disable --quiet tor.service || true
	fi
	if [[ " ${missing[*]} " == *" dante-server "* ]] && command -v systemctl >/dev/null; then
		$1 systemctl disable --quiet danted.service || true
	fi
}

if [ ${#missing[@]} -gt 0 ]; then
	echo "deps: installing ${missing[*]}"
	if [ "$(id -u)" = 0 ]; then
		install ""
	elif command -v sudo >/dev/null; then
		install sudo
	else
		echo "deps: run this as root, then try again:" >&2
		echo "    apt-get install ${missing[*]}" >&2
		exit 1
	fi
fi

command -v go >/dev/null || {
	echo "deps: Go is missing; go.mod says which version" >&2
	exit 1
}
go mod download
