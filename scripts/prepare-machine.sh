#!/usr/bin/env bash
# Prepares what the tests need and a bare machine lacks: a WebGPU adapter for Node (a real GPU's Vulkan
# driver, else Mesa's software adapter lavapipe 24 or newer) and Chromium for the browser tests.
# Installs only on Debian as root; elsewhere it prints the exact commands and fails.
#   prepare-machine.sh [adapter] [browser]      (both by default)
set -euo pipefail
cd "$(dirname "$0")/.."
wants=${*:-adapter browser}

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && [ -r /etc/os-release ] && grep -q '^ID=debian' /etc/os-release; }

# Debian 12's own Mesa (22.3) crashes under Dawn; its backports hold 25. The mirror is the one this machine already uses.
add_backports() {
  . /etc/os-release
  [ "${VERSION_CODENAME:-}" = bookworm ] || return 0
  grep -rqs 'bookworm-backports' /etc/apt/sources.list /etc/apt/sources.list.d && return 0
  local mirror
  mirror=$({ cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null || true; } |
    sed -n -e 's/^URIs: *\([^ ]*\).*/\1/p' -e 's/^deb [^h]*\(http[^ ]*\).*/\1/p' | grep -v security | head -1)
  [ -n "$mirror" ] || { echo "expected a Debian mirror in /etc/apt, found none (add bookworm-backports by hand)" >&2; exit 1; }
  printf 'Types: deb\nURIs: %s\nSuites: bookworm-backports\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
    "$mirror" > /etc/apt/sources.list.d/obp-backports.sources
}

probe() { node bin/probe-adapter.mjs; }

if [[ " $wants " == *" adapter "* ]] && ! probe >/dev/null 2>&1; then
  if can_install; then
    echo "No WebGPU adapter found: installing Mesa's software Vulkan driver (lavapipe)."
    add_backports
    apt-get update -qq
    . /etc/os-release
    release=(); [ "${VERSION_CODENAME:-}" = bookworm ] && release=(-t bookworm-backports)
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${release[@]}" mesa-vulkan-drivers libvulkan1 >/dev/null
    probe
  else
    cat >&2 <<'HELP'
error: expected a WebGPU adapter, got none (install a Vulkan driver for your GPU, or Mesa's software one:
  Debian 12:           echo 'deb MIRROR bookworm-backports main' | sudo tee -a /etc/apt/sources.list && sudo apt-get update && sudo apt-get install -t bookworm-backports mesa-vulkan-drivers libvulkan1
  Debian 13 / Ubuntu 24.10 or newer: sudo apt-get install mesa-vulkan-drivers libvulkan1
  Fedora:              sudo dnf install mesa-vulkan-drivers vulkan-loader)
HELP
    exit 1
  fi
fi

if [[ " $wants " == *" browser "* ]] && ! { [ -n "${OBP_CHROMIUM:-}" ] || command -v chromium chromium-browser google-chrome >/dev/null; }; then
  if can_install; then
    echo "No Chromium found: installing it for the browser tests."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
  else
    echo "error: expected Chromium or Chrome on PATH or in OBP_CHROMIUM, got neither (install: sudo apt-get install chromium, or set OBP_CHROMIUM)" >&2
    exit 1
  fi
fi
