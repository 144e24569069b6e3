#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The clock of a running server is set, backwards and forwards: files are watched on, a refused file is tried again,
# windows of rules follow the clock.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX qw(strftime);
use Redir307::Build;
use Redir307::Damage;
use Redir307::Httpd;
use Test::More;
use Time::HiRes qw(time);

plan(skip_all => 'a sanitizer is preloaded') if $ENV{REDIR307_PRELOAD};

my $clock = write_file('clock', "0\n");
my $preload = build_shared('set_clock.so', ["$FindBin::Bin/../lib/set_clock.c"]);
local $ENV{REDIR307_CLOCK} = $clock;
# Others than the superuser read it.
chmod 0644, $clock;

# By rename: it is read at any time.
sub set_clock { my ($seconds) = @_; put_bytes($clock, "$seconds\n"); return }

my $now = time;
sub moment { my ($days) = @_; return strftime('%Y-%m-%dT%H:%MZ', gmtime($now + 86400 * $days)) }
# One window for each day from two days ago to two days ahead, and this time is in the middle of one.
my $windows = join '', map { "/today -> /day$_ { from @{[moment($_ - 0.5)]}; until @{[moment($_ + 0.5)]} }\n" } -2 .. 2;
my $path = folder() . '/rules.r307';
my @files = map { read_file(compile_rules($_, "/x -> /$_\n$windows")) } qw(one two);
put_bytes($path, $files[0]);
{
    local $ENV{LD_PRELOAD} = $preload;
    serve(watch => '50ms', children => 2);
}

sub soon {
    my ($target, $want, $name) = @_;
    my $got = '';
    my $began = time;
    # Every child has it: eight answers in a row.
    my $row = 0;
    ok(reload_waits(sub { $got = request('GET', $target)->field('Location') // 'none'; $row = $got eq $want ? $row + 1 : 0; $row >= 8 }), $name)
        or diag("$target: $got, not $want");
    return time - $began;
}

soon('/x', '/one', 'a server with a clock');
soon('/today', '/day0', 'whose windows are open');
my $turn = 0;
for my $case ([-1, 'a day back'], [2, 'three days ahead'], [-2, 'four days back'], [0, 'to the right time']) {
    my ($days, $name) = @$case;
    my ($before, $after) = $turn++ % 2 ? @files[1, 0] : @files;
    # Refused at the time of before; the same file is good once it may be read.
    put_bytes($path, 'bad');
    ok(reload_waits(sub { log_count(qr/R307-902.*no rule file/) >= $turn }), "$name: a bad file before") or diag(log_count(qr/R307-902/));
    set_clock(86400 * $days);
    soon('/today', "/day$days", "$name: windows follow");
    soon('/x', $turn % 2 ? '/one' : '/two', "$name: the last good file stays");
    put_bytes($path, $after);
    my $took = soon('/x', $turn % 2 ? '/two' : '/one', "$name: the next good one is taken");
    cmp_ok($took, '<', 10, "$name: in no more time than else");
}
announce(qr/R307-902/);
stop();
done_testing();
