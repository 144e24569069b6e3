#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The module as a piece of software: the one name it exports, the MPMs it lives in, and that nothing of it is left
# behind when httpd goes.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Damage;
use Redir307::Httpd;
use Test::More;
use Time::HiRes qw(sleep);

SKIP: {
    my ($status, $text) = Redir307::Httpd::run('nm', '-D', '--defined-only', $Redir307::Httpd::module_path);
    skip 'no nm', 1 if $status != 0;
    my @names = grep { !/^_|^__/ } map { (split)[2] // () } split /\n/, $text;
    is("@names", 'redir307_module', 'the module exports its record and nothing else');
}

# Each message that it writes into httpd's log has its section in the documents, and the other way round.
my $sources = Redir307::Httpd::source_folder();
my %codes = map { $_ => 1 } map { read_file($_) =~ /"(R307-\d+):/g } glob "'$sources/mod_redir307/mod_redir307*.c'";
my %told = map { $_ => 1 } read_file("$sources/docs/log-messages.md") =~ /^## (R307-\d+): /gm;
cmp_ok(scalar keys %codes, '>', 5, 'the module has messages');
is(join(' ', sort keys %told), join(' ', sort keys %codes), 'each is told in docs/log-messages.md');

# Without a line of ours the module does nothing at all.
serve(rules => undef, watch => '1s');
leaves('GET', '/x', 'without rules every request is httpd\'s');
answers('GET', '/page.html', 200, 'and pages are served');
ok(restart(), 'a restart without rules');
stop();

my $path = rules("/x -> /one\n");
my $two = read_file(compile_rules('two', "/x -> /two\n"));
my $one = read_file($path);
for my $mpm (qw(event worker prefork)) {
    if (!has_module("mpm_$mpm")) { note("no mpm_$mpm here"); next }
    local $ENV{REDIR307_MPM} = $mpm;
    put_bytes($path, $one);
    serve(watch => '50ms', children => 2);
    redirects('GET', '/x', 307, '/one', "$mpm: the rules answer");
    put_bytes($path, $two);
    ok(reload_waits(sub { my $all = 1; for (1 .. 6) { $all &&= (request('GET', '/x')->field('Location') // '') eq '/two' } $all }),
        "$mpm: every child takes a new file");
    truncate $path, 0;
    my $answer = request('GET', '/x');
    like($answer->status, qr/^(307|404)$/, "$mpm: a file that is cut short in place kills nobody");
    put_bytes($path, $one);
    ok(reload_waits(sub { my $all = 1; for (1 .. 6) { $all &&= (request('GET', '/x')->field('Location') // '') eq '/one' } $all }),
        "$mpm: and the next good file is taken");
    my @before = children();
    ok(restart(), "$mpm: a graceful restart");
    ok(reload_waits(sub { my %now = map { $_ => 1 } children(); !grep { $now{$_} } @before }), "$mpm: after which the old children are gone");
    redirects('GET', '/x', 307, '/one', "$mpm: and the new ones answer");
    is(log_count(qr/AH00052|exit signal/), 0, "$mpm: no child ended by a signal");
    announce(qr/R307-90[23].*(?:empty|cut off)/); # 903: of a child that was born in this moment
    stop();
}

SKIP: {
    skip 'the stack of a thread is for MPMs with threads', 3 if !has_module('mpm_event');
    local $ENV{REDIR307_MPM} = 'event';
    put_bytes($path, $one);
    serve(conf => "ThreadStackSize 131072\n");
    log_like(qr/redir307:warn.*R307-911: ThreadStackSize 131072 is too small/, 'a stack that is too small is told');
    announce(qr/R307-911/);
    stop();
    serve(conf => "ThreadStackSize 262144\n");
    request('GET', '/p/' . 'a%20' x 2000) for 1 .. 10;
    redirects('GET', '/x', 307, '/one', 'the smallest that is not is enough');
    stop();
}

# Children that are born after the file went bad start from what the parent holds.
put_bytes($path, $one);
serve(watch => 'off');
put_bytes($path, 'bad');
my ($child) = children();
kill 'KILL', $child;
ok(reload_waits(sub { my ($now) = children(); $now && $now != $child && request('GET', '/x')->status == 307 }),
    'a child born while the file is bad has the last good rules');
announce(qr/R307-902|AH00052/);
stop();
done_testing();
