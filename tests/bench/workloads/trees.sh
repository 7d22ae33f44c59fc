# about: A source tree (Overlay's own, and a part of Python's library): untar, cp -a, grep -r, git clone, git status, compile
scope=main
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1

measure() {
    local tree=$here/tree-$round
    mkdir "$tree"
    settle
    timed untar 1 tar -C "$tree" -xf "$inputs/tree.tar"
    settle
    timed copy-tree 1 cp -a "$tree" "$here/copy-$round"
    timed grep 3 grep -rc nonce "$tree"
    cold && on_side grep -c root /etc/passwd >/dev/null && timed grep-cold 1 grep -rc nonce "$tree"
    settle
    timed git-clone 1 git clone -q --no-local "$inputs/repository.git" "$here/clone-$round"
    timed git-status 5 git -C "$here/clone-$round" status -s
    timed compile 1 make -s -j2 -C "$tree/overlay/shim/native" OBJ="$tree/obj" patch
}
