#!/usr/bin/env bash
# cases.sh SCENARIO DIRECTORY RESULTS: runs every case_* function of the scenario, in the order of the file, each in a
# shell, a directory and a time limit of its own; then writes the manifest. This is what runs under the shim.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scenario=$1 volume=$2 results=$3
mkdir -p "$results" "$volume/tmp" "$volume/home"

# One environment for both runs: no locale, clock, terminal or user configuration may make a difference.
export LC_ALL=C TZ=UTC TERM=dumb HOME=$volume/home TMPDIR=$volume/tmp
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export INPUTS=$RUN/inputs PARTS=${here%/lib}/parts RESULTS=$results
export VOLUME=$volume SCENARIO=$scenario PYTHONDONTWRITEBYTECODE=1
unset MAKEFLAGS MAKELEVEL XDG_CONFIG_HOME DEBUGINFOD_URLS
umask 022

limit=$(sed -n 's/^# case-limit: //p' "$scenario")
for name in $(sed -n 's/^\(case_[a-z0-9_]*\)().*/\1/p' "$scenario"); do
    mkdir -p "$volume/$name"
    cd "$volume/$name" || exit 1
    CASE=$name timeout -k 5 "${limit:-60}" bash "$here/case.sh" \
        </dev/null >"$results/$name.stdout" 2>"$results/$name.stderr"
    echo "exit status $?" >"$results/$name.status"
done
cd /
"$here/manifest.py" make "$volume" >"$results/manifest"
