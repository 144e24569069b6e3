#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What befalls the rule file, on the other MPMs too: the tests of swaps, faults and restarts run on event by themselves,
# and from here on worker and prefork. They wait more than they work, so several run at once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use Redir307::Httpd;
use Test::More;

plan(skip_all => "all tests run on $ENV{REDIR307_MPM}") if $ENV{REDIR307_MPM};
alarm($ENV{REDIR307_PRELOAD} ? 1500 : 600);

# Sanitized code is slow; what a thread does there it does on event, so processes without threads are looked at.
my ($mpms, $tests) = $ENV{REDIR307_PRELOAD} ? (['prefork'], ['damage'])
    : ([qw(worker prefork)], [qw(swap heirs damage start copy counters sigbus upgrade clock)]);
my @jobs;
for my $mpm (@$mpms) {
    push @jobs, map { { mpm => $mpm, test => $_, out => folder() . "/$_-$mpm.out" } } @$tests;
}

sub start {
    my ($job) = @_;
    my $child = fork // die "fork: $!";
    if (!$child) {
        $ENV{REDIR307_MPM} = $job->{mpm};
        open STDOUT, '>', $job->{out} or POSIX::_exit(127);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(127);
        exec $^X, "$FindBin::Bin/$job->{test}.t" or POSIX::_exit(127);
    }
    return $child;
}

my (%running, @waiting);
@waiting = grep { has_module("mpm_$_->{mpm}") } @jobs;
while (@waiting || %running) {
    while (@waiting && keys %running < 6) { my $job = shift @waiting; $running{ start($job) } = $job }
    my $child = wait;
    my $job = delete $running{$child} or next;
    $job->{status} = $?;
}
for my $job (@jobs) {
    SKIP: {
        skip "no $job->{mpm} MPM", 1 if !defined $job->{status};
        my $said = read_file($job->{out});
        my $count = () = $said =~ /^ok /mg;
        my $is_skipped = $said =~ /^1\.\.0 # skip/mi;
        ok($job->{status} == 0 && ($count || $is_skipped), "$job->{test} on $job->{mpm}: " . ($is_skipped ? 'skipped' : "$count claims hold"))
            or diag($said =~ s/^ok .*\n//mgr);
    }
}
done_testing();
