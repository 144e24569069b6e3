#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# rulec deploy, rollback, releases: what current.r307 leads to is always a whole, good file.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Rulec qw(rulec compiled run_in folder rulec_path read_bytes write_bytes);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $folder = folder();
sub id_of { (rulec('info', shift))[1] =~ /^id +([0-9a-f]{32})$/m; return $1 }
sub current { return -e "$folder/$_[0]/current.r307" ? id_of("$_[0]/current.r307") : 'none' }
sub history { return map { [(split ' ')[1, 2, 3]] } split /\n/, -e "$folder/$_[0]/history" ? read_bytes("$folder/$_[0]/history") : '' }
sub names { opendir(my $d, "$folder/$_[0]") or return (); return sort grep { !/^\.\.?$/ } readdir $d }

my (%file, %id);
for my $name (qw(a b c d)) {
    $file{$name} = compiled($name, join '', map { "/$name/$_ -> /to/$_\n" } 1 .. ($name eq 'd' ? 7 : 10));
    $id{$name} = id_of($file{$name});
}
sub deploys {
    my ($dir, $name, @options) = @_;
    my ($status, $said) = rulec('deploy', @options, $file{$name}, $dir);
    is($status, 0, "$name is deployed into $dir") or diag($said);
    is(current($dir), $id{$name}, '... and current');
    return $said;
}

# ---- a first release, a second one, and back ----
my ($status, $said) = rulec('releases', 'site');
is($status, 3, 'releases of a folder that is not there: exit status 3');
like($said, qr/^rulec releases: site: No such file/, '... with the reason');
is((rulec('rollback', 'site'))[0], 3, 'rollback likewise');
ok(!-e "$folder/site", '... and neither makes it');
$said = deploys('site', 'a');
is($said, "$id{a} is current: 10 rules\n", 'it says what is current');
is(read_bytes("$folder/site/current.r307"), read_bytes("$folder/$file{a}"), 'the very bytes');
is_deeply([names('site')], [qw(current.r307 history releases)], 'nothing else is in the folder');
is_deeply([names('site/releases')], ["$id{a}.r307"], 'the release is kept by its id');
is((stat "$folder/site/releases/$id{a}.r307")[2] & 0222, 0, '... and read-only');
($status, $said) = rulec('rollback', 'site');
is($status, 2, 'no way back from the first release: exit status 2');
like($said, qr/there is no release before the current one/, '... and it is said');

my $inode = (stat "$folder/site/current.r307")[1];
is(deploys('site', 'b'), "$id{b} is current: 10 rules; it was $id{a}: 10 rules\n", 'it says what was current');
isnt((stat "$folder/site/current.r307")[1], $inode, 'the old file is not written over: it is another one');
my @before = history('site');
is(deploys('site', 'b'), "$id{b} is current already: 10 rules\n", 'the same one again changes nothing');
is_deeply([history('site')], \@before, '... nor the history');
deploys('site', 'c');
is((rulec('releases', 'site'))[1] =~ s/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/TIME/gr =~ s/ +/ /gr,
    " ID RULES BYTES CURRENT SINCE\n* $id{c} 10 " . (-s "$folder/$file{c}") . " TIME current\n $id{b} 10 " . (-s "$folder/$file{b}")
    . " TIME previous\n $id{a} 10 " . (-s "$folder/$file{a}") . " TIME\n", 'releases: the last first');
like((rulec('releases', '--json', 'site'))[1], qr/"id": "$id{c}".*"current": true.*"id": "$id{b}".*"previous": true/s, 'releases --json');

($status, $said) = rulec('rollback', 'site');
is("$status $said", "0 $id{b} is current again: 10 rules; it was $id{c}: 10 rules\n", 'rollback: one back');
is(current('site'), $id{b}, '... it is current');
is((rulec('rollback', 'site'))[0], 0, 'rollback again');
is(current('site'), $id{a}, '... goes further back');
is((rulec('rollback', 'site'))[0], 2, 'until there is nothing before');
is(current('site'), $id{a}, '... which changes nothing');
is((rulec('rollback', 'site', substr $id{c}, 0, 7))[0], 0, 'rollback to a named release, by the start of its id');
is(current('site'), $id{c}, '... it is current');
is((rulec('rollback', 'site'))[0], 0, 'and back from there');
is(current('site'), $id{a}, '... to where one was');
is_deeply([history('site')], [['deploy', $id{a}, 10], ['deploy', $id{b}, 10], ['deploy', $id{c}, 10], ['rollback', $id{b}, 10],
    ['rollback', $id{a}, 10], ['rollback', $id{c}, 10], ['rollback', $id{a}, 10]], 'the history tells all of it');
