use strict;
use Fcntl qw(:DEFAULT :flock :seek);

open my $f, "+>", "a" or die;
print $f "start $ENV{MARKER}\n";
seek $f, 20000, 0;
print $f "far\n";
seek $f, 0, 0;
my $line = <$f>;
print $line, -s "a", " ", tell $f, "\n";
truncate $f, 20002 or die;
close $f;
print -s "a", "\n";

sysopen my $g, "b", O_RDWR | O_CREAT | O_EXCL, 0600 or die;
syswrite $g, "x" x 5000;
sysseek $g, -10, SEEK_END;
syswrite $g, $ENV{MARKER};
sysseek $g, 0, SEEK_SET;
sysread $g, my $data, 100000;
print length $data, "\n";
sysopen my $h, "b", O_RDWR | O_CREAT | O_EXCL and die;
print "$!\n";
flock $g, LOCK_EX or die;

open my $i, ">>", "b";
print $i "appended\n";
print tell $i, "\n";
close $i;
rename "b", "c";
link "c", "d";
unlink "c";
chmod 0640, "d";
utime 1e9, 1e9, "d";
my @s = stat "d";
print "@s[2,3,7,9]\n";

opendir my $o, ".";
print join " ", sort grep !/^\.\.?$/, readdir $o;
print "\n";
open my $p, "<:encoding(UTF-8)", "a";
local $/;
print length <$p>, "\n";
