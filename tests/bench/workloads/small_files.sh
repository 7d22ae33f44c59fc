# about: 10,000 files of 100 bytes to 4 KB in one new directory, by one process: create, stat, read, list, append, rename, unlink
scope=main

measure() {
    settle
    rows many "$here/$round" "$files" "$inputs/text"
}
