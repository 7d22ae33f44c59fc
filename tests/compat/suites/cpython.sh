# about: CPython's own tests of files, directories, mappings, pipes, processes, archives and databases
# packages: python3 libpython3.11-testsuite python3-gdbm
# limit: 5400

MODULES="test_asyncio.test_subprocess test_asyncio.test_unix_events test_bufio test_bz2 test_compileall test_concurrent_futures
    test_contextlib test_csv test_dbm test_dbm_dumb test_dbm_gnu test_dbm_ndbm test_doctest test_eintr test_email test_epoll test_fcntl
    test_file test_file_eintr test_filecmp test_fileinput test_fileio test_fileutils test_fork1 test_genericpath test_getpass
    test_gettext test_glob test_gzip test_import test_importlib test_io test_ioctl test_json test_largefile test_linecache test_logging
    test_lzma test_mailbox test_mmap test_multiprocessing_fork test_multiprocessing_forkserver test_multiprocessing_main_handling
    test_multiprocessing_spawn test_netrc test_openpty test_os test_pathlib test_pickle test_pipes test_pkg test_pkgutil test_plistlib
    test_poll test_popen test_posix test_posixpath test_pty test_py_compile test_readline test_resource test_runpy test_sax
    test_select test_selectors test_shelve test_shutil test_signal test_subprocess test_tarfile test_tempfile
    test_threadedtempfile test_threading test_threadsignals test_tokenize test_unicode_file test_unicode_file_functions test_urllib
    test_venv test_wave test_xml_etree test_zipapp test_zipfile test_zipfile64 test_zipimport test_zipimport_support test_zoneinfo"

# Temporary files and the tests' own directory lie in the directory under test; what is told of the tests does not.
suite() {
    local module report=$SCRATCH/report.xml
    export TMPDIR=$PWD LC_ALL=C.UTF-8
    for module in ${CPYTHON_MODULES:-$MODULES}; do
        rm -f "$report"
        timeout -k 10 900 /usr/bin/python3.11 -m test --tempdir "$PWD" -u largefile,subprocess,cpu --junit-xml "$report" "$module" \
            >"$SCRATCH/$module.log" 2>&1 </dev/null
        printf 'RESULT\t%s\tstatus %s\n' "$module" $?
        [ ! -e "$report" ] || /usr/bin/python3.11 "$SCRATCH/results.py" "$module" "$report"
    done
}

prepare() {
    cat >results.py <<'END'
"""results.py MODULE REPORT: the cases of a JUnit report, one a line."""
import sys
import xml.etree.ElementTree

for case in xml.etree.ElementTree.parse(sys.argv[2]).iter("testcase"):
    kinds = {child.tag for child in case}
    outcome = "FAIL" if kinds & {"failure", "error"} else "skip" if "skipped" in kinds or case.get("result") == "suppressed" else "ok"
    print("RESULT", f"{sys.argv[1]} {case.get('name')}".replace("\n", " "), outcome, sep="\t")
    if outcome == "FAIL":
        print(case.get("name"), *(child.text for child in case), sep="\n", file=sys.stderr)
END
}