($status, $said) = rulec('rollback', 'site', 'ffffffffffffffffffffffffffffffff');
is($status, 2, 'a release that is not there: exit status 2');
like($said, qr/no release starts with "f{32}"; there are:.*\n  $id{a}/s, '... and what there is');
($status, $said) = rulec('rollback', 'site', '');
is($status, 2, 'an empty id');
{
    # Ids are hashes: whether two start alike is chance, so one is made.
    my $twin = substr($id{a}, 0, 4) . ('0' x 28);
    write_bytes("$folder/site/releases/$twin.r307", 'not looked at');
    ($status, $said) = rulec('rollback', 'site', substr $id{a}, 0, 4);
    is($status, 2, 'a start that two releases share: exit status 2');
    like($said, qr/more than one release starts with/, '... and it is said');
    unlink "$folder/site/releases/$twin.r307";
}

# ---- what is refused ----
sub refused {
    my ($name, $wanted, $says, @words) = @_;
    my $before = current('site');
    my @history = history('site');
    my ($exit, $output) = rulec(@words);
    is($exit, $wanted, "$name: exit status $wanted");
    like($output, $says, "$name: the reason");
    is(current('site'), $before, "$name: the old release stays");
    is_deeply([history('site')], \@history, "$name: the history stays");
}
my $bytes = read_bytes("$folder/$file{b}");
write_bytes("$folder/cut.r307", substr $bytes, 0, -1);
refused('a damaged file', 1, qr/cut\.r307: .*cut off/, 'deploy', 'cut.r307', 'site');
refused('rules', 2, qr/"a\.redir" is a rules source.*\nhelp: make it with "rulec compile"/, 'deploy', 'a.redir', 'site');
refused('a missing file', 3, qr/No such file/, 'deploy', 'nothing.r307', 'site');
refused('a file in the place of the folder', 3, qr/a\.r307: is no folder/, 'deploy', $file{b}, 'a.r307');
refused('a folder below none', 3, qr/no\/such: No such file/, 'deploy', $file{b}, 'no/such');
refused('a share that is none', 2, qr/from 0% to 100%, not "many"/, 'deploy', '--max-loss', 'many', $file{b}, 'site');
refused('a share above all', 2, qr/from 0% to 100%/, 'deploy', '--max-loss', '101%', $file{b}, 'site');
refused('too great a loss', 1, qr/d\.r307 has 7 rules, the current release 10: 30\.0% are lost, more than 20%\nhelp: /,
    'deploy', '--max-loss', '20%', $file{d}, 'site');
refused('any loss', 1, qr/30\.0% are lost/, 'deploy', '--max-loss=0', $file{d}, 'site');
deploys('site', 'd', '--max-loss', '30%');
deploys('site', 'a', '--max-loss', '0%');
deploys('first', 'd', '--max-loss', '0%');
pass('a first release cannot lose anything');

# A release that was damaged in its place is not rolled back to, and mended by deploying it again.
my $kept = "$folder/site/releases/$id{b}.r307";
chmod 0644, $kept;
write_bytes($kept, substr($bytes, 0, 4096) . "\xff" . substr($bytes, 4097));
refused('a damaged release', 1, qr/releases\/$id{b}\.r307: .*damaged/, 'rollback', 'site', $id{b});
deploys('site', 'b');
is(read_bytes($kept), $bytes, 'deploying it again mends it');
write_bytes("$folder/site/releases/$id{c}.r307.new", $bytes);
rename "$folder/site/releases/$id{c}.r307.new", "$folder/site/releases/$id{c}.r307";
refused('a release under a wrong name', 1, qr/another rule file than its name says/, 'rollback', 'site', $id{c});

# current.r307 damaged by somebody: told, not compared with, and replaced.
unlink "$folder/site/current.r307";
write_bytes("$folder/site/current.r307", 'oops');
($status, $said) = rulec('releases', 'site');
is($status, 1, 'releases: a damaged current file is a mistake') or diag($said);
like($said, qr/current\.r307: /, '... that is told');
($status, $said) = rulec('deploy', '--max-loss', '5%', $file{a}, 'site');
is($status, 1, '--max-loss cannot be judged against it');
like($said, qr/cannot be told\nhelp: without --max-loss/, '... which is said');
deploys('site', 'a');
is((rulec('rollback', 'site'))[0], 0, 'and back again');
is(current('site'), $id{b}, '... to the release before');

# The releases may go: what is current stays whole.
unlink glob "$folder/site/releases/*";
is(current('site'), $id{b}, 'without its releases the current file is still there');
is((rulec('rollback', 'site'))[0], 2, 'though there is nothing to go back to');
deploys('site', 'b');
is_deeply([names('site/releases')], ["$id{b}.r307"], 'deploying it again keeps it again');

