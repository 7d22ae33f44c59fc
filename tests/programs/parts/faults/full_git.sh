. "$(dirname "$0")/full.sh"
git config --global user.name me; git config --global user.email me@example.org; git config --global gc.auto 0
git init -q -b main repo && cd repo || exit 1
seq 50000 >a && git add a && git commit -qm first && git rev-parse HEAD
head -c 2000000 /dev/urandom >b
cd .. && leave_room 900 && cd repo || exit 1
ended git add b
git fsck --no-progress --no-dangling && git log --oneline
cd .. && give_room && cd repo || exit 1
git add b && git commit -qm second && git log --oneline | wc -l && git fsck --no-progress --no-dangling && git status --short
cmp b <(git show HEAD:b) && echo same
