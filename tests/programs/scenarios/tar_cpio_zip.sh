# about: tar, cpio and zip, packing in the volume, out of it and into it
# needs: tar

case_tar_out() {
    cp -a "$INPUTS/doc" doc
    tar --sort=name -cf "$OUTSIDE/doc.tar" doc
    tar -tf "$OUTSIDE/doc.tar" | checksum
    sha256sum <"$OUTSIDE/doc.tar"
}

case_tar_in() {
    tar -C "$INPUTS" --sort=name -cf "$OUTSIDE/in.tar" doc small sparse.bin
    tar -xpf "$OUTSIDE/in.tar"
    diff -r --no-dereference doc "$INPUTS/doc" && diff -r small "$INPUTS/small" && echo same
    tar -df "$OUTSIDE/in.tar" && echo "tar agrees, modes and times too"
    rm "$OUTSIDE/in.tar"
}

case_tar_inside() {
    cp -a "$INPUTS/small" small
    cp -p "$INPUTS/text.txt" text
    ln text hard
    ln -s text soft
    mkfifo -m 600 pipe
    touch -d 2015-05-05 pipe
    tar --sort=name --mtime=2020-01-01 -cf a.tar small text hard soft pipe
    tar --sort=name --mtime=2020-01-01 -czf a.tgz small
    tar -rf a.tar --mtime=2020-01-01 -C "$INPUTS" marker
    tar --delete -f a.tar small/file-000
    tar -tvf a.tar | awk '{ print $1, $3, $6 }' | checksum
    mkdir x; tar -C x -xpf a.tar; find x -type f -links 2 | sort
    mkdir y; tar -C y -xzf a.tgz small/file-123; cmp y/small/file-123 small/file-123
    tar -xOf a.tar text | cmp - text && echo same
    tar --to-stdout -xf a.tgz small/file-299 | checksum
}

case_tar_update_and_split() {
    cp -a "$INPUTS/small" small
    tar --sort=name -cf a.tar small
    echo "changed $MARKER" >small/file-007; touch -d 2020-01-01 small/file-007
    tar -uf a.tar small
    tar -tf a.tar | sort | uniq -c | awk '$1 > 1 && !/\/$/'
    printf -- '-f v%d.tar ' $(seq 12) | xargs tar -cML 100 --sort=name small 2>&1 | tail -n 1
    mkdir x; tar -C x --overwrite -xf a.tar; cat x/small/file-007
    tar --one-top-level=z --strip-components=1 -xf a.tar; ls z | wc -l
    tar -C x --remove-files -cf gone.tar small; ls x
    volatile 'case_tar_update_and_split/*.tar'
}

case_tar_sparse() {
    cp "$INPUTS/sparse.bin" a; touch -d 2019-09-09 a
    tar -cf plain.tar a
    mkdir x y; tar -C x -xf plain.tar; cmp a x/a && echo same
    tar -cSf sparse.tar a; tar -C y -xf sparse.tar; cmp a y/a && echo same
    stat -c %s x/a y/a
    volatile 'case_tar_sparse/sparse.tar'
}

case_cpio() {
    need cpio
    cp -a "$INPUTS/small" small
    find small | sort | cpio -o --quiet --reproducible -H newc >a.cpio
    mkdir x; (cd x && cpio -idm --quiet <../a.cpio); diff -r small x/small && echo same
    find small -name '*7' | cpio -pdl --quiet linked; find linked -type f | wc -l
    volatile 'case_cpio/a.cpio'
}

case_zip() {
    need zip unzip
    cp -a "$INPUTS/small" small
    zip -qrX a.zip small; zip -qX a.zip "$INPUTS/text.txt" -j
    unzip -tqq a.zip && echo intact
    mkdir x; unzip -qd x a.zip; diff -r small x/small && echo same
    echo "changed $MARKER" >small/file-100; zip -qX a.zip small/file-100; unzip -p a.zip small/file-100
    zip -qd a.zip 'small/file-2*'; unzip -Z1 a.zip | wc -l
    volatile 'case_zip/a.zip'
}

case_ar() {
    need ar
    for name in 1 2 3; do echo "member $name $MARKER" >m$name; done
    ar rcD lib.a m1 m2 m3; ar t lib.a; echo new >m2; ar rD lib.a m2; ar p lib.a m2 m3; ar dD lib.a m1; ar t lib.a
}
