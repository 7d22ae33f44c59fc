# about: git init, add, commit, branch, merge, clone, gc, fsck, stash, worktree
# needs: git

# One identity and clock; one thread, so that packs come out the same.
setup() {
    export GIT_AUTHOR_NAME=author GIT_AUTHOR_EMAIL=a@example.org GIT_AUTHOR_DATE='2021-01-01T00:00:00Z'
    export GIT_COMMITTER_NAME=author GIT_COMMITTER_EMAIL=a@example.org GIT_COMMITTER_DATE='2021-01-01T00:00:00Z'
    export GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
    git config --global pack.threads 1; git config --global init.defaultBranch main; git config --global gc.auto 0
    git config --global core.looseCompression 1; git config --global advice.detachedHead false
    volatile "$CASE/*index" "$CASE/*.rev" "$CASE/*/logs/*" 'home/.gitconfig'
}

case_commit() {
    setup
    git init -q r; cd r || return
    cp -r "$INPUTS/small" "$INPUTS/text.txt" .; ln -s text.txt link; chmod +x small/file-001
    git add -A; git status --short | wc -l; git commit -qm "first $MARKER"
    git status --short
    sed -i 's/page/PAGE/' text.txt; git diff --stat; git commit -qam second
    git mv small/file-002 moved; git rm -q small/file-003; git commit -qm third
    git log --oneline --stat | checksum
    git show HEAD~1:text.txt | cmp - text.txt && echo same
    git checkout -q HEAD~2 && grep -c page text.txt; git checkout -q main
    git fsck --full --strict; git count-objects | cut -d ' ' -f 1
    git blame text.txt | checksum; git grep -c PAGE | tail -n 1; git archive HEAD | checksum
}

case_branch_and_merge() {
    setup
    git init -q r; cd r || return
    head -n 500 "$INPUTS/text.txt" >a; git add a; git commit -qm base
    git checkout -qb side; sed -i '10s/.*/side/' a; git commit -qam side
    git checkout -q main; sed -i '400s/.*/main/' a; git commit -qam main
    git merge -q --no-edit side; git log --oneline --graph | cut -c 1-4
    git checkout -qb conflict HEAD~1; sed -i '10s/.*/other/' a; git commit -qam other
    status git merge -q side 2>&1
    git checkout --theirs a; git add a; git commit -qm solved
    echo dirty >>a; git stash -q; git stash list | wc -l; git stash pop -q; tail -n 1 a; git checkout -q a
    git rebase -q main 2>/dev/null || git rebase --abort
    git tag -a -m "tag $MARKER" v1; git reflog | wc -l; git reset -q --hard main; git clean -qfd; git fsck
    git worktree add -q ../w side; cat ../w/a | checksum; git worktree list | wc -l
}

case_clone_and_gc() {
    setup
    git init -q r; cd r || return
    for i in 1 2 3 4 5; do sed "s/page/page $i/" "$INPUTS/text.txt" >a; git add a; git commit -qm "$i"; done
    cp -r "$INPUTS/small" .; git add .; git commit -qm small
    cd ..
    git clone -q r local
    git clone -q --no-hardlinks r copied
    git clone -q "file://$PWD/r" packed
    git clone -q --bare r bare.git
    for repository in r local copied packed; do
        (
            cd $repository && git gc -q --aggressive --prune=now && git fsck --full
            git count-objects -v | grep -v size
            git status --short
        )
    done
    cd packed || return
    echo change >>a; git commit -qam change; git push -q ../bare.git HEAD:main; git -C ../bare.git log --oneline | wc -l
    cd ../local && git pull -q --ff-only ../packed main
    git rev-parse HEAD
    git repack -adq
    git verify-pack -v .git/objects/pack/*.idx | wc -l
    git bundle create -q ../b.bundle main 2>/dev/null
    git clone -q ../b.bundle ../from-bundle -b main
    git -C ../from-bundle fsck
    git clone -q . "$OUTSIDE/out"; git -C "$OUTSIDE/out" fsck; rm -rf "$OUTSIDE/out"
}

case_large_and_binary() {
    setup
    git init -q r; cd r || return
    git config core.bigFileThreshold 100k
    cat "$INPUTS/random.bin" "$INPUTS/random.bin" >big; cp "$INPUTS/sparse.bin" .; git add .; git commit -qm big
    printf x >>big; git commit -qam bigger; git gc -q; git fsck --full; git show HEAD:big | cmp - big && echo same
    git checkout -q HEAD~1; stat -c %s big; git diff --stat HEAD main
}
