# about: Ruby's own tests of IO, File, Dir, FileUtils, Tempfile, Pathname, PStore, Logger, Zlib, in the directory
# packages: ruby ruby-dev dpkg-dev
# limit: 900

version() { ruby -e 'print RUBY_VERSION'; }

prepare() {
    [ -e tests ] && return
    debian_source ruby3.1 . || return
    mkdir tests && cp -r ruby3.1-*/{test,tool} tests/ && rm -rf ruby3.1-*
}

suite() {
    local file
    export TMPDIR=$PWD/temporary HOME=$PWD
    mkdir temporary
    cp -r "$SCRATCH/tests/tool" .
    mkdir test
    cp -r "$SCRATCH"/tests/test/{ruby,fileutils,pathname,logger,zlib,csv,io,lib,runner.rb,test_tempfile.rb,test_tmpdir.rb,test_pstore.rb,test_find.rb,test_open3.rb} test/
    # test_io writes and reads a great deal on purpose; one file at a time, so that one that dies takes no other along.
    for file in test/ruby/test_{io,file,file_exhaustive,dir,require,autoload,argf,io_buffer}.rb \
        test/fileutils/test_fileutils.rb test/pathname/test_pathname.rb test/logger/test_*.rb test/zlib/test_zlib.rb test/test_*.rb \
        test/io/*/test_*.rb; do
        timeout 200 ruby -I"$PWD/tool/lib" -I"$PWD/test/lib" test/runner.rb --color=never --verbose "$file" >log 2>&1
        echo "--- $file: $?" >&2
        grep -aA 15 -E '^ *[0-9]+\) (Failure|Error)' log >&2
        # "[ 12/400] TestIO#test_pipe = 0.00 s"; what failed is named again at the end
        sed -nE 's/^\[ *[0-9]+\/[0-9]+\] ([A-Za-z0-9_:]+#[^ ]+) = .*/\1/p' log | while read -r name; do
            if grep -aqE "^$(sed 's/[][\.*^$?+(){}|]/\\&/g' <<<"$name") \[|^$(sed 's/[][\.*^$?+(){}|]/\\&/g' <<<"$name"):" log; then echo "$name fail"; else echo "$name ok"; fi
        done | LC_ALL=C sort | while read -r name outcome; do result "$name" "$outcome"; done
        grep -qE '^[0-9]+ tests' log || result "$file" "fail no summary"
    done
}
