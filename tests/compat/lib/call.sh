#!/usr/bin/env bash
# call.sh SUITE-FILE FUNCTION [DIRECTORY]: calls one function of a suite, if it has it
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/packages.sh"
. "$here/results.sh"
. "$1"
cd "${3:-.}" || exit
declare -F "$2" >/dev/null || exit 0
"$2"
# What a suite's last command says is no outcome of the suite: only being killed, or running out of time, is.
status=$?
[ "$2" = suite ] || exit $status
exit 0
