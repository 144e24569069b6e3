#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# rulec compile: the file it writes, what it says, and that the old file stays whenever anything is wrong.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Rulec qw(rulec rules compiled run_in folder rulec_path read_bytes write_bytes);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $folder = folder();
sub leftovers { opendir my $d, "$folder/$_[0]" or die; return grep { !/^\.\.?$/ } readdir $d }

# ---- what is written ----
rules('shop', <<'REDIR');
# the shop
site shop.example {
    /cart -> /basket permanent

    /old gone
    /p/{id:int} -> /product/{id}
    table "moved.csv"
}
expect GET https://shop.example/cart -> 308 /basket
REDIR
write_bytes("$folder/moved.csv", "from,to\n# moved in May\n/x,/y\n\n/z,/w\n");

my ($status, $said) = rulec('compile', 'shop.redir');
is($status, 0, 'good rules compile') or diag($said);
ok(-s "$folder/shop.r307", 'the rule file is named after the rules');
like($said, qr/^shop\.r307: 5 rules, 1 test holds, \d+ bytes, id [0-9a-f]{32}$/m, 'a summary with its id');
like($said, qr/^14 lines in 2 files: 3 of rules, 2 table rows, 3 comments and headings, 2 blank, 4 others$/m,
    'each line that was read is accounted for');
is((rulec('compile', '--quiet', 'shop.redir'))[1], '', '--quiet says nothing');
my $bytes = read_bytes("$folder/shop.r307");
is((rulec('compile', '-q', 'shop.redir', '-o', 'again.r307'))[0], 0, '-o');
ok($bytes eq read_bytes("$folder/again.r307"), 'the same rules give the same bytes');
my ($exit, $piped, $summary) = run_in($folder, rulec_path(), 'compile', '-o', '-', 'shop.redir', { separate => 1 });
ok($exit eq '0' && $piped eq $bytes, '-o - writes them to standard output');
like($summary, qr/^-: 5 rules/, '... and the summary to standard error');
($exit) = run_in($folder, rulec_path(), 'compile', '-q', '-o', 'in.r307', '-', { input => read_bytes("$folder/shop.redir") });
is($exit, 0, 'rules from standard input');
is((rulec('compile', '-q', '--label', 'spring', '-o', 'label.r307', 'shop.redir'))[0], 0, '--label');
ok($bytes ne read_bytes("$folder/label.r307"), 'a label is part of the content');
like((rulec('compile', '--timings', 'shop.redir'))[1], qr/^all +\d+\.\d ms\npeak memory +\d+\.\d MB$/m, '--timings');
rules('second', "/second -> /2\n");
is((rulec('compile', '-q', '-o', 'both.r307', 'shop.redir', 'second.redir'))[0], 0, 'two files are one set of rules');
is((rulec('answer', 'both.r307', 'GET', '/second'))[1], "307 /2\n", '... with the rules of both');

# ---- the command line ----
($status, $said) = rulec('compile', 'shop.redir', 'second.redir');
is($status, 2, 'two files need -o');
like($said, qr/say with -o FILE/, '... and it is said');
is((rulec('compile', '-'))[0], 2, 'standard input needs -o');
($status, $said) = rulec('compile', 'shop.redir', '-o', 'shop.redir');
is($status, 2, 'the rules are not overwritten by -o');
like($said, qr/named like a rules source/, '... and it is said');

