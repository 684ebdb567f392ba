#!/usr/bin/perl -T
# hearth-launch: the small process that forks, mounts and kills for a Hearth server, so that the server never has to.
#
# It needs perl-base alone, decides nothing, and believes its one client: whoever holds its stdin. Lines of fields
# separated by tabs; no field holds a tab, a newline or a NUL byte, and `hex` marks those sent as hexadecimal.
#
#   I control userns keep...              once, first: build the view (below); `control` is the folder with the socket
#   D path                                make a folder in the view, parents too
#   F path hex                            write a file in the view
#   Y path target                         make a symbolic link in the view
#   S id key=value...                     start a sandbox (see `start`)
#   A seq id n (path value){n} (source target)...   write n cgroup files, then attach read-only mounts in the sandbox
#   W path value...                       write cgroup files (freeze, CPU limit); failures are ignored
#   Q seq path                            read the first line of a file
#   K id                                  kill every process of a sandbox
#   N seq id inside-hex outside-hex       make a network namespace by two `ip -batch` scripts (see `make_net`)
#   U id outside-hex                      forget a network namespace after running a script
#   T seq image                           mount an ext4 image as the place where sandboxes' /tmp lie (see `mount_tmp`)
#   L seq id port                         listen on 127.0.0.1 inside a sandbox; the socket goes to the client (see `open_door`)
#
# Answers: I 0 | I error; P id pid (the sandbox is made and runs its command); E id error (it could not be started);
#   X id status progress over peak cpu stat... (no process is left, cgroups are gone); R seq error; V seq text.
#
# The view is a mount namespace of our own that holds what sandboxes are built from and nothing else: /usr, /proc,
# /dev, the files that D, F and Y made, the control folder (0700) and the kept mounts (cgroups). It keeps bubblewrap
# fast on machines with many mounts and lets other users' code under a private home be mounted at start. Paths of A
# and of mount= are resolved in the `outer` namespace, which is the machine's own view.
use strict;
use warnings;
use Errno qw(EBUSY EINTR ENOENT ESRCH);
use Fcntl qw(O_CREAT O_EXCL O_RDONLY O_RDWR O_TRUNC O_WRONLY SEEK_SET);
use POSIX ();
use Socket qw(
  AF_INET AF_UNIX INADDR_LOOPBACK PF_UNSPEC PF_UNIX SCM_RIGHTS SO_RCVBUF SO_REUSEADDR SO_SNDBUF SOCK_STREAM SOL_SOCKET
  pack_sockaddr_in pack_sockaddr_un
);

