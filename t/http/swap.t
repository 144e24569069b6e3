#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The rule file is swapped under a running server: whatever is good is taken, whatever is bad leaves the old rules and
# one line in the log, and no request is lost.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Damage;
use Redir307::Httpd;
use Test::More;
use Time::HiRes qw(time sleep);

my $path = folder() . '/rules.r307';
my $one = read_file(compile_rules('one', "/x -> /one\n/only-one -> /one\n"));
my $two = read_file(compile_rules('two', "/x -> /two\n/only-two -> /two\n"));
put_bytes($path, $one);
serve();

sub serves {
    my ($which, $name) = @_;
    return redirects('GET', '/x', 307, "/$which", $name);
}

# ---- what is good ----

serves('one', 'the rules that the server started with');
is(log_count(qr/R307-901.*\d+ rules answer now \(id [0-9a-f]{32}\)/), 1, 'the log names their id');
put_bytes($path, $two);
serves('two', 'another file by rename');
redirects('GET', '/only-two', 307, '/two', 'with a new rule');
leaves('GET', '/only-one', 'and without an old one');
put_bytes($path, $one);
my $long_ago = time - 86400;
utime $long_ago, $long_ago, $path;
serves('one', 'a roll-back: the file is older than the one before');
is(length $one, length $two, 'two files of one size');
put_bytes($path, $two);
utime $long_ago, $long_ago, $path;
serves('two', 'with one time are told apart');
request('GET', '/x') for 1 .. 10;
is(log_count(qr/R307-901/), 4, 'one line in the log for each file');

unlink $path;
put_bytes(folder() . '/release-1.r307', $one);
put_bytes(folder() . '/release-2.r307', $two);
for my $release (1, 2, 1) {
    symlink "release-$release.r307", "$path.link" or die $!;
    rename "$path.link", $path or die $!;
    serves($release == 1 ? 'one' : 'two', "a symbolic link that leads to release $release now");
}
link folder() . '/release-2.r307', "$path.hard" or die $!;
rename "$path.hard", $path or die $!;
serves('two', 'a hard link');

# ---- what is bad ----

for my $damage (damages()) {
    my ($name, $reason, $make) = @$damage;
    remove_any($path);
    put_bytes($path, $one);
    serves('one', "before: $name");
    my $before = log_count(qr/R307-902/);
    my $lines = $name eq 'unreadable' && $> == 0 ? qr/R307-902.*Permission/ : qr/R307-902/;
    my $began = time;
    $make->($path, $two);
    serves('one', "$name: the old rules stay");
    cmp_ok(time - $began, '<', 5, "$name: and nothing waits");
    for (1 .. 8) { request('GET', '/x') }
    is(log_count(qr/R307-902/) - $before, 1, "$name: one line in the log");
    is(log_count(qr/R307-902.*\Q$path\E: .*$reason.*the rules that were loaded before stay/) >= 1, 1, "$name: which says why");
    remove_any($path);
    put_bytes($path, $two);
    serves('two', "$name: the next good file is taken");
}
announce(qr/R307-902/);

# Bad, good, and the same bad one once more: it is told again.
my $before = log_count(qr/R307-902/);
for (1 .. 2) {
    put_bytes($path, 'bad');
    serves('two', 'bad: the old rules stay');
    put_bytes($path, $two);
    serves('two', 'good again');
}
is(log_count(qr/R307-902/) - $before, 2, 'each bad file has its line');

put_bytes($path, $one);
chmod 0000, $path;
serves('two', 'a file that may not be read');
chmod 0644, $path;
serves('one', 'is taken as soon as it may');

# ---- damage in place: what rulec never does, and people do ----

put_bytes($path, $two);
serves('two', 'before the file is cut short in place');
my @children = children();
truncate $path, 0;
my $after = request('GET', '/x');
like($after->status, qr/^(307|404)$/, 'cut to nothing in place: the request is answered');
is(join(' ', children()), join(' ', @children), 'and the child lives');
request('GET', '/x') for 1 .. 10;
is(log_count(qr/R307-903.*empty/), 1, 'the log says once that there are no rules');
announce(qr/R307-903/);
ok(process_alive(), 'the server goes on');
put_bytes($path, $one);
serves('one', 'the next good file brings the rules back');
put_bytes($path, $two);
serves('two', 'before the file is written over in place');
open my $in_place, '+<:raw', $path or die $!;
print $in_place $one;
close $in_place;
serves('one', 'a good file that was written over in place is taken');
is(join(' ', children()), join(' ', @children), 'it is still the same child');

stop();

# ---- the watcher's own time ----

put_bytes($path, $one);
serve(watch => '50ms', children => 2);
serves('one', 'with a watcher');
put_bytes($path, $two);
ok(reload_waits(sub { my $all = 1; for (1 .. 6) { $all &&= (request('GET', '/x')->field('Location') // '') eq '/two' } $all }),
    'every child takes the new file without being asked');
log_like(qr/R307-901.*rules answer now/, 'the log says so');
for my $damage (damages()) {
    my ($name, $reason, $make) = @$damage;
    # The superuser's part of httpd may read it.
    next if $name eq 'unreadable' && $> == 0;
    my $line = qr/R307-902.*$reason/;
    my $before = log_count($line);
    $make->($path, $one);
    ok(reload_waits(sub { log_count($line) > $before }), "$name: the watcher tells");
    sleep 0.2;
    is(log_count($line) - $before, 1, "$name: once for all children");
    serves('two', "$name: the old rules stay") for 1 .. 3;
    my $loaded = log_count(qr/R307-901/);
    remove_any($path);
    put_bytes($path, $two);
    ok(reload_waits(sub { log_count(qr/R307-901/) > $loaded }), "$name: the next good file is taken");
    # Each child has it before the next one goes bad.
    sleep 0.15;
}
announce(qr/R307-902/);

# Many swaps, while requests come: every one gets an answer of some good file.
my (%seen, $wrong);
my $end = time + 3;
my $swaps = 0;
while (time < $end) {
    put_bytes($path, ($one, $two, 'bad')[$swaps++ % 3]);
    for (1 .. 5) {
        my $response = request('GET', '/x');
        my $location = $response->field('Location') // '(none)';
        if ($response->status == 307 && $location =~ m{^/(one|two)$}) { $seen{$1}++ } else { $wrong .= "$location " }
    }
}
is($wrong, undef, "no request is lost in $swaps swaps");
is(join(' ', sort keys %seen), 'one two', 'and both files answered');
put_bytes($path, $one);
ok(reload_waits(sub { (request('GET', '/x')->field('Location') // '') eq '/one' }), 'the last one counts');
stop();

put_bytes($path, $one);
serve(watch => 'off');
put_bytes($path, $two);
sleep 0.3;
serves('one', 'with "Redir307Watch off" a file is taken at a restart only');
ok(restart(), 'a graceful restart');
ok(reload_waits(sub { (request('GET', '/x')->field('Location') // '') eq '/two' }), 'takes it');
stop();
done_testing();
