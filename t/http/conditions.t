#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Conditions over a real httpd: each one true and false, with what the answer, and the response that follows where no
# rule answers, must tell caches.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Httpd;
use Test::More;
use Time::HiRes qw(sleep);

rules(<<'END');
/has      -> /y { when header X-Beta }
/value    -> /y { when header X-Beta = "on" }
/cookie   -> /y { when cookie beta = "1" }
/client   -> /y { when client 192.0.2.0/24 2001:db8::/32 }
/not      -> /y { unless client 192.0.2.0/24 }
/env      -> /y { when env COUNTRY = "DE" }
/for-good -> /y permanent { when env COUNTRY }
/kept     -> /y { when client 127.0.0.0/8; cache 1h }
/late     -> /y { when env TOO_LATE }
/flag     -> /y { when flag maintenance }
/always   -> /y { when chance 100% }
/half     -> /y { when chance 50% }
/idle     -> /y { when busy 1% }
/full     -> /y { when busy 100% }
/past     -> /y { until 2020-01-01T00:00Z }
/future   -> /y { from 2090-01-01T00:00Z }
/now      -> /y { from 2020-01-01T00:00Z; until 2090-01-01T00:00Z }
~ "^/re/(?<id>[0-9]+)(?:-[a-z]+)?$" -> /item/{id}
/onto -> by accept {
    text/turtle                               /onto.ttl
    text/html application/xhtml+xml otherwise /onto.html
} see-other
END
mkdir folder() . '/flags';
# With prefork a server is a worker: of several, one is not all.
serve(
    children => 4,
    modules => [qw(remoteip setenvif env)],
    conf    => <<"CONF",
Redir307Flags "@{[folder()]}/flags"
RemoteIPHeader X-Client
RemoteIPInternalProxy 127.0.0.1
SetEnvIf X-Country (..) COUNTRY=\$1
SetEnv TOO_LATE yes
CONF
);

my $yes = sub {
    my ($target, $name, @headers) = @_;
    return redirects('GET', $target, 307, '/y', $name, @headers);
};
my $no = sub {
    my ($target, $name, @headers) = @_;
    return leaves('GET', $target, $name, @headers);
};

# ---- fields ----

is($yes->('/has', 'a field that is there', 'X-Beta' => 'x')->field('Vary'), 'X-Beta', 'Vary names it');
is($no->('/has', 'a field that is not')->field('Vary'), 'X-Beta', 'Vary names it on the response that follows, too');
$yes->('/has', 'an empty field is there', 'X-Beta' => '');
$yes->('/has', 'case of the name does not matter', 'x-BETA' => 'x');
$yes->('/value', 'its value', 'X-Beta' => 'on');
$no->('/value', 'another value', 'X-Beta' => 'On');
$no->('/value', 'repeated lines are one value', 'X-Beta' => 'on', 'X-Beta' => 'on');
$no->('/value', 'bytes that are no ASCII', 'X-Beta' => "on\xff");

my $beta = $yes->('/cookie', 'a cookie', Cookie => 'beta=1');
is($beta->field('Vary'), 'Cookie', 'Vary: Cookie');
is($no->('/cookie', 'no cookie')->field('Vary'), 'Cookie', 'on the response that follows, too');
$yes->('/cookie', "the cookie line \"$_\"", Cookie => $_) for 'a=2; beta=1', 'beta=1; a=2', 'a=2;beta=1', 'beta=1, c=2', 'a=1,beta=1';
$no->('/cookie', "the cookie line \"$_\"", Cookie => $_) for 'xbeta=1', 'beta=10', 'beta=', 'Beta=1', 'a=beta=1', 'beta', 'a="beta=1"';
$yes->('/cookie', 'two cookie lines', Cookie => 'a=2', Cookie => 'beta=1');
$yes->('/cookie', 'a cookie behind 6 KB of others', Cookie => 'a=' . 'x' x 6000 . '; beta=1');

my $folded = raw("GET /value HTTP/1.1\r\nHost: lab.test\r\nX-Beta:\r\n on\r\nConnection: close\r\n\r\n");
is($folded->field('Location'), '/y', 'a field that is folded over two lines');

# ---- the client ----

my $client = $yes->('/client', 'a client of the network, as mod_remoteip sees it', 'X-Client' => '192.0.2.77');
is($client->field('Cache-Control'), 'no-store', 'an answer that hangs on the client is not stored');
is($client->field('Vary'), undef, 'and no field is named, for none was read');
$yes->('/client', 'an IPv6 client', 'X-Client' => '2001:db8::1');
$no->('/client', 'another', 'X-Client' => '198.51.100.1');
$no->('/client', 'another IPv6 client', 'X-Client' => '2001:db9::1');
$no->('/client', 'the connection itself');
$yes->('/not', 'unless: another client', 'X-Client' => '198.51.100.1');
$no->('/not', 'unless: a client of the network', 'X-Client' => '192.0.2.1');