# ---- cut off in the middle ----
deploys('torn', $_) for qw(a b c);
{
    # The line of a change that never came, and half of another line.
    my $lines = read_bytes("$folder/torn/history");
    write_bytes("$folder/torn/history", $lines . "2026-01-01T00:00:00Z deploy $id{d} 7\n2026-01-01T00:00:01Z depl");
    is(current('torn'), $id{c}, 'a line before its change: what is current is what is there');
    is((rulec('rollback', 'torn'))[0], 0, '... and a roll-back');
    is(current('torn'), $id{b}, '... goes to the one before it');
    like(read_bytes("$folder/torn/history"), qr/depl\n\S+ rollback $id{b} 10\n\z/, 'a half line does not swallow the next one');
    is((rulec('rollback', 'torn'))[0], 0, 'one more');
    is(current('torn'), $id{a}, '... likewise');
}
write_bytes("$folder/torn/.current.new", 'left by a kill');
deploys('torn', 'b');
is_deeply([names('torn')], [qw(current.r307 history releases)], 'what a kill left behind is cleared away');

# Killed at any moment: current.r307 is one of both, whole.
my $large = compiled('large', join '', map { "/some/path/$_ -> /to/$_\n" } 1 .. 40000);
my $large_id = id_of($large);
my $start = time;
rulec('deploy', $large, 'timing');
my $duration = time - $start;
my %seen;
deploys('killed', 'a');
for my $try (1 .. 15) {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        chdir $folder;
        open STDOUT, '>', '/dev/null';
        exec rulec_path(), 'deploy', '-q', $large, 'killed' or POSIX::_exit(127);
    }
    sleep $duration * $try / 14;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    $seen{ current('killed') }++;
    my ($exit) = rulec('deploy', '-q', $file{a}, 'killed');
    is($exit, 0, "try $try: the next deploy goes well");
    unlink "$folder/killed/releases/$large_id.r307";
}
is_deeply([grep { $_ ne $id{a} && $_ ne $large_id } keys %seen], [], 'killed at fifteen moments: always one of both');

# Two at once: one after the other.
my @pids = map {
    my $name = $_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        chdir $folder;
        open STDOUT, '>', '/dev/null';
        exec rulec_path(), 'deploy', '-q', $file{$name}, 'both' or POSIX::_exit(127);
    }
    $pid;
} (qw(a b c d)) x 4;
my $failed = 0;
for my $pid (@pids) { waitpid $pid, 0; $failed++ if $? }
is($failed, 0, 'sixteen deploys at once: all go well');
my @history = history('both');
is(current('both'), $history[-1][1], 'the last one of the history is current');
is_deeply([names('both')], [qw(current.r307 history releases)], '... and nothing is left over');

# ---- a full disk ----
SKIP: {
    my $small = "$folder/small";
    mkdir $small;
    skip 'no small disk can be mounted here', 11 if $> || system("mount -t tmpfs -o size=260k none '$small' 2>/dev/null") != 0;
    deploys('small', 'a');
    deploys('small', 'b');
    my ($exit, $output) = rulec('deploy', $large, 'small');
    is($exit, 3, 'a full disk: exit status 3');
    like($output, qr/No space left on device/, '... with the reason');
    is(current('small'), $id{b}, '... the old release stays');
    is_deeply([names('small/releases')], [sort map { "$_.r307" } @id{qw(a b)}], '... and no part of the new one');
    # Nothing left at all, not even for a line of the history.
    open my $fill, '>', "$small/fill" or die;
    my $block = 'x' x 4096;
    1 while syswrite $fill, $block;
    close $fill;
    my $history = read_bytes("$small/history");
    ($exit, $output) = rulec('rollback', 'small');
    is($exit, 0, 'a roll-back needs no room') or diag($output);
    is(current('small'), $id{a}, '... and is made');
    unlink "$small/fill";
    system("umount '$small'") == 0 or diag("$small stays mounted");
}

# ---- where links are refused: a file of somebody else under fs.protected_hardlinks ----
SKIP: {
    my $protected = -r '/proc/sys/fs/protected_hardlinks' ? read_bytes('/proc/sys/fs/protected_hardlinks') : 0;
    skip 'only root can make the file of somebody else', 4 if $>;
    skip 'hard links are not protected here', 4 unless $protected == 1;
    chmod 0755, $folder;
    deploys('shared', $_) for qw(a b);
    chown 65534, 65534, "$folder/shared", "$folder/shared/history";
    chmod 0777, "$folder/shared";
    my ($exit, $output) = run_in($folder, rulec_path(), 'rollback', 'shared', { user => 65534 });
    is($exit, 0, 'a roll-back by somebody who does not own the release') or diag($output);
    is(readlink "$folder/shared/current.r307", "releases/$id{a}.r307", '... by a relative symbolic link');
    is(current('shared'), $id{a}, '... which leads to it');
    ($exit, $output) = rulec('rollback', 'shared', $id{b});
    ok($exit eq '0' && current('shared') eq $id{b} && !-l "$folder/shared/current.r307", 'and back to a hard link');
}
done_testing();
