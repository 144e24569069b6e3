#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The guard over mapped rule files takes what is its own, and only that: another module's guard goes on working beside it,
# and a fault that is nobody's ends the child as it always did.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Build;
use Redir307::Damage;
use Redir307::Httpd;
use Test::More;

plan(skip_all => 'a sanitizer has handlers of its own') if $ENV{REDIR307_PRELOAD};

my $path = rules(join '', "/x -> /one\n", map { "/old/$_ -> /new/$_\n" } 1 .. 2000);
my $good = read_file($path);
my $other = build_shared('mod_other_guard.so', ["$FindBin::Bin/../lib/mod_other_guard.c"], '-O0');

# True once the child of before has gone and another one serves the good file.
sub restart_with_good_rules {
    my %old = map { $_ => 1 } children();
    put_bytes($path, $good);
    return restart() && reload_waits(sub { my @now = children(); @now == 1 && !$old{ $now[0] } });
}

# The rules are mapped and cut short; whoever asks meets a fault.
sub cut_short {
    my ($name) = @_;
    ok(restart_with_good_rules(), "$name: a restart with good rules");
    ok(reload_waits(sub { (request('GET', '/x')->field('Location') // '') eq '/one' }), "$name: they answer");
    truncate $path, 4096;
    my @children = children();
    for my $number (1 .. 5, 1990) {
        is(request('GET', "/old/$number")->status, 404, "$name: of rules that are cut off there are none");
    }
    is(join(' ', children()), join(' ', @children), "$name: the child lives");
    return;
}

# ---- beside another guard ----

serve(watch => 'off', threads => 4, conf => "LoadModule other_guard_module \"$other\"\n");
announce(qr/R307-903/);
for my $round (1, 2) {
    cut_short("round $round");
    # The next restart finds the file cut short, and makes a good one first.
    my $child = join ' ', children();
    is(request('GET', '/fault/own')->body, "byte 0, healed 1\n", "round $round: the other module heals its own fault, which came to our handler");
    is(request('GET', '/fault/own')->body, "byte 0, healed 1\n", "round $round: for good");
    is(request('GET', '/old/7')->status, 404, "round $round: and ours goes on");
    is(join(' ', children()), $child, "round $round: no child died");
}
# A fault of ours after one of theirs: our handler is still there.
ok(restart_with_good_rules(), 'good rules once more');
ok(reload_waits(sub { (request('GET', '/x')->field('Location') // '') eq '/one' }), 'answer');
my $child = join ' ', children();
is(request('GET', '/fault/own')->body, "byte 0, healed 1\n", 'first a fault of theirs');
truncate $path, 4096;
is(request('GET', '/old/1')->status, 404, 'then one of ours');
is(join(' ', children()), $child, 'still no child died');
is(log_count(qr/AH00052|exit signal/), 0, 'nor does the log say so');

announce(qr/AH00052.*Bus error/);
is(request('GET', '/fault/none')->status, 0, 'a fault that is nobody\'s has no answer');
ok(reload_waits(sub { log_count(qr/AH00052.*Bus error/) == 1 }), 'it ends the child, and httpd says so');
is(request('GET', '/index.html')->status, 200, 'the next child answers');
stop();

# ---- alone, before httpd's own handler ----

put_bytes($path, $good);
serve(watch => 'off', threads => 4);
for my $how ('a signal by kill', 'another one') {
    my ($child) = children();
    kill 'BUS', $child;
    ok(reload_waits(sub { log_count(qr/AH00052: child pid $child exit signal Bus error/) == 1 }), "$how: ends the child as without us");
    ok(reload_waits(sub { (request('GET', '/x')->field('Location') // '') eq '/one' }), "$how: the next one answers");
}
announce(qr/AH00052.*Bus error/);
stop();
done_testing();
