#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What is no good rule file is refused by every command that takes one: with the reason, and with 1 where the file is
# wrong, 3 where there is nothing that could be read.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Rulec qw(rulec compiled run_in folder rulec_path read_bytes write_bytes);
use POSIX ();
use Test::More;

my $folder = folder();
my $good = read_bytes("$folder/" . compiled('good', join '', map { "/path/$_ -> /target/$_\n" } 1 .. 200));

sub with {
    my ($at, $bytes) = @_;
    my $copy = $good;
    substr($copy, $at, length $bytes) = $bytes;
    return $copy;
}

# name, exit status, what is said, the bytes (or how to make it)
my @cases = (
    ['empty', 1, qr/empty/, ''],
    ['one byte', 1, qr/cut off|no rule file/, substr $good, 0, 1],
    ['foreign', 1, qr/no rule file/, "\x7fELF" . "\0" x 5000],
    ['rules', 1, qr/no rule file; "rulec compile" makes one/, "/a -> /b\n"],
    ['header', 1, qr/cut off/, substr $good, 0, 4096],
    ['truncated', 1, qr/cut off/, substr $good, 0, int(length($good) / 2)],
    ['one byte short', 1, qr/cut off/, substr $good, 0, -1],
    ['overlong', 1, qr/longer/, $good . "\0"],
    ['newer', 1, qr/newer/, with(8, "\x02")],
    ['text mode', 1, qr/text-mode/, $good =~ s/\r\n/\n/r],
    ['missing', 3, qr/No such file/, undef],
    ['folder', 3, qr/is a directory/, sub { mkdir $_[0] or die }],
    ['FIFO', 3, qr/pipe/, sub { POSIX::mkfifo($_[0], 0644) or die }],
    ['device', 3, qr/device/, sub { symlink '/dev/zero', $_[0] or die }],
    ['dangling', 3, qr/No such file/, sub { symlink '/nowhere/at/all', $_[0] or die }],
    ['unreadable', 3, qr/Permission denied/, sub { write_bytes($_[0], $good); chmod 0000, $_[0] }],
);
# A flipped bit anywhere that is used: the header, each page.
for my $at (8, 40, 112, 150, map { 4096 * $_ } 1 .. length($good) / 4096 - 1) {
    next if $at >= 4096 && substr($good, $at, 64) eq "\0" x 64;
    push @cases, ["bit flipped at $at", 1, qr/damaged|malformed|newer|older|what no writer writes|cut off|longer/,
        with($at, substr($good, $at, 1) ^ "\x04")];
}

chmod 0755, $folder;
for my $case (@cases) {
    my ($name, $wanted, $says, $make) = @$case;
    (my $file = "$name.r307") =~ tr/ /-/;
    my %option = $name eq 'unreadable' && !$> ? (user => 65534) : ();
    ref $make ? $make->("$folder/$file") : defined $make && write_bytes("$folder/$file", $make);
    for my $words (['answer', $file, 'GET', '/path/1'], ['explain', $file, 'GET', '/path/1'], ['info', $file], ['verify', $file],
        ['dump', $file], ['deploy', $file, 'releases']) {
        local $SIG{ALRM} = sub { die "rulec hangs\n" };
        alarm 20;
        my ($status, $said) = run_in($folder, rulec_path(), @$words, \%option);
        alarm 0;
        is($status, $wanted, "$name: $words->[0]: exit status $wanted");
        like($said, qr/\Arulec $words->[0]: \Q$file\E: .*$says/, "$name: $words->[0]: the reason");
        is(scalar(split /\n/, $said), 1, "$name: $words->[0]: nothing else is printed") or diag($said);
    }
}
ok(!-e "$folder/releases", 'nothing of all that was deployed');

like((rulec('verify', 'good.r307'))[1], qr/^good\.r307: good; every record of its 200 rules was walked, id [0-9a-f]{32}$/m, 'a good file is good');
is((rulec('verify', '-q', 'good.r307'))[1], '', 'verify --quiet');
done_testing();
