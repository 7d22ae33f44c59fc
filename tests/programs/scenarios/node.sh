# about: node's fs: sync, promises, streams, descriptors, copyFile, mkdtemp, watchers, worker threads
# needs: node
# case-limit: 90

run() { UV_USE_IO_URING=0 node --no-warnings "$@"; }

case_sync() {
    run "$PARTS/node/sync.js"
    checksum a b d f g
}

case_streams() {
    run "$PARTS/node/streams.js"
    cmp c "$INPUTS/text.txt" && echo same
    checksum a b c log
}

case_promises() {
    run "$PARTS/node/promises.js"
    sort log | checksum; volatile 'case_promises/log'; ls | wc -l
}

case_threads_and_children() {
    run "$PARTS/node/threads_and_children.js"
    checksum w1 w2 w3 w4 child
}

case_watch() {
    echo start >a
    run "$PARTS/node/watch.js"
}

case_modules() {
    mkdir -p node_modules/part
    echo '{ "name": "part", "version": "1.0.0", "main": "index.js" }' >node_modules/part/package.json
    echo "module.exports = '$MARKER';" >node_modules/part/index.js
    echo "console.log(require('part') === process.env.MARKER, require('./data.json').list.length);" >main.js
    echo '{ "list": [1, 2, 3] }' >data.json
    cp "$PARTS/node/main.mjs" .
    run main.js; run main.mjs; run <main.js
}
