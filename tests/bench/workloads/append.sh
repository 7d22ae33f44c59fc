# about: Lines of 100 bytes appended to a log, without fsync and with
scope=main

measure() {
    settle
    rows append "$here" "$inputs/text"
}