my %NUMBERS = (
  x86_64 => {
    mount => 165, umount2 => 166, pivot_root => 155, unshare => 272, setns => 308, prctl => 157, prlimit64 => 302,
    setgroups => 116, setresuid => 117, setresgid => 119, signalfd4 => 289, memfd_create => 319, ftruncate => 77,
    fcntl => 72, close => 3, clock_gettime => 228, statfs => 137, sendmsg => 46
  },
  aarch64 => {
    mount => 40, umount2 => 39, pivot_root => 41, unshare => 97, setns => 268, prctl => 167, prlimit64 => 261,
    setgroups => 159, setresuid => 147, setresgid => 149, signalfd4 => 74, memfd_create => 279, ftruncate => 46,
    fcntl => 25, close => 57, clock_gettime => 113, statfs => 43, sendmsg => 211
  }
);
my $machine = (POSIX::uname())[4];
my %SYS = (%{ $NUMBERS{$machine} // die "no system call numbers for $machine\n" },
  open_tree => 428, move_mount => 429, close_range => 436, mount_setattr => 442);

use constant {
  MS_BIND => 4096, MS_REC => 16384, MS_PRIVATE => 1 << 18, MS_SLAVE => 1 << 19, MS_NOSUID => 2, MS_NODEV => 4,
  MNT_DETACH => 2, CLONE_NEWNS => 0x20000, CLONE_NEWUSER => 0x10000000, CLONE_NEWNET => 0x40000000,
  OPEN_TREE_CLONE => 1, OPEN_TREE_CLOEXEC => 0x80000, AT_FDCWD => -100, AT_EMPTY_PATH => 0x1000, AT_RECURSIVE => 0x8000,
  MOVE_MOUNT_F_EMPTY_PATH => 4, ATTR_RDONLY_NOSUID_NODEV => 7,
  PR_SET_PDEATHSIG => 1, PR_SET_CHILD_SUBREAPER => 36, F_DUPFD_CLOEXEC => 1030, F_ADD_SEALS => 1033,
  SEALS => 1 | 2 | 4, # no more seals, no shrinking, no growing: reading the page can never fault or block
  MFD_CLOEXEC_SEALING => 3, SFD_CLOEXEC_NONBLOCK => 0x80800, CLOSE_RANGE_CLOEXEC => 4, SIGCHLD => 17,
  SEEK_DATA => 3, SEEK_HOLE => 4, LOOP_CTL_GET_FREE => 0x4C82, LOOP_CONFIGURE => 0x4C0A, LO_AUTOCLEAR_DIRECT_IO => 4 | 16, POOL_SPARE => 1.5,
  HANDLES => 3, # Node's channel for descriptors
  DOOR_BACKLOG => 64, DOOR_BUFFER_BYTES => 1 << 17, # the client's side of a sandbox's connections is memory that nobody else bounds
  WATCH_MS => 200, CLOCK_TICKS => POSIX::sysconf(POSIX::_SC_CLK_TCK()), RLIMIT_DATA => 2, RLIMIT_CORE => 4, RLIMIT_NPROC => 6, RLIMIT_NOFILE => 7
};

my $EMPTY = '';
my (%boxes, %by_pid, %nets, %net_jobs, %settling);
my ($outer, $view, $signals, $host_net);
my @kept;
my ($next_watch, $leaving) = (0, 0);

# ---- system calls ----------------------------------------------------------------------------------------------

# Passes its arguments on uncopied, since the kernel writes into some.
sub sys { my $name = shift; return syscall($SYS{$name}, @_) }

sub must { my $name = $_[0]; my $r = &sys; die "$name: $!\n" if $r < 0; return $r }

sub enter { my ($namespace, $type) = @_; must('setns', fileno $namespace, $type) }

sub bind_mount { my ($from, $to) = @_; must('mount', $from, $to, $EMPTY, MS_BIND | MS_REC, 0) }

sub write_file {
  my ($path, $value, $flags) = @_;
  sysopen(my $file, $path, O_WRONLY | ($flags // 0), 0644) or die "$path: $!\n";
  length $value and (defined syswrite($file, $value) or die "$path: $!\n");
  close $file;
}

sub read_line {
  my ($path) = @_;
  open(my $file, '<', $path) or return '';
  sysread($file, my $text, 4096);
  $text //= '';
  $text =~ tr/\n\t/ /;
  return $text;
}

sub make_folder {
  my ($path) = @_;
  my $made = '';
  for my $part (grep { length } split m{/}, $path) { $made .= "/$part"; mkdir $made, 0755 }
  -d $path or die "$path: cannot make folder\n";
}

sub answer { my $line = join("\t", @_) . "\n"; defined syswrite(STDOUT, $line) or $leaving or leave() }

sub now_ms { my $time = "\0" x 16; must('clock_gettime', 1, $time); my ($s, $ns) = unpack('qq', $time); return $s * 1000 + int($ns / 1e6) }

# The data after the error's name has no tabs or newlines, so that it fits in one field.
sub reason { my $text = $@ || "$!"; $text =~ s/\s+/ /g; $text =~ s/ $//; return $text }

# ---- the view --------------------------------------------------------------------------------------------------

sub initialize {
  my ($control, $userns, @keep) = @_;
  @kept = @keep;
  if ($userns) {
    my ($uid, $gid) = ($>, (split / /, $))[0]);
    # A network of our own, since the machine's is none that we could come back to.
    must('unshare', CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET);
    write_file('/proc/self/setgroups', 'deny');
    write_file('/proc/self/uid_map', "0 $uid 1");
    write_file('/proc/self/gid_map', "0 $gid 1");
  } else {
    must('unshare', CLONE_NEWNS);
  }
  open($host_net, '<', '/proc/self/ns/net') or die "/proc/self/ns/net: $!\n";
  my $slash = '/';
  must('mount', $EMPTY, $slash, $EMPTY, MS_REC | MS_SLAVE, 0);
  open($outer, '<', '/proc/self/ns/mnt') or die "/proc/self/ns/mnt: $!\n";
  must('unshare', CLONE_NEWNS);
  must('mount', $EMPTY, $slash, $EMPTY, MS_REC | MS_PRIVATE, 0);
  my $root = "$control/view";
  make_folder($root);
  my ($tmpfs, $options) = ('tmpfs', 'mode=0755,size=64m');
  must('mount', $tmpfs, $root, $tmpfs, MS_NOSUID | MS_NODEV, $options);
  make_folder("$root/$_") for qw(proc dev usr etc control old mounts tmp pool);
  bind_mount($_, "$root$_") for qw(/proc /dev /usr /etc);
  for my $name (qw(bin sbin lib lib32 lib64 libx32)) {
    if (defined(my $target = readlink "/$name")) { symlink($1, "$root/$name") if $target =~ /^(.*)$/ }
    elsif (-d "/$name") { make_folder("$root/$name"); bind_mount("/$name", "$root/$name") }
  }
  for my $path (@keep) {
    if (-d $path) { make_folder("$root$path") }
    else { (my $parent = $path) =~ s{/[^/]*$}{}; make_folder("$root$parent"); write_file("$root$path", '', O_CREAT) }
    bind_mount($path, "$root$path");
  }
  bind_mount($control, "$root/control");
  chdir $root or die "$root: $!\n";
  my ($here, $old) = ('.', 'old');
  must('pivot_root', $here, $old);
  chdir '/';
  my $old_root = '/old';
  must('umount2', $old_root, MNT_DETACH);
  rmdir '/old';
  open($view, '<', '/proc/self/ns/mnt') or die "/proc/self/ns/mnt: $!\n";
}

# Clones the mount at `source` of the machine's view, read-only, attached to nothing yet.
sub clone_mount {
  my ($source) = @_;
  my $fd = must('open_tree', AT_FDCWD, $source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  my $attributes = pack('QQQQ', ATTR_RDONLY_NOSUID_NODEV, 0, 0, 0);
  if (sys('mount_setattr', $fd, $EMPTY, AT_EMPTY_PATH | AT_RECURSIVE, $attributes, 32) < 0) {
    my $error = "$!";
    sys('close', $fd);
    die "mount_setattr: $error\n";
  }
  return $fd;
}

# Attaches read-only copies of `source` at `target` inside a running sandbox. Between the two setns calls only system
# calls may happen: what perl would load then comes from the sandbox.
sub attach {
  my ($box, @pairs) = @_;
  my @clones;
  my $ok = eval {
    open(my $inside, '<', "/proc/$box->{init}/ns/mnt") or die "sandbox is gone\n";
    enter($outer, CLONE_NEWNS);
    while (@pairs) { my ($source, $target) = splice(@pairs, 0, 2); push @clones, [clone_mount($source), $target] }
    enter($inside, CLONE_NEWNS);
    must('move_mount', $_->[0], $EMPTY, AT_FDCWD, $_->[1], MOVE_MOUNT_F_EMPTY_PATH) for @clones;
    1;
  };
  my $error = $ok ? '' : reason();
  sys('setns', fileno $view, CLONE_NEWNS) == 0 or POSIX::_exit(70);
  sys('close', $_->[0]) for @clones;
  return $error;
}

# ---- starting --------------------------------------------------------------------------------------------------

# Keys of S: mkdir (cgroup folder), write (path=value), procs (cgroup.procs to join), kill and thaw (path=value), stat
# (file reported at the end), uid, net (id of N), mount (source, shown to bubblewrap as /mounts/0, /mounts/1, …), args
# (hex, NUL-separated options of bubblewrap), tmp (MiB of an ext4 image to show at /mounts/tmp), program (bubblewrap's path), cmd (repeated). Where cgroups cannot: nproc and
# data (rlimits that A sets) and rss (bytes that the watchdog allows).
sub start {
  my ($id, @fields) = @_;
  my %box = (id => $id, map { $_ => [] } qw(mkdir write procs kill thaw stat mount cmd));
  for (@fields) { my ($key, $value) = /^(\w+)=(.*)$/s or next; ref $box{$key} ? push(@{ $box{$key} }, $value) : ($box{$key} = $value) }
  $boxes{$id} = \%box;
  eval {
    for my $path (@{ $box{mkdir} }) { mkdir($path, 0755) or die "$path: $!\n" }
    for (@{ $box{write} }) { my ($path, $value) = /^(.*)=(.*)$/; write_file($path, $value) }
    my $name = 'progress';
    my $fd = must('memfd_create', $name, MFD_CLOEXEC_SEALING);
    open($box{page}, '+<&=', $fd) or die "progress page: $!\n";
    must('ftruncate', $fd, 4096);
    must('fcntl', $fd, F_ADD_SEALS, SEALS);
    pipe($box{info}, my $info) or die "pipe: $!\n";
    # bubblewrap takes one byte from the gate when all mounts are made, and closes it: we then see the end of a stream.
    # If it dies before, the byte is still there, and we see a connection reset.
    socketpair($box{gate}, my $gate, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die "socketpair: $!\n";
    syswrite($box{gate}, '1') or die "socketpair: $!\n";
    defined(my $pid = fork()) or die "fork: $!\n";
    if ($pid == 0) {
      my $say = sys('fcntl', fileno $info, F_DUPFD_CLOEXEC, 64); # the low descriptors get new meanings
      eval { become_sandbox(\%box, $say, $gate) };
      my $text = '!' . reason();
      POSIX::write($say, $text, length $text);
      POSIX::_exit(126);
    }
    $box{outer} = $pid;
    $by_pid{$pid} = $id;
    1;
  } or do {
    $box{failed} = reason();
    finish(\%box);
  };
}

sub connect_back {
  my ($id, $kind) = @_;
  socket(my $socket, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
  connect($socket, pack_sockaddr_un('/control/socket')) or die "connect: $!\n";
  syswrite($socket, pack('A63 A1', $id, $kind)) == 64 or die "hello: $!\n";
  return $socket;
}

sub memory_file {
  my ($name, $content) = @_;
  open(my $file, '+<&=', must('memfd_create', $name, MFD_CLOEXEC_SEALING)) or die "$name: $!\n";
  syswrite($file, $content) == length $content or die "$name: $!\n";
  sysseek($file, 0, 0);
  return $file;
}

sub limit {
  my ($which, $value) = @_;
  my $now = "\0" x 16;
  must('prlimit64', 0, $which, 0, $now);
  my $hard = (unpack('QQ', $now))[1];
  my $wanted = $value < $hard ? $value : $hard;
  my $new = pack('QQ', $wanted, $wanted);
  must('prlimit64', 0, $which, $new, 0);
}

# Runs in the forked child and ends in bubblewrap.
sub become_sandbox {
  my ($box, $info, $gate) = @_;
  POSIX::sigprocmask(POSIX::SIG_SETMASK(), POSIX::SigSet->new());
  $SIG{PIPE} = 'DEFAULT';
  write_file($_, '0') for @{ $box->{procs} };
  enter($nets{ $box->{net} } // die("no such network\n"), CLONE_NEWNET) if defined $box->{net};
  mount_sources($box);
  my @files = (
    [0, open_or_die('/dev/null')], [1, connect_back($box->{id}, 'o')], [3, connect_back($box->{id}, 'c')],
    [4, $box->{page}], [6, memory_file('args', pack('H*', $box->{args}))], [7, open_or_die('/seccomp')],
    [8, $gate]
  );
  my @high = ([5, $info], map { [$_->[0], must('fcntl', fileno $_->[1], F_DUPFD_CLOEXEC, 64)] } @files);
  for (@high, [2, $high[2][1]]) { POSIX::dup2($_->[1], $_->[0]) // die "dup2: $!\n" }
  limit(RLIMIT_CORE, 1); # not 0: a piped core_pattern ignores 0 but not 1
  limit(RLIMIT_NOFILE, 1024);
  if (my $uid = 0 + ($box->{uid} // 0)) {
    must('setgroups', 0, 0);
    must('setresgid', $uid, $uid, $uid);
    must('setresuid', $uid, $uid, $uid);
  }
  must('prctl', PR_SET_PDEATHSIG, 9, 0, 0, 0);
  getppid() == $box->{parent} or POSIX::_exit(127);
  %ENV = ();
  { no warnings 'exec'; exec { $box->{program} } 'bwrap', '--args', '6', '--info-fd', '5', '--block-fd', '8', '--', @{ $box->{cmd} } }
  die "exec $box->{program}: $!\n";
}

sub open_or_die { my ($path) = @_; open(my $file, '<', $path) or die "$path: $!\n"; return $file }

# Shows each source at /mounts/<n>, in a mount namespace that only this sandbox's bubblewrap has.
sub mount_sources {
  my ($box) = @_;
  my @sources = @{ $box->{mount} };
  return unless @sources || $box->{tmp};
  enter($outer, CLONE_NEWNS);
  my @clones = map { my $source = $_; eval { [clone_mount($source), -d $source] } or die "$source: $@" } @sources;
  enter($view, CLONE_NEWNS);
  must('unshare', CLONE_NEWNS);
  my ($tmpfs, $where, $options) = ('tmpfs', '/mounts', 'mode=0755,size=64k');
  must('mount', $tmpfs, $where, $tmpfs, MS_NOSUID | MS_NODEV, $options);
  for my $n (0 .. $#clones) {
    my ($fd, $is_folder) = @{ $clones[$n] };
    my $target = "/mounts/$n";
    $is_folder ? mkdir($target, 0755) : write_file($target, '', O_CREAT);
    must('move_mount', $fd, $EMPTY, AT_FDCWD, $target, MOVE_MOUNT_F_EMPTY_PATH);
  }
  mount_tmp($box->{id}, $box->{tmp}) if $box->{tmp};
}

# ---- /tmp on disk ----------------------------------------------------------------------------------------------

# A file system of its own for one sandbox, from an image in the pool that has no name any more: it goes when the
# sandbox's mount namespace goes. The pool is a file system of fixed size, so all sandboxes together fill no more. Images
# take room as they are written; when little is left, new sandboxes get memory instead, so that nobody's writes are lost.
sub mount_tmp {
  my ($id, $mib) = @_;
  mkdir '/mounts/tmp', 0755;
  if (pool_free() < POOL_SPARE * ($mib << 20)) {
    my ($tmpfs, $where, $options) = ('tmpfs', '/mounts/tmp', "mode=1777,size=${mib}m");
    must('mount', $tmpfs, $where, $tmpfs, MS_NOSUID | MS_NODEV, $options);
    return;
  }
  my $template = tmp_template($mib);
  my $path = "/pool/$id";
  open(my $from, '<', $template) or die "$template: $!\n";
  sysopen(my $image, $path, O_RDWR | O_CREAT | O_EXCL, 0600) or die "$path: $!\n";
  unlink $path;
  copy_sparse($from, $image);
  loop_mount($image, '/mounts/tmp');
  rmdir '/mounts/tmp/lost+found';
  chmod 01777, '/mounts/tmp' or die "/mounts/tmp: $!\n";
}

sub pool_free {
  my ($path, $stats) = ('/pool', "\0" x 120);
  must('statfs', $path, $stats);
  my ($block, $available) = (unpack('q5', $stats))[1, 4];
  return $block * $available;
}

# An empty file system with room for `mib`, made once. On top comes what ext4 keeps for itself: inode tables, bitmaps, and
# the 2 % that the kernel holds back.
sub tmp_template {
  my ($mib) = @_;
  my $path = "/pool/empty-$mib";
  return $path if -e $path;
  my $inodes = $mib * 64 > 65536 ? 65536 : $mib * 64;
  my $making = "$path.$$";
  write_file($making, '', O_CREAT);
  truncate($making, int(($mib << 20) * 1.025) + (256 << 10) + $inodes * 256) or die "$making: $!\n";
  make_ext4($making, $inodes);
  rename($making, $path) or die "$path: $!\n";
  return $path;
}

sub make_ext4 {
  my ($path, $inodes) = @_;
  defined(my $pid = fork()) or die "fork: $!\n";
  if ($pid == 0) {
    local %ENV = ();
    open(STDOUT, '>', '/dev/null');
    open(STDERR, '>', '/dev/null');
    my @options = ('-q', '-F', '-O', '^has_journal,^resize_inode,^metadata_csum', '-m', '0', '-N', $inodes, '-b', '4096', '-E', 'lazy_itable_init=1,nodiscard');
    { no warnings 'exec'; exec { $_ } 'mkfs.ext4', @options, $path for qw(/usr/sbin/mkfs.ext4 /sbin/mkfs.ext4) }
    POSIX::_exit(127);
  }
  waitpid($pid, 0);
  $? == 0 or die 'mkfs.ext4 ' . ($? >> 8 == 127 ? "is not installed\n" : 'ended with status ' . ($? >> 8) . "\n");
}

sub copy_sparse {
  my ($from, $to) = @_;
  my $size = -s $from;
  my $at = 0;
  while (defined(my $data = sysseek($from, $at, SEEK_DATA))) {
    my $end = sysseek($from, $data, SEEK_HOLE) // $size;
    $at = 0 + $data;
    while ($at < $end) {
      sysseek($from, $at, SEEK_SET);
      my $n = sysread($from, my $bytes, $end - $at > 1 << 20 ? 1 << 20 : $end - $at) or die "short image\n";
      sysseek($to, $at, SEEK_SET);
      syswrite($to, $bytes) == $n or die "/pool: $!\n";
      $at += $n;
    }
  }
  truncate($to, $size) or die "/pool: $!\n";
}

# Mounts an image through a loop device that frees itself with the last mount.
sub loop_mount {
  my ($image, $target) = @_;
  sysopen(my $control, '/dev/loop-control', O_RDWR) or die "/dev/loop-control: $!\n";
  for (1 .. 64) {
    defined(my $n = ioctl($control, LOOP_CTL_GET_FREE, 0)) or die "a free loop device: $!\n";
    my $device = '/dev/loop' . (0 + $n);
    sysopen(my $loop, $device, O_RDWR) or die "$device: $!\n";
    my $config = pack('LL Q5 L4 a160 Q2 Q8', fileno $image, (0) x 9, LO_AUTOCLEAR_DIRECT_IO, '', (0) x 10);
    if (!defined ioctl($loop, LOOP_CONFIGURE, $config)) {
      next if $! == EBUSY; # somebody was faster
      die "$device: $!\n";
    }
    my ($type, $options) = ('ext4', 'noinit_itable');
    must('mount', $device, $target, $type, MS_NOSUID | MS_NODEV, $options);
    return;
  }
  die "no free loop device\n";
}

sub mount_pool {
  my ($seq, $path) = @_;
  my $ok = eval {
    enter($outer, CLONE_NEWNS);
    sysopen(my $image, $path, O_RDWR) or die "$path: $!\n";
    enter($view, CLONE_NEWNS);
    loop_mount($image, '/pool');
    chmod 0700, '/pool' or die "/pool: $!\n";
    1;
  };
  my $error = $ok ? '' : reason();
  sys('setns', fileno $view, CLONE_NEWNS) == 0 or POSIX::_exit(70);
  answer('R', $seq, $error);
}

# ---- the door --------------------------------------------------------------------------------------------------

# A listening socket inside a sandbox that the client accepts from: by the socket alone it knows who speaks. Sent the way
# Node's own processes hand descriptors to each other; its acknowledgement is of no use here.
sub open_door {
  my ($seq, $id, $port) = @_;
  my $box = $boxes{$id};
  return answer('R', $seq, 'sandbox is gone') unless $box && $box->{init};
  my $listener;
  my $ok = eval {
    open(my $inside, '<', "/proc/$box->{init}/ns/net") or die "sandbox is gone\n";
    (stat $inside)[1] != (stat $host_net)[1] or die "sandbox has no network of its own\n";
    enter($inside, CLONE_NEWNET);
    $listener = eval { listen_on($port) };
    my $error = $@;
    sys('setns', fileno $host_net, CLONE_NEWNET) == 0 or POSIX::_exit(70);
    die $error unless $listener;
    hand_over($listener, $seq);
    1;
  };
  answer('R', $seq, reason()) unless $ok;
}

sub listen_on {
  my ($port) = @_;
  socket(my $socket, AF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
  setsockopt($socket, SOL_SOCKET, $_->[0], pack('l', $_->[1])) or die "setsockopt: $!\n"
    for [SO_REUSEADDR, 1], [SO_RCVBUF, DOOR_BUFFER_BYTES], [SO_SNDBUF, DOOR_BUFFER_BYTES];
  bind($socket, pack_sockaddr_in($port, INADDR_LOOPBACK)) or die "bind: $!\n";
  listen($socket, DOOR_BACKLOG) or die "listen: $!\n";
  return $socket;
}

sub hand_over {
  my ($socket, $seq) = @_;
  my $text = qq({"cmd":"NODE_HANDLE","type":"net.Native","msg":"$seq"}\n);
  my $piece = pack('PQ', $text, length $text);
  my $rights = pack('QllLx4', 20, SOL_SOCKET, SCM_RIGHTS, fileno $socket);
  my $message = pack('QLx4PQPQlx4', 0, 0, $piece, 1, $rights, length $rights, 0);
  must('sendmsg', HANDLES, $message, 0) == length $text or die "sendmsg: cut short\n";
}

# ---- ending ----------------------------------------------------------------------------------------------------

sub kill_box {
  my ($box) = @_;
  for (@{ $box->{thaw} }, @{ $box->{kill} }) { my ($path, $value) = /^(.*)=(.*)$/; eval { write_file($path, $value) } }
  # The end of a pid namespace's first process is the end of all its processes.
  kill 'KILL', $box->{init} if $box->{init};
  kill 'KILL', $box->{outer} if $box->{outer} && !defined $box->{status};
}

# bubblewrap has ended; its sandbox may still be dying. Reports once nothing is left.
sub finish {
  my ($box) = @_;
  kill_box($box) unless $box->{swept}++;
  $box->{since} //= time;
  # As a subreaper we inherit the sandbox's first process if bubblewrap died before it: its pid is then ours to reap.
  if ($box->{init} && kill(0, $box->{init})) { $settling{ $box->{id} } = 1; return }
  delete $box->{init};
  $box->{stats} //= [map { read_line($_) } @{ $box->{stat} }];
  for my $path (reverse @{ $box->{mkdir} }) {
    next if rmdir($path) || $! == ENOENT;
    if (time - $box->{since} < 10) { kill_box($box); $settling{ $box->{id} } = 1; return }
  }
  my $progress = 0;
  if ($box->{page}) { sysseek($box->{page}, 0, 0); $progress = unpack('Q<', $box->{bytes}) if (sysread($box->{page}, $box->{bytes}, 8) // 0) == 8 }
  delete $boxes{ $box->{id} };
  delete $settling{ $box->{id} };
  delete $nets{ $box->{net} } if defined $box->{net};
  answer('E', $box->{id}, $box->{failed}) if defined $box->{failed};
  answer('X', $box->{id}, $box->{status} // 0, $progress, $box->{over} // 0, $box->{peak} // '', $box->{cpu} // '', @{ $box->{stats} });
}

sub reap {
  while ((my $pid = waitpid(-1, POSIX::WNOHANG())) > 0) {
    my $status = $?;
    my $id = delete $by_pid{$pid} // next;
    my $box = $boxes{$id} // next;
    if ($pid == $box->{outer}) { $box->{status} = $status; read_info($box) if $box->{info}; read_gate($box) if $box->{gate} }
    finish($box) if defined $box->{status};
  }
}

# bubblewrap's --info-fd must be read to its end, or bubblewrap dies of the closed pipe.
sub read_info {
  my ($box) = @_;
  my $n = sysread($box->{info}, $box->{said}, 4096, length($box->{said} //= ''));
  return if $n || (!defined $n && $! == EINTR);
  close delete $box->{info};
  if ($box->{said} =~ /^!(.*)/s) { $box->{failed} = $1; $box->{failed} =~ tr/\n\t/ / }
  elsif ($box->{said} =~ /"child-pid": (\d+)/) {
    $box->{init} = $1;
    $by_pid{$1} = $box->{id};
    $box->{ready} ? answer('P', $box->{id}, $1) : 0;
  }
}

sub read_gate {
  my ($box) = @_;
  my $n = sysread($box->{gate}, my $nothing, 1);
  return if !defined $n && $! == EINTR;
  close delete $box->{gate};
  return unless defined $n;
  $box->{ready} = 1;
  answer('P', $box->{id}, $box->{init}) if $box->{init};
}

# Without cgroups nothing else bounds the memory of a whole tree, or counts its CPU time: adds up what is not shared, and
# the times of processes and of those that they have waited for (ms), per pid namespace.
sub watch_memory {
  my %limit;
  for my $box (values %boxes) {
    next unless $box->{rss} && $box->{init} && defined(my $space = readlink "/proc/$box->{init}/ns/pid");
    $limit{$space} = $box;
  }
  return unless %limit;
  my (%used, %cpu);
  opendir(my $proc, '/proc') or return;
  for my $pid (grep { /^\d+$/ } readdir $proc) {
    my $space = readlink "/proc/$pid/ns/pid";
    next unless defined $space && $limit{$space};
    my ($resident, $shared) = read_line("/proc/$pid/statm") =~ /^\d+ (\d+) (\d+)/ or next;
    $used{$space} += ($resident - $shared) * 4096;
    # The name, in parentheses, may hold anything; user and system time are the 12th and 13th fields after it.
    my @times = (split ' ', read_line("/proc/$pid/stat") =~ s/^.*\)//sr)[11 .. 14];
    $cpu{$space} += ($_ // 0) * 1000 / CLOCK_TICKS for @times;
  }
  for my $space (keys %used) {
    my $box = $limit{$space};
    $box->{peak} = $used{$space} if $used{$space} > ($box->{peak} // 0);
    $box->{cpu} = int $cpu{$space} if ($cpu{$space} // 0) > ($box->{cpu} // 0);
    if ($used{$space} > $box->{rss}) { $box->{over}++; kill_box($box) }
  }
}

# Sets the rlimits that stand in for cgroups. Not at the start: there bubblewrap itself would be counted with all of this
# user's processes; in the sandbox's own user namespace only its processes count.
sub confine {
  my ($box) = @_;
  my $space = readlink "/proc/$box->{init}/ns/pid" or die "sandbox is gone\n";
  opendir(my $proc, '/proc') or die "/proc: $!\n";
  for my $pid (map { /^(\d+)$/ ? $1 : () } readdir $proc) {
    next unless (readlink("/proc/$pid/ns/pid") // '') eq $space;
    must('prlimit64', $pid + 0, RLIMIT_DATA, pack('QQ', ($box->{data}) x 2), 0) if $box->{data};
    must('prlimit64', $pid + 0, RLIMIT_NPROC, pack('QQ', ($box->{nproc}) x 2), 0) if $box->{nproc};
  }
}

# ---- network ---------------------------------------------------------------------------------------------------

# A network namespace with no name: the kernel removes it, and its veth pair, with its last user. The helper makes it,
# runs `ip` once inside and once on the machine, and stays until we hold a descriptor of it.
sub make_net {
  my ($seq, $id, $inside, $outside) = @_;
  pipe(my $said, my $say) or return answer('R', $seq, "pipe: $!");
  pipe(my $wait, my $release) or return answer('R', $seq, "pipe: $!");
  defined(my $pid = fork()) or return answer('R', $seq, "fork: $!");
  if ($pid == 0) {
    POSIX::sigprocmask(POSIX::SIG_SETMASK(), POSIX::SigSet->new());
    close $release;
    must('prctl', PR_SET_PDEATHSIG, 9, 0, 0, 0);
    my $ok = eval {
      must('unshare', CLONE_NEWNET);
      run_ip($inside);
      open(my $new, '<', '/proc/self/ns/net') or die "ns/net: $!\n";
      enter($host_net, CLONE_NEWNET);
      run_ip($outside);
      enter($new, CLONE_NEWNET);
      1;
    };
    syswrite($say, $ok ? 'ok' : reason());
    close $say;
    sysread($wait, my $byte, 1);
    POSIX::_exit(0);
  }
  $net_jobs{ fileno $said } = { pid => $pid, said => $said, release => $release, seq => $seq, id => $id, text => '' };
}

sub run_ip {
  my ($script) = @_;
  my $input = memory_file('ip', pack('H*', $script));
  defined(my $pid = fork()) or die "fork: $!\n";
  if ($pid == 0) {
    POSIX::dup2(fileno $input, 0);
    open(STDOUT, '>', '/dev/null');
    open(STDERR, '>', '/dev/null');
    { no warnings 'exec'; exec { $_ } 'ip', '-batch', '-' for qw(/usr/sbin/ip /usr/bin/ip /sbin/ip /bin/ip) }
    POSIX::_exit(127);
  }
  waitpid($pid, 0);
  $? == 0 or die "ip -batch ended with status " . ($? >> 8) . "\n";
}

sub net_made {
  my ($job) = @_;
  my $n = sysread($job->{said}, $job->{text}, 256, length $job->{text});
  return if $n;
  delete $net_jobs{ fileno $job->{said} };
  my $error = $job->{text} eq 'ok' ? '' : $job->{text} || 'no answer';
  if (!$error) { open($nets{ $job->{id} }, '<', "/proc/$job->{pid}/ns/net") or $error = "ns/net: $!" }
  close $job->{release};
  delete $nets{ $job->{id} } if $error;
  answer('R', $job->{seq}, $error);
}

sub forget_net {
  my ($id, $outside) = @_;
  delete $nets{$id};
  defined(my $pid = fork()) or return;
  return if $pid;
  POSIX::sigprocmask(POSIX::SIG_SETMASK(), POSIX::SigSet->new());
  eval { run_ip($outside) };
  POSIX::_exit(0);
}

# ---- the loop --------------------------------------------------------------------------------------------------

my %COMMANDS = (
  I => sub { my $ok = eval { initialize(@_); 1 }; answer('I', $ok ? '0' : reason()); exit 1 unless $ok },
  D => sub { eval { make_folder($_[0]) } },
  F => sub { eval { write_file($_[0], pack('H*', $_[1] // ''), O_CREAT | O_TRUNC) } },
  Y => sub { symlink $_[1], $_[0] },
  S => sub { start(@_, "parent=$$") },
  A => sub {
    my ($seq, $id, $count, @rest) = @_;
    my $box = $boxes{$id};
    return answer('R', $seq, 'sandbox is gone') unless $box && $box->{init};
    my @writes = splice(@rest, 0, 2 * $count);
    my $ok = eval {
      while (@writes) { write_file(splice(@writes, 0, 2)) }
      confine($box) if $box->{data} || $box->{nproc};
      1;
    };
    answer('R', $seq, !$ok ? reason() : @rest ? attach($box, @rest) : '');
  },
  W => sub { my @writes = @_; while (@writes) { my ($path, $value) = splice(@writes, 0, 2); eval { write_file($path, $value) } } },
  Q => sub { answer('V', $_[0], $_[1] =~ /^(box|cpu):(.*)/ ? $boxes{$2}{ $1 eq 'cpu' ? 'cpu' : 'peak' } // '' : read_line($_[1])) },
  K => sub { my $box = $boxes{ $_[0] } or return; kill_box($box) },
  N => \&make_net,
  U => \&forget_net,
  T => \&mount_pool,
  L => \&open_door
);

# The server is gone: so is every sandbox, and then we are.
sub leave {
  $leaving = 1;
  kill_box($_) for values %boxes;
  my $deadline = time + 2;
  while (%boxes && time <= $deadline) { reap(); finish($_) for grep { defined $_->{status} } values %boxes; select(undef, undef, undef, 0.002) }
  # The kept cgroups are empty now; here they are mount points, there they are not.
  if (@kept && sys('setns', fileno $outer, CLONE_NEWNS) == 0) { rmdir $_ for @kept }
  exit 0;
}

%ENV = (PATH => '/usr/sbin:/usr/bin:/sbin:/bin');
chdir '/';
umask 0022;
must('close_range', 3, 0xffffffff, CLOSE_RANGE_CLOEXEC); # whatever the server's own parent left open
$SIG{PIPE} = 'IGNORE';
$0 = 'hearth-launch';
must('prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
POSIX::sigprocmask(POSIX::SIG_BLOCK(), POSIX::SigSet->new(SIGCHLD));
my $mask = pack('Q', 1 << (SIGCHLD - 1));
open($signals, '<&=', must('signalfd4', -1, $mask, 8, SFD_CLOEXEC_NONBLOCK)) or die "signalfd: $!\n";

open(my $handles, '+<&=', HANDLES) or die "no channel for descriptors: $!\n";

my $input = '';
while (1) {
  my $wanted = '';
  my %info = map { fileno($_->{info}) => $_ } grep { $_->{info} } values %boxes;
  my %gate = map { fileno($_->{gate}) => $_ } grep { $_->{gate} } values %boxes;
  vec($wanted, $_, 1) = 1 for 0, HANDLES, fileno $signals, keys %info, keys %gate, keys %net_jobs;
  my $watching = grep { $_->{rss} } values %boxes;
  my $ready = select(my $readable = $wanted, undef, undef, %settling ? 0.002 : $watching ? WATCH_MS / 1000 : undef);
  if ($ready > 0 && vec($readable, fileno $signals, 1)) { sysread($signals, my $drop, 4096) }
  for my $fd (keys %info) { read_info($info{$fd}) if $ready > 0 && vec($readable, $fd, 1) && $info{$fd}{info} }
  for my $fd (keys %gate) { read_gate($gate{$fd}) if $ready > 0 && vec($readable, $fd, 1) }
  reap();
  for my $fd (keys %net_jobs) { net_made($net_jobs{$fd}) if $ready > 0 && vec($readable, $fd, 1) }
  finish($_) for grep { defined } map { $boxes{$_} } keys %settling;
  if ($watching && now_ms() >= $next_watch) { watch_memory(); $next_watch = now_ms() + WATCH_MS }
  if ($ready > 0 && vec($readable, HANDLES, 1)) { sysread($handles, my $drop, 4096) or leave() }
  next unless $ready > 0 && vec($readable, 0, 1);
  sysread(STDIN, $input, 1 << 16, length $input) or leave();
  while ($input =~ s/^([^\n]*)\n//) {
    my ($name, @fields) = split /\t/, $1, -1;
    my $command = $COMMANDS{$name} or next;
    $command->(@fields);
  }
}
