use strict;
use Fcntl;
use SDBM_File;

tie my %h, "SDBM_File", "db", O_RDWR | O_CREAT, 0666 or die;
$h{"key $_"} = "$ENV{MARKER} $_" for 1 .. 300;
delete $h{"key $_"} for 50 .. 90;
untie %h;
tie %h, "SDBM_File", "db", O_RDONLY, 0666 or die;
print scalar(keys %h), " ", $h{"key 7"}, "\n";
