# small_files.sh make DIRECTORY         small files until the disk is full; prints how many were written whole
# small_files.sh check DIRECTORY COUNT   are they all there, with what was written?
cd "$2" || exit 1
case $1 in
    make)
        for ((n = 0; n < 4000; n++)); do printf 'file %d\n' $n >f$n || break; done
        rm -f f$n
        echo $n
        ;;
    check)
        for ((i = 0; i < $3; i++)); do
            read -r line <f$i
            [ "$line" = "file $i" ] || echo "f$i: $line"
        done
        echo ok
        ;;
esac
