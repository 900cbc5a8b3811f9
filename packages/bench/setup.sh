#!/usr/bin/env bash
# Makes the Python environment that benchmarks compare with. Safe to run again; prints the interpreter's path.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
requirements="$here/python/requirements.txt"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/hourglass/bench"
venv="$cache/venv"
stamp="$venv/.requirements"

if ! cmp --silent "$requirements" "$stamp"; then
  command -v python3 >/dev/null || {
    echo "bench:setup needs python3 with venv (Debian: apt install python3-venv)" >&2
    exit 1
  }
  mkdir -p "$cache"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
  cp "$requirements" "$stamp"
fi
echo "$venv/bin/python"
