#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A start with a bad rule file: refused with the reason, by `httpd -t` and by a cold start. A restart never is:
# there is a server that answers.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Damage;
use Redir307::Httpd;
use Test::More;

my $path = folder() . '/rules.r307';
my $good = read_file(compile_rules('good', "/x -> /one\n"));
my $other = read_file(compile_rules('other', "/x -> /two\n"));

my ($status, $text) = configtest(rules => compile_rules('fine', "/x -> /y\n"));
is($status, 0, 'a good file passes the configuration test') or diag($text);

for my $damage (damages()) {
    my ($name, $reason, $make) = @$damage;
    # The superuser reads what nobody may.
    next if $name eq 'unreadable' && $> == 0;
    remove_any($path);
    $make->($path, $good);
    ($status, $text) = configtest();
    isnt($status, 0, "$name: the configuration test fails");
    like($text, qr/R307-904: \Q$path\E: .*$reason.*Redir307Rules at .*httpd\.conf:\d+/s, "$name: and says which file, why and who names it");
    ($status, $text) = cold_start();
    ok($status, "$name: httpd does not start");
    like($text, qr/R307-904: \Q$path\E: .*$reason/s, "$name: and says why");
}

# ---- "pass": start, and leave every request to httpd until the file is good ----

remove_any($path);
put_bytes($path, 'bad');
($status, $text) = configtest(conf => "Redir307OnBadFile pass\n");
isnt($status, 0, 'the configuration test tells of a bad file even then');
announce(qr/R307-903/);
serve(conf => "Redir307OnBadFile pass\n");
leaves('GET', '/x', 'with "Redir307OnBadFile pass" the server starts, without rules');
is(log_count(qr/redir307:crit.*R307-903.*no rule file.*left to httpd/), 1, 'one line of level crit says so');
put_bytes($path, $good);
redirects('GET', '/x', 307, '/one', 'rules come with the first good file');
stop();

# ---- restarts ----

