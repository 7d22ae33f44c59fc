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
    perl -e '
        open my $f, "+>", "a" or die; print $f "start $ENV{MARKER}\n"; seek $f, 20000, 0; print $f "far\n"; seek $f, 0, 0;
        my $line = <$f>; print $line; print -s "a", " ", tell $f, "\n"; truncate $f, 20002 or die; close $f; print -s "a", "\n";
        use Fcntl qw(:DEFAULT :flock :seek);
        sysopen my $g, "b", O_RDWR | O_CREAT | O_EXCL, 0600 or die; syswrite $g, "x" x 5000; sysseek $g, -10, SEEK_END;
        syswrite $g, $ENV{MARKER}; sysseek $g, 0, SEEK_SET; sysread $g, my $data, 100000; print length $data, "\n";
        sysopen my $h, "b", O_RDWR | O_CREAT | O_EXCL and die; print "$!\n"; flock $g, LOCK_EX or die;
        open my $i, ">>", "b"; print $i "appended\n"; print tell $i, "\n"; close $i;
        rename "b", "c"; link "c", "d"; unlink "c"; chmod 0640, "d"; utime 1e9, 1e9, "d"; my @s = stat "d"; print "@s[2,3,7,9]\n";
        opendir my $o, "."; print join " ", sort grep !/^\.\.?$/, readdir $o; print "\n";
        open my $p, "<:encoding(UTF-8)", "a"; local $/; print length <$p>, "\n";'
    checksum a d
}

case_two_handles() {
    perl -e '
        open my $w, ">", "log"; select $w; $| = 1; open my $r, "<", "log";
        for my $i (1 .. 200) { print $w "line $i $ENV{MARKER}\n"; my $line = <$r>; die "stale at $i" unless $line eq "line $i $ENV{MARKER}\n"; }
        print STDOUT "read what was written\n"; open my $dup, ">&", $w; print $dup "through a copy\n"; close $dup; print STDOUT scalar <$r>;'
    perl -e 'for (1 .. 4) { next if fork; open my $f, ">>", "forked"; syswrite $f, "$_ $ENV{MARKER} $_\n" for 1 .. 100; exit } 1 while wait > 0'
    sort forked | uniq -c | awk '{ print $1 }' | sort | uniq -c | awk '{ print $1, $2 }'; wc -l forked
    sort forked | checksum; volatile 'case_two_handles/forked'
}

case_database() {
    perl -MSDBM_File -MFcntl -e 'tie my %h, "SDBM_File", "db", O_RDWR | O_CREAT, 0666 or die; $h{"key $_"} = "$ENV{MARKER} $_" for 1 .. 300; delete $h{"key $_"} for 50 .. 90; untie %h;
        tie %h, "SDBM_File", "db", O_RDONLY, 0666; print scalar(keys %h), " ", $h{"key 7"}, "\n"' 
}
