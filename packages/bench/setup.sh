#!/usr/bin/env bash
# Makes the Python environments that benchmarks compare with. Safe to run again; prints the interpreter's path.
#   setup.sh            what most benchmarks need
#   setup.sh engine     PyTorch, Keras and TensorFlow (6 GB), in an environment of its own
#   setup.sh synthetic  SDV (6 GB with PyTorch)
#   setup.sh matching   hnswlib, compiled at install: needs a C++ compiler and Python's headers
#   setup.sh images     scikit-image and BM3D (whose licence allows non-commercial use only)
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
case "${1:-}" in
  '') name=venv requirements="$here/python/requirements.txt" ;;
  engine) name=venv-engine requirements="$here/python/requirements-engine.txt" ;;
  synthetic) name=venv-synthetic requirements="$here/python/requirements-synthetic.txt" ;;
  matching) name=venv-matching requirements="$here/python/requirements-matching.txt" ;;
  images) name=venv-images requirements="$here/python/requirements-images.txt" ;;
  *)
    echo "bench:setup: expected nothing, \"engine\", \"synthetic\", \"matching\" or \"images\", found \"$1\"" >&2
    exit 2
    ;;
esac
cache="${XDG_CACHE_HOME:-$HOME/.cache}/hourglass/bench"
venv="$cache/$name"
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
