. "$(dirname "$0")/full.sh"
mkdir tree && for i in $(seq 30); do seq $((i * 997)) >tree/$i; done
tar -cf tree.tar tree && tar -tf tree.tar | wc -l
leave_room 1500
mkdir out
ended tar -xf tree.tar -C out
rm -rf out && mkdir out
give_room
ended tar -xf tree.tar -C out
diff -r tree out/tree && echo same
leave_room 500
ended tar -cf second.tar tree
tar -tf tree.tar | wc -l
rm second.tar
give_room
ended tar -cf second.tar tree
cmp tree.tar second.tar && echo same
