# Starts a JVM as the runtime needs it: `start.pl jvm arguments...`, with the channel on fd 3 and the progress page on
# fd 4. It does what Java cannot do for itself, and ends as the JVM:
#
#   - It leaves a process behind that shares the working directory (CLONE_FS) and enters /var/task once more when the
#     function's code is mounted there. Its socket's number is added to the arguments.
#   - It makes the environment large, so that there is room for the function's.
use strict;
use warnings;
use POSIX ();

use constant {
  CLONE_FS => 0x200, CLONE_PARENT => 0x8000, SIGCHLD => 17, AF_UNIX => 1, SOCK_STREAM => 1,
  # Lambda allows 4 KiB of variables; the shortest take two bytes each. Lambda's own come on top.
  VARIABLES => 2200, SPACE => 16384
};
my %CLONE = (x86_64 => 56, aarch64 => 220);
my $clone = $CLONE{ (POSIX::uname())[4] } // die "no system call numbers for this machine\n";

chdir '/var/task' or die "/var/task: $!\n";
$^F = 255; # no descriptor is closed by exec
socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, 0) or die "socketpair: $!\n";
my $pid = syscall($clone, CLONE_FS | CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
die "clone: $!\n" if $pid < 0;
if ($pid == 0) {
  $0 = 'hearth-chdir';
  POSIX::close($_) for 3, 4, fileno $ours;
  # The end of the stream is the end of the JVM.
  if (sysread($theirs, my $request, 1) && chdir '/var/task') { syswrite($theirs, '.') }
  POSIX::_exit(0);
}
POSIX::close(fileno $theirs);
$ENV{ sprintf 'v%x', $_ } = '' for 1 .. VARIABLES;
$ENV{space} = '.' x SPACE;
exec { $ARGV[0] } @ARGV, fileno $ours or die "$ARGV[0]: $!\n";
