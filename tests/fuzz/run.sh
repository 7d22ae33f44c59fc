#!/usr/bin/env bash
# Fuzzing: mutated headers, index pages, packed blocks, whole files, configurations, packets, stores, and command lines; a live agent with
# hostile clients. About a minute by default; the corpus, which has every input that ever found something, is run first.
# usage: run.sh [--minutes N | --iterations N] [--seed S] [--target NAME] [--input FILE]
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${OVERLAY_OUT:-$here/../../out}
said=$(timeout 300 dotnet build "$here/Overlay.Fuzz.csproj" -c Release -v q --nologo 2>&1) || { echo "$said"; echo "0 passed, 1 failed"; exit 1; }
DOTNET_TieredPGO=0 dotnet "$here/bin/Release/net10.0/Overlay.Fuzz.dll" --directory "$here" --control "$out/bin/overlay-ctl" "$@"
status=$?
# A death has no last line of its own.
[ $status -le 1 ] || { echo "FAIL: the fuzzer died with status $status"; echo "0 passed, 1 failed"; }
exit $status
