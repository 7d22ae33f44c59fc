# about: Small programs from start to exit: one that does nothing, and one that reads a small file of the side
scope=main

prepare() { on_side cp "$inputs/small" "$here/small"; }

measure() {
    settle
    timed start-true "$times" /bin/true
    timed start-cat-small "$times" /bin/cat "$here/small"
    timed start-bash "$times" /bin/bash -c :
}
