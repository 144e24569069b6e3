#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The end of a child waits for what its watcher is doing, whatever signals come meanwhile: memory that the thread uses goes
# with the child.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Damage;
use Redir307::Deaths;
use Redir307::Httpd;
use Test::More;
use Time::HiRes qw(sleep time);

# So large that its load takes a while.
my $count = 500_000;
my $path = rules("/x -> /small\n");
my $small = read_file($path);
my $large = read_file(compile_rules('large', join '', map { "/old/$_ -> /new/$_\n" } 1 .. $count));

# Both ends of a child: prefork's from inside a signal handler.
for my $mpm (grep { has_module("mpm_$_") } qw(prefork event)) {
    local $ENV{REDIR307_MPM} = $mpm;
    put_bytes($path, $small);
    serve(watch => '10ms', conf => crash_trace());
    for my $round (1 .. 5) {
        put_bytes($path, $small);
        ok(reload_waits(sub { (request('GET', '/x')->field('Location') // '') eq '/small' }), "$mpm $round: a small file");
        my ($child) = children();
        my $loads = log_count(qr/R307-901.*: $count rules/);
        put_bytes($path, $large);
        my $inode = (stat $path)[1];
        my ($is_loading, $until) = (0, time + 20);
        $is_loading = read_file("/proc/$child/maps") =~ /\s$inode\s/ while !$is_loading && time < $until;
        kill 'TERM', $child;
        for (1 .. 200) { kill 'USR1', $child; sleep 0.0005 }
        ok($is_loading, "$mpm $round: the child is told to end while it loads a large file");
        ok(reload_waits(sub { log_count(qr/R307-901.*: $count rules/) > $loads }), "$mpm $round: somebody loads it");
        my @by = map { /\[pid (\d+)/ } grep { /R307-901.*: $count rules/ } split /\n/, read_file('error.log');
        is($by[$loads], $child, "$mpm $round: and that is the child");
    }
    ok(reload_waits(sub { request('GET', '/old/1')->status == 307 }), "$mpm: the next child answers");
    is(deaths(), '', "$mpm: no child ended by a signal");
    stop();
}
done_testing();
