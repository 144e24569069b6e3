#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A good file that is there so shortly that the parent of the children never sees it, and a bad one behind it: children that
# are born from then on, by whatever way, answer by the last good file that any child has loaded, from their first answer on.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Damage;
use Redir307::Deaths;
use Redir307::Httpd;
use Test::More;
use Time::HiRes qw(sleep);

my $path = folder() . '/rules.r307';
my %bytes = map { $_ => read_file(compile_rules($_, "/x -> /$_\n")) } qw(one two three four);
my $conf = crash_trace() . "IncludeOptional \"@{[folder()]}/more*.conf\"\n";

sub answer { my $response = request('GET', '/x'); return $response->field('Location') // $response->status }

# The file is good until a child answers by it, and then bad. (The parent looks every ten seconds: should it look just now,
# it has nothing to be told, and the test still holds.)
sub flash {
    my ($name) = @_;
    put_bytes($path, $bytes{$name});
    ok(reload_waits(sub { answer() eq "/$name" }), "$name is there until a child has loaded it");
    put_bytes($path, 'bad');
    return;
}

# Asks until `done`, and then some more: every answer must be this one. A server without children answers by and by.
sub always {
    my ($want, $name, $done) = @_;
    my %seen;
    my $is_done = reload_waits(sub { $seen{ answer() }++; $done->() });
    $seen{ answer() }++ for 1 .. 20;
    delete $seen{0};
    ok($is_done, "$name: it comes to an end");
    is(join(' ', sort keys %seen), $want, "$name: every answer is by the last good rules");
    return;
}

# True once all children of now are gone and others are there.
sub others_than {
    my %old = map { $_ => 1 } @_;
    return sub { my @now = children(); @now && !grep { $old{$_} } @now };
}

# Every child is killed while the file is bad.
sub replace_children {
    my ($want, $name) = @_;
    my @old = children();
    kill 'KILL', @old;
    always($want, $name, others_than(@old));
    return;
}

sub restarts {
    my ($want, $name) = @_;
    for my $signal (qw(USR1 HUP)) {
        my @old = children();
        ok(restart($signal), "$name: a restart by $signal while the file is bad");
        always($want, "$name, $signal", others_than(@old));
    }
    return;
}

sub start {
    my ($copy, $watch, $more_conf) = @_;
    put_bytes($path, $bytes{one});
    write_file('more.conf', "Redir307Copy $copy\n" . ($more_conf // ''));
    serve(watch => $watch, children => 2, conf => $conf);
    is(answer(), '/one', "Copy $copy, Watch $watch: what the parent loaded at the start");
    return;
}

sub end {
    my ($name) = @_;
    is(log_count(qr/R307-903/), 0, "$name: there never was no rule");
    unlike(deaths(), qr/Segmentation|Bus error|Abort/, "$name: no child ended by itself");
    announce(qr/R307-902/, qr/AH00052.*Killed/);
    stop();
    return;
}

for my $copy (qw(off on)) {
    my $name = "Copy $copy";
    start($copy, '20ms');
    flash('two');
    replace_children('/two', $name);
    flash('three');
    restarts('/three', $name);
    unlink $path;
    replace_children('/three', "$name, no file at all");

    put_bytes($path, $bytes{one});
    ok(reload_waits(sub { answer() eq '/one' }), "$name: the next good file is taken");
    flash('four');
    # Rules that no child has now, or the wait would be for nothing.
    flash('two');
    replace_children('/two', "$name, back to an older one");

    # What nobody looks after any more is still the last good one.
    flash('three');
    write_file('more.conf', "Redir307Copy $copy\nRedir307Watch off\n");
    restarts('/three', "$name, nobody looks from now on");
    replace_children('/three', "$name, nobody looks from now on");
    write_file('more.conf', 'Redir307Copy ' . ($copy eq 'on' ? 'off' : 'on') . "\n");
    restarts('/three', "$name, then the other way");
    end($name);
}

# ---- each request looks ----

start('off', 0);
flash('two');
replace_children('/two', 'Watch 0');
end('Watch 0');

# ---- children that end by themselves ----

start('off', '20ms', "MaxConnectionsPerChild 40\n");
flash('two');
my %born = map { $_ => 1 } children();
always('/two', 'children that have had their connections', sub { @born{ children() } = (); keys %born > 6 });
# httpd's own: old children may take up all places for a moment.
announce(qr/AH03490/);
end('children that have had their connections');

# ---- a child that slept while the good file was there ----

start('off', '20ms');
my ($sleeper) = children();
kill 'STOP', $sleeper;
# Its threads stop one after the other, and one that still runs takes connections that nobody will answer.
ok(reload_waits(sub { !grep { read_file($_) !~ /\) [Tt] / } glob "/proc/$sleeper/task/*/stat" }), 'a child sleeps');
flash('two');
sleep 0.1;
kill 'CONT', $sleeper;
# Either child may be asked.
ok(reload_waits(sub { !grep { answer() ne '/two' } 1 .. 10 }), 'a child that slept takes what the others have loaded');
always('/two', 'a child that slept', sub { 1 });
end('a child that slept');

# ---- damaged in place since ----

for my $copy (qw(off on)) {
    my $name = "Copy $copy, damaged in place";
    start($copy, '20ms');
    put_bytes($path, $bytes{two});
    ok(reload_waits(sub { answer() eq '/two' }), "$name: a good file");
    truncate $path, 5000 or die "$path: $!";
    log_like(qr/R307-90[23]/, "$name: it is told");
    my $want = $copy eq 'on' ? '/two' : 404;
    replace_children($want, $name);
    put_bytes($path, 'bad');
    replace_children($want, "$name, then a bad one behind it");
    announce(qr/R307-90[23]/, qr/AH00052.*Killed/);
    put_bytes($path, $bytes{one});
    ok(reload_waits(sub { answer() eq '/one' }), "$name: the next good file is taken");
    unlike(deaths(), qr/Segmentation|Bus error|Abort/, "$name: no child ended by itself");
    stop();
}
done_testing();
