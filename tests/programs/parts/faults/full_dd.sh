. "$(dirname "$0")/full.sh"
seq 200000 >before
cksum before
leave_room 1024
ended dd if=/dev/urandom of=big bs=64k count=64
ended dd if=/dev/urandom of=big bs=1k seek=500 count=4000 conv=notrunc
ended dd if=/dev/urandom of=before bs=1M count=10 oflag=append conv=notrunc
head -c 1288895 before | cksum
rm big
give_room
ended dd if=before of=again bs=10k
cmp before again && echo same
truncate -s 1288895 before && cksum before