# ---- the environment, flags, chance, load ----

is($yes->('/env', 'a variable that SetEnvIf set', 'X-Country' => 'DE')->field('Cache-Control'), 'no-store', 'is not stored');
my $for_good = redirects('GET', '/for-good', 308, '/y', 'a permanent answer that hangs on it', 'X-Country' => 'DE');
is($for_good->field('Cache-Control'), 'no-store', 'is not stored either');
is($yes->('/kept', 'unless the rule says how long')->field('Cache-Control'), 'max-age=3600', 'cache 1h');
$no->('/env', 'another value', 'X-Country' => 'FR');
$no->('/env', 'no variable');
$no->('/late', 'SetEnv comes too late, as documented');

$no->('/flag', 'a flag that is off');
write_file('flags/maintenance', '');
is($yes->('/flag', 'a flag that is on')->field('Cache-Control'), 'no-store', 'is not stored');
rename folder() . '/flags/maintenance', folder() . '/flags/maintenance2';
$no->('/flag', 'a flag of another name');
rename folder() . '/flags/maintenance2', folder() . '/flags/.maintenance';
$no->('/flag', 'a hidden file is no flag');

$yes->('/always', 'chance 100%');
my $drawn = 0;
for (1 .. 400) { $drawn++ if request('GET', '/half')->status == 307 }
cmp_ok($drawn, '>', 120, "chance 50%: $drawn of 400");
cmp_ok($drawn, '<', 280, 'neither all nor none');
$yes->('/idle', 'busy 1%: the worker that answers this request is busy');
$no->('/full', 'busy 100% does not hold for one request at a time');

# ---- time ----

$no->('/past', 'a window that is over');
$no->('/future', 'a window that is to come');
$yes->('/now', 'a window that is open');

# ---- regexes and choices ----

redirects('GET', '/re/17-tea', 307, '/item/17', 'a regex');
$no->('/re/17x', 'that must match');
redirects('GET', '/onto', 303, '/onto.ttl', 'by accept', Accept => 'text/turtle');
is(request('GET', '/onto', Accept => 'text/turtle')->field('Vary'), 'Accept', 'Vary: Accept');
redirects('GET', '/onto', 303, '/onto.html', 'every browser\'s */* is no wish for Turtle', Accept => 'text/html, */*;q=0.8');
redirects('GET', '/onto', 303, '/onto.html', 'no Accept');
my $head = request('HEAD', '/cookie', Cookie => 'beta=1');
is($head->field('Vary') . ' ' . $head->field('Cache-Control'), 'Cookie no-cache', 'HEAD has the same fields');
stop();

SKIP: {
    skip 'no mod_http2', 4 if !has_module('http2');
    serve(modules => ['http2'], conf => "Protocols h2c http/1.1\n");
    my $h2 = h2('GET', '/cookie', Cookie => 'a=2', Cookie => 'beta=1');
    skip 'curl cannot speak HTTP/2', 4 if !$h2;
    is($h2->field('Location'), '/y', 'over HTTP/2: two cookie fields');
    is($h2->field('Vary'), 'Cookie', 'Vary');
    is(h2('GET', '/cookie')->field('Vary'), 'Cookie', 'on the response that follows, too');
    is(h2('GET', '/client', 'X-Client' => '192.0.2.1')->status, 404, 'a field is no client without mod_remoteip');
    stop();
}

# ---- flags in the watcher's time, and for a host of its own ----

mkdir folder() . '/flags2';
unlink folder() . '/flags/.maintenance';
serve(watch => '50ms', children => 2, conf => <<"CONF");
Redir307Flags "@{[folder()]}/flags"
<VirtualHost *:*>
    ServerName lab.test
</VirtualHost>
<VirtualHost *:*>
    ServerName other.test
    Redir307Flags "@{[folder()]}/flags2"
</VirtualHost>
<VirtualHost *:*>
    ServerName none.test
    Redir307Flags none
</VirtualHost>
CONF
$no->('/flag', 'a flag that is off');
write_file('flags/maintenance', '');
ok(reload_waits(sub { my $all = 1; for (1 .. 6) { $all &&= request('GET', '/flag')->status == 307 } $all }), 'every child sees it soon');
leaves('GET', '/flag', 'a host with a folder of its own', Host => 'other.test');
leaves('GET', '/flag', 'a host with none', Host => 'none.test');
unlink folder() . '/flags/maintenance';
ok(reload_waits(sub { my $all = 1; for (1 .. 6) { $all &&= request('GET', '/flag')->status == 404 } $all }), 'and sees it go');
stop();
announce(qr/R307-910/);
serve(conf => "Redir307Flags \"@{[folder()]}/nowhere\"\n");
log_like(qr/redir307:warn.*R307-910.*nowhere/, 'a folder that is not there is told');
$no->('/flag', 'and has no flag on');
stop();
done_testing();
