# about: perl -i, layers, seek, sysopen, locks, sparse writes, opendir
# needs: perl

case_in_place() {
    cp "$INPUTS/text.txt" a; cp a b
    perl -pi -e 's/group/GROUP/' a
    perl -i.orig -ne 'print unless /page/' a b
    perl -0777 -pi -e 's/\n/;/g' b
    wc -c ./*; checksum ./*
}

case_files() {
    perl "$PARTS/perl/files.pl"
    checksum a d
}

case_two_handles() {
    perl "$PARTS/perl/two_handles.pl"
    sort forked | uniq -c | awk '{ print $1 }' | sort | uniq -c | awk '{ print $1, $2 }'
    sort forked | checksum
    volatile 'case_two_handles/forked'
}

case_database() {
    perl "$PARTS/perl/database.pl"
}