put_bytes($path, $good);
serve(watch => 'off');
redirects('GET', '/x', 307, '/one', 'a server that started well');
for my $signal ('USR1', 'HUP') {
    put_bytes($path, 'bad');
    announce(qr/R307-902/);
    my $before = log_count(qr/R307-902/);
    ok(restart($signal), "SIG$signal with a bad file: the server goes on");
    ok(reload_waits(sub { (request('GET', '/x')->field('Location') // '') eq '/one' }), 'on its last good rules');
    is(log_count(qr/R307-902/) - $before, 1, 'with one line in the log');
    unlink $path;
    ok(restart($signal), "SIG$signal without the file: likewise");
    redirects('GET', '/x', 307, '/one', 'the last good rules once more');
}
unlink $path;
symlink '/dev/zero', $path or die $!;
ok(restart(), 'a restart with a device in its place');
is(log_count(qr/R307-906/), 0, 'nobody is warned that everybody may write that');
unlink $path;
put_bytes($path, $other);
ok(restart(), 'a restart with a good file');
ok(reload_waits(sub { (request('GET', '/x')->field('Location') // '') eq '/two' }), 'takes it');
my $before = log_count(qr/R307-902/);
ok(restart(), 'a restart with the same file');
redirects('GET', '/x', 307, '/two', 'serves the same rules');
is(log_count(qr/R307-902/), $before, 'and has nothing to say');

# The last good bytes were cut short where they lie: a restart finds out and lives.
truncate $path, 0;
announce(qr/R307-903/);
ok(restart(), 'a restart after the file was cut to nothing in place');
ok(reload_waits(sub { request('GET', '/x')->status == 404 }), 'passes requests on: there are no good rules left');
put_bytes($path, $good);
ok(restart(), 'and the next one');
ok(reload_waits(sub { (request('GET', '/x')->field('Location') // '') eq '/one' }), 'has rules again');

# A restart that names a file which was never good: that server's requests are passed on.
my $never = folder() . '/never.r307';
put_bytes($never, 'bad');
append_file('httpd.conf', "<VirtualHost *:*>\nServerName first.test\n</VirtualHost>\n"
    . "<VirtualHost *:*>\nServerName never.test\nRedir307Rules \"$never\"\n</VirtualHost>\n");
announce(qr/R307-903.*\Q$never\E/);
ok(restart(), 'a restart that names a file which was never good');
ok(reload_waits(sub { request('GET', '/x', Host => 'never.test')->status == 404 }), 'passes the requests of that host on');
redirects('GET', '/x', 307, '/one', 'the others keep their rules', Host => 'first.test');
is(log_count(qr/redir307:crit.*R307-903.*\Q$never\E/), 1, 'one line of level crit');
stop();

# ---- children that are born while the file is bad ----

put_bytes($path, $good);
serve(watch => '50ms');
redirects('GET', '/x', 307, '/one', 'a server that started well');
put_bytes($path, $other);
ok(reload_waits(sub { (request('GET', '/x')->field('Location') // '') eq '/two' }), 'has another file since');
my $replace = sub {
    my ($child) = children();
    kill 'KILL', $child;
    return reload_waits(sub { my @now = children(); @now && $now[0] != $child && request('GET', '/x')->status != 0 });
};
ok($replace->(), 'a child ends, another one comes: the parent looks at the file');
put_bytes($path, 'bad');
announce(qr/R307-902/);
for my $number (1, 2) {
    ok($replace->(), "a child is born while the file is bad ($number)");
    redirects('GET', '/x', 307, '/two', 'with the last good rules that the parent saw');
}
stop();

# ---- words ----

for my $case (
    ['Redir307OnBadFile maybe', qr/refuse.*pass/],
    ['Redir307Watch soon', qr/1s.*200ms.*off/],
    ['Redir307Watch -1', qr/no time/],
    ['Redir307Watch 1sometimes', qr/no time/],
    ['Redir307Watch 25h', qr/no time between 0 and one day/],
    ['Redir307TrustProxy everybody', qr/no address or network/],
    ['Redir307TrustProxy 10.0.0.0/99', qr/no address or network/],
    ['Redir307Expose all', qr/off.*id.*rule/],
    ['Redir307Note maybe', qr/Redir307Note must be On or Off/],
    ['Redir307Engine maybe', qr/Redir307Engine must be On or Off/],
    ['Redir307Rules', qr/Redir307Rules takes one argument/],
    ['Redir307Rules ""', qr/Redir307Rules takes one argument, a rule file made by rulec/],
    ['Redir307Rule x', qr/Invalid command/],
    ) {
    my ($line, $pattern) = @$case;
    ($status, $text) = configtest(rules => undef, conf => "$line\n");
    isnt($status, 0, "\"$line\" is refused");
    like($text, $pattern, 'and the message says what to write');
}
for my $line ('Redir307Watch 0', 'Redir307Watch 200ms', 'Redir307Watch 5', 'Redir307Watch 1min', 'Redir307Watch 24h', 'Redir307Watch off', 'Redir307TrustProxy 10.0.0.0/8 ::1 192.0.2.7 2001:db8::/32',
    'Redir307TrustProxy none', 'Redir307Rules none', 'Redir307Expose id', 'Redir307Note off', 'Redir307Engine off') {
    ($status, $text) = configtest(rules => undef, conf => "$line\n");
    is($status, 0, "\"$line\" is accepted") or diag($text);
}

put_bytes($path, $good);
serve(rules => 'rules.r307');
redirects('GET', '/x', 307, '/one', 'a relative path starts at ServerRoot');
stop();

# ---- what an administrator should know ----

put_bytes($path, $good);
chmod 0666, $path;
announce(qr/R307-906/);
serve();
log_like(qr/redir307:warn.*R307-906: the rule file \Q$path\E can be written by everybody/, 'a rule file that everybody may write is told');
stop();
mkdir folder() . '/open';
put_bytes(folder() . '/open/rules.r307', $good);
chmod 0777, folder() . '/open';
announce(qr/R307-906/);
serve(rules => folder() . '/open/rules.r307');
log_like(qr/redir307:warn.*R307-906: the folder of the rule file .*can be written by everybody/, 'and such a folder');
stop();
SKIP: {
    skip 'only a server that was started by root has another user to answer as', 2 if $> != 0;
    chmod 0755, folder() . '/open';
    my ($user) = Redir307::Httpd::run_user();
    chown scalar getpwnam($user->[0]), -1, folder() . '/open';
    announce(qr/R307-906/);
    serve(rules => folder() . '/open/rules.r307');
    log_like(qr/R307-906: the folder.*by the user that httpd answers requests as/, 'a folder that the server itself could write is told');
    stop();
}

my $slashes = compile_rules('slashes', "/a%2Fb -> /c\n");
announce(qr/R307-905/);
serve(rules => $slashes);
log_like(qr/redir307:warn.*R307-905.*AllowEncodedSlashes NoDecode/, 'rules for %2F want AllowEncodedSlashes NoDecode');
leaves('GET', '/a%2Fb', 'without it httpd answers 404 by itself');
stop();
serve(rules => $slashes, conf => "AllowEncodedSlashes NoDecode\n");
is(log_count(qr/R307-905/), 0, 'with it there is nothing to tell');
redirects('GET', '/a%2Fb', 307, '/c', 'and the rule answers');
leaves('GET', '/a/b', 'which is another path');
stop();
done_testing();
