use strict;

open my $w, ">", "log";
select $w;
$| = 1;
open my $r, "<", "log";
for my $i (1 .. 200) {
    print $w "line $i $ENV{MARKER}\n";
    my $line = <$r>;
    die "stale at $i" unless $line eq "line $i $ENV{MARKER}\n";
}
print STDOUT "read what was written\n";
open my $dup, ">&", $w;
print $dup "through a copy\n";
close $dup;
print STDOUT scalar <$r>;
STDOUT->flush;

for my $writer (1 .. 4) {
    next if fork;
    open my $f, ">>", "forked";
    syswrite $f, "$writer $ENV{MARKER} $writer\n" for 1 .. 100;
    exit;
}
1 while wait > 0;
