#!/usr/bin/env bash
# call.sh SUITE-FILE FUNCTION [DIRECTORY]: calls one function of a suite, if it has it
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/packages.sh"
. "$here/results.sh"
. "$1"
cd "${3:-.}" || exit
if declare -F "$2" >/dev/null; then
    "$2"
fi