# ---- wrong rules leave the old file ----
sub stays {
    my ($name, $wanted, @words) = @_;
    write_bytes("$folder/old.r307", 'the old file');
    my ($exit, $output) = rulec('compile', '-o', 'old.r307', @words);
    is($exit, $wanted, "$name: exit status $wanted") or diag($output);
    is(read_bytes("$folder/old.r307"), 'the old file', "$name: the old file stays");
    is_deeply([grep { /old/ && $_ ne 'old.r307' } leftovers('.')], [], "$name: nothing is left beside it");
    return $output;
}
rules('syntax', "/a -> /b oops\n/c ->\n");
like(stays('a mistake', 1, 'syntax.redir'), qr/^rulec compile: \d+ errors, 0 warnings; nothing is written$/m, 'mistakes are counted');
rules('expect', "/a -> /b\nexpect GET /a -> 308 /b\nexpect GET /x -> 307 /y\nexpect GET /a -> pass\n");
my $output = stays('a failing expect', 1, 'expect.redir');
like($output, qr/^expect\.redir:2:\d+: error: .*"308 \/b".*"307 \/b".*R307-057/m, 'a failing expect is an error at its place');
like($output, qr/^expect\.redir:1:\d+: note: by this rule/m, '... that names the rule which answered');
like($output, qr/^expect\.redir:3:\d+: error: .*"pass \(no rule answers\)"/m, '... or says that none did');
like($output, qr/^expect\.redir:4:\d+: error: .*gives "307 \/b"/m, 'an expected pass is one');
like(stays('a missing file', 3, 'missing.redir'), qr/missing\.redir: No such file/, 'a missing file is named');
mkdir "$folder/sub.redir";
like(stays('a folder', 3, 'sub.redir'), qr/sub\.redir: .*director/i, 'a folder is named');
rules('secret', "/a -> /b\n");
chmod 0000, "$folder/secret.redir";
chmod 0755, $folder;
SKIP: {
    my $user = $> ? 0 : 65534;
    ($exit, $output) = run_in($folder, rulec_path(), 'check', 'secret.redir', { user => $user });
    is($exit, 3, 'an unreadable file: exit status 3') or diag($output);
    like($output, qr/secret\.redir: Permission denied/, '... with the reason');
}
# -Werror makes a file with a warning wrong.
rules('warns', "/twice -> /b\n/twice -> /b\n");
is((rulec('compile', '-q', 'warns.redir', '-o', 'warns.r307'))[0], 0, 'a warning does not stop the compilation');
like(stays('-Werror', 1, '-Werror', 'warns.redir'), qr/R307-046/, '... but -Werror does');
is((rulec('check', '-Werror', 'warns.redir'))[0], 1, 'check -Werror');

# ---- the machine fails ----
($status, $said) = rulec('compile', 'shop.redir', '-o', 'no/such/folder.r307');
is($status, 3, 'no folder to write into: exit status 3');
like($said, qr/^rulec compile: no\/such\/folder\.r307: No such file or directory/m, '... with the reason');
mkdir "$folder/taken.r307";
($status, $said) = rulec('compile', 'shop.redir', '-o', 'taken.r307');
is($status, 3, 'a folder in the place of the rule file: exit status 3');
is_deeply([leftovers('taken.r307')], [], '... and nothing in it');
SKIP: {
    skip 'no /dev/full', 2 unless -c '/dev/full';
    my ($exit_full, undef, $error) = run_in($folder, rulec_path(), 'compile', '-q', '-o', '-', 'shop.redir', { stdout => '/dev/full' });
    is($exit_full, 3, 'standard output is full: exit status 3');
    like($error, qr/standard output: No space left on device/, '... with the reason');
}
SKIP: {
    my $small = "$folder/small";
    mkdir $small;
    skip 'no small disk can be mounted here', 6
        if $> || system("mount -t tmpfs -o size=64k none '$small' 2>/dev/null") != 0;
    write_bytes("$small/rules.r307", 'the old file');
    rules('large', join '', map { "/some/longer/path/$_ -> /another/place/$_\n" } 1 .. 5000);
    ($exit, $output) = rulec('compile', '-o', "$small/rules.r307", 'large.redir');
    is($exit, 3, 'a full disk: exit status 3');
    like($output, qr/No space left on device; the old file, if there was one, is as it was/, '... with the reason');
    is(read_bytes("$small/rules.r307"), 'the old file', '... the old file stays');
    opendir(my $d, $small) or die;
    is_deeply([grep { !/^\.\.?$/ } readdir $d], ['rules.r307'], '... and nothing is left beside it');
    closedir $d;
    is((rulec('compile', '-q', '-o', 'large.r307', 'large.redir'))[0], 0, 'elsewhere it compiles');
    is((rulec('verify', '-q', 'large.r307'))[0], 0, '... and is whole');
    system("umount '$small'") == 0 or diag("$small stays mounted");
}

# ---- killed at any moment: the old file or the new one, never a part ----
rules('many', join '', map { "/some/path/number/$_ -> /another/place/$_\n" } 1 .. 60000);
my $start = time;
is((rulec('compile', '-q', '-o', 'many.r307', 'many.redir'))[0], 0, 'a larger set compiles');
my $duration = time - $start;
my $new = read_bytes("$folder/many.r307");
write_bytes("$folder/killed.r307", 'the old file');
my ($old_count, $new_count, $half_count) = (0, 0, 0);
for my $try (1 .. 12) {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        chdir $folder;
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec rulec_path(), 'compile', '-q', '-o', 'killed.r307', 'many.redir' or POSIX::_exit(127);
    }
    sleep $duration * $try / 11;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    my $is = read_bytes("$folder/killed.r307");
    $is eq 'the old file' ? $old_count++ : $is eq $new ? $new_count++ : $half_count++;
    write_bytes("$folder/killed.r307", 'the old file');
}
is($half_count, 0, "killed at twelve moments: $old_count times the old file, $new_count times the new one, never a part");
ok($old_count > 0, '... and some of the kills came in time');
done_testing();
