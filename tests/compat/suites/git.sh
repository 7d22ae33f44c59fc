# about: git: a repository of some thousand commits from fast-import, clone, gc, repack, fsck, worktrees, rebase, bundle, kills in the middle, big files
# packages: git
# limit: 600

version() { git --version | sed 's/git version //'; }

prepare() { # 4000 commits, 400 files, three branches, merges; the same each time
    awk 'BEGIN { srand(7)
        for (n = 1; n <= 4000; n++) {
            b = (n % 7 == 0) ? "side" : (n % 11 == 0) ? "other" : "main"
            if (b != "main" && !(b in seen)) { printf "reset refs/heads/%s\nfrom :%d\n\n", b, last["main"]; last[b] = last["main"] }
            seen[b] = 1
            printf "commit refs/heads/%s\nmark :%d\ncommitter A <a@x> %d +0000\ndata <<E\ncommit %d\nE\n", b, n, 1500000000 + n * 60, n
            if (b in last && last[b]) printf "from :%d\n", last[b]
            if (b == "main" && n % 50 == 1 && n > 100) printf "merge :%d\n", last["side"]
            for (k = 0; k < 3; k++) {
                f = int(rand() * 400)
                printf "M 100644 inline d%d/f%d.txt\ndata <<E\n", f % 20, f
                for (l = 0; l < 12; l++) printf "line %d of file %d in commit %d\n", l, f, (l == n % 12) ? n : int(n / 300)
                printf "E\n"
            }
            if (n % 1000 == 0) printf "M 100644 inline big.bin\ndata <<E\n%s\nE\n", sprintf("%*s", 300000, n)
            printf "\n"
            last[b] = n
        } }' >history
}

suite() {
    export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
    git config --global user.email a@x; git config --global user.name A; git config --global init.defaultBranch main
    git config --global advice.detachedHead false
    mkdir repository; cd repository
    check "init" git init -q
    check "fast-import" bash -c "git fast-import --quiet <'$SCRATCH/history'"
    value "head" git rev-parse main side other
    check "checkout" git checkout -q main
    value "status" bash -c 'git status --porcelain | wc -l'
    value "log" bash -c 'git log --format=%H --all | sha256sum'
    check "fsck" git fsck --full --strict
    check "repack" git repack -adq --depth=20 --window=10
    check "gc aggressive" git gc -q --prune=now
    check "verify-pack" bash -c 'git verify-pack .git/objects/pack/*.idx'
    check "commit-graph and multi-pack-index" bash -c 'git commit-graph write --reachable && git commit-graph verify && git multi-pack-index write --bitmap && git multi-pack-index verify'
    check "fsck after gc" git fsck --full --strict
    value "grep" bash -c 'git grep -c "commit 13" | sha256sum'
    value "blame" bash -c 'git blame d5/f45.txt | sha256sum'
    value "diff" bash -c 'git diff main~500 main | sha256sum'
    check "clone" git clone -q . ../clone
    check "clone --no-local" git clone -q --no-local . ../clone2
    check "clone --shared" git clone -q --shared . ../clone3
    value "worktree" bash -c 'git worktree add -q ../tree side && cd ../tree && git status --porcelain | wc -l && git rev-parse HEAD'
    value "archive" bash -c 'git archive main | sha256sum'
    check "bundle" bash -c 'git bundle create -q ../all.bundle --all && git bundle verify -q ../all.bundle && git clone -q ../all.bundle ../clone4'
    cd ../clone
    value "edit, add, commit" bash -c 'for i in $(seq 30); do echo "more $i" >>d1/f1.txt; git commit -qam "edit $i"; done; git rev-parse HEAD'
    value "rebase" bash -c 'git checkout -q -b topic HEAD~10 && for i in $(seq 8); do echo $i >t$i; git add t$i; git commit -qm "t $i"; done; git rebase -q main && git rev-parse HEAD'
    value "merge" bash -c 'git checkout -q main && git merge -q --no-ff -m m topic && git rev-parse HEAD'
    value "stash" bash -c 'echo dirty >>d2/f2.txt; git stash -q; git status --porcelain | wc -l; git stash pop -q; git status --porcelain; git checkout -q -- .'
    value "cherry-pick and revert" bash -c 'git checkout -q -b cp HEAD~3 && git revert --no-edit HEAD >/dev/null && git cherry-pick -x main~2 >/dev/null 2>&1; git cherry-pick --skip >/dev/null 2>&1; git rev-parse HEAD^{tree}; git checkout -q main'
    check "push" git push -q origin topic
    value "bisect" bash -c 'git bisect start -q main main~100 >/dev/null; git bisect run sh -c "test \$(wc -l <d1/f1.txt) -lt 27" | grep -c "first bad commit"; git bisect reset -q'
    check "filter" git filter-branch -f --msg-filter 'sed s/edit/EDIT/' main~5..main
    check "fsmonitor and untracked cache" bash -c 'git update-index --untracked-cache && git status -s && git update-index --split-index && git status -s'
    check "sparse checkout" bash -c 'git sparse-checkout set d1 d2 && test $(ls -d d* | wc -l) = 2 && git sparse-checkout disable'
    value "big file" bash -c 'yes 0123456789abcdef | head -c 80000000 >big && git add big && git commit -qm big && git rev-parse HEAD:big && git fsck'
    value "clean checkout again" bash -c 'git checkout -q cp && git checkout -q main && git status --porcelain | wc -l'
    value "core.fsync all" bash -c 'git -c core.fsync=all -c core.fsyncMethod=batch commit -q --allow-empty -m s; echo x >x; git -c core.fsync=all -c core.fsyncMethod=batch add x; git status --porcelain'
    cd ../repository
    for round in 1 2 3; do
        git repack -adfq --window=100 --depth=50 2>/dev/null & victim=$!
        sleep 0.$round
        kill_hard $victim
        pkill_children
        check "killed repack $round: fsck" git fsck --full
        value "killed repack $round: head" git rev-parse main
    done
    check "gc after kills" git gc -q --prune=now
    check "partial leftovers are gone" bash -c '! ls .git/objects/pack/tmp_* 2>/dev/null'
}

# what a killed repack leaves running ends with its pipe; wait for that
pkill_children() { wait_until 60 bash -c '! pgrep -f "pack-objects.*window=100" >/dev/null'; }
