#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Hostile requests 6: conditions and caches. A condition holds for what it says and nothing that looks like it, fails
# closed (CVE-2025-54090: a default that made all of them true), and no cache mixes clients up. Each condition true and
# false: conditions_h2.t; caches themselves: cache.t; clocks, zones and edges: t/unit/condition_t, zone_at_t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Hostile;
use Redir307::Httpd;
use Redir307::Transports;
use Test::More;

my ($hour) = (gmtime)[2];
my ($now, $other) = map { sprintf '%02d:00-%02d:00', ($hour + $_->[0]) % 24, ($hour + $_->[1]) % 24 } [-2, 3], [6, 8];
rules(<<"END" . <<'END');
timezone UTC
/daily     -> /y { daily $now }
/not-daily -> /y { daily $other }
END
/c         -> /beta found { when cookie beta = "1" }
/has       -> /y { when cookie beta }
/no-cookie -> /y { unless cookie beta = "1" }
/h         -> /y { when header X-Beta = "on" }
/h-there   -> /y { when header X-Beta }
/h-re      -> /y { when header X-Beta ~ "^on$" }
/h-not     -> /y { unless header X-Beta = "on" }
/env       -> /y { when env LATE }
/env-too   -> /y { when env EARLY = "yes" }
/m         -> /y { when method POST }
/host      -> /y { when scheme https }
/1         -> /y moved           { when cookie beta = "1" }
/2         -> /y found           { when cookie beta = "1" }
/3         -> /y see-other       { when cookie beta = "1" }
/7         -> /y temporary       { when cookie beta = "1" }
/8         -> /y permanent       { when cookie beta = "1" }
/g         gone                  { when cookie beta = "1" }
/client-1  -> /y moved           { when client 127.0.0.1 }
/client-8  -> /y permanent       { when client 127.0.0.1 }
/client-g  gone                  { when client 127.0.0.1 }
/env-8     -> /y permanent       { when env EARLY }
/env-g     gone                  { when env EARLY }
/flag-8    -> /y permanent       { when flag on }
/flag-g    gone                  { when flag on }
/chance-8  -> /y permanent       { when chance 100% }
/chance-g  gone                  { when chance 100% }
/busy-8    -> /y permanent       { when busy 1% }
/busy-g    gone                  { when busy 1% }
/never     -> /y                 { when chance 0% }
/by-client -> by client { 1 /left; 1 /right }
/by-chance -> by chance { 1 /left; 1000000 /right }
/draw      -> by chance { 1 /left; 1 /right }
/window    -> /y permanent       { from 2020-01-01T00:00Z; until 2090-01-01T00:00Z }
/past      -> /y                 { until 2020-01-01T00:00Z }
/future    -> /y                 { from 2090-01-01T00:00Z }
/two-of    -> /y { when header X-Beta = "on"; when cookie beta = "1" }
/accept    -> /y { when accept text/turtle }
/no-accept -> /y { unless accept text/turtle }
/lang      -> /y { when language de }
/no-lang   -> /y { unless language de }
/query     -> /y { query drop; when query k = "v" }
/no-query  -> /y { query drop; unless query k }
/no-method -> /y { unless method POST }
/client    -> /y { when client 192.0.2.0/24 2001:db8::/32 }
/no-client -> /y { unless client 192.0.2.0/24 2001:db8::/32 }
/no-env    -> /y { unless env EARLY }
/off       -> /y { when flag off }
/no-flag   -> /y { unless flag on }
/no-chance -> /y { unless chance 100% }
/full      -> /y { when busy 100% }
/no-busy   -> /y { unless busy 1% }
site host.test { /https -> https: { when scheme http } }
END
mkdir folder() . '/flags';
write_file('flags/on', '');
write_file('html/c.html', 'a page');
my $conf = <<"CONF";
Redir307Flags "@{[folder()]}/flags"
SetEnvIf X-Early (.+) EARLY=\$1
SetEnv LATE yes
RemoteIPHeader X-Client
Alias /c "@{[folder()]}/html/c.html"
Alias /no-cookie "@{[folder()]}/html/c.html"
<Location "/no-cookie">
    Header set Vary "Accept-Encoding, cookie"
</Location>
CONF
serve_all(modules => [qw(setenvif env alias headers remoteip)], conf => $conf);

my @beta = (Cookie => 'beta=1');

# What the head says of caching, over every transport alike: field, value...
sub tells {
    my ($answers, $name, %fields) = @_;
    for my $field (sort keys %fields) {
        my @wrong = map { my $value = $answers->{$_}->field($field) // '(none)'; $value eq ($fields{$field} // '(none)') ? () : "$_: $value" } sort keys %$answers;
        is(join("\n", @wrong), '', "$name: $field is " . ($fields{$field} // 'not sent'));
    }
    return;
}

# ---- each condition holds and does not: none is true by default (CVE-2025-54090) ----

# [target, fields with which it holds, fields with which it does not...]; without any field: the last word.
my %both = (
    '/c' => [\@beta, [Cookie => 'beta=2'], 0], '/has' => [\@beta, [Cookie => 'alpha=1'], 0], '/no-cookie' => [[Cookie => 'beta=2'], \@beta, 1],
    '/h' => [['X-Beta' => 'on'], ['X-Beta' => 'off'], 0], '/h-there' => [['X-Beta' => 'x'], ['X-Alpha' => 'x'], 0], '/h-re' => [['X-Beta' => 'on'], ['X-Beta' => 'xon'], 0], '/h-not' => [['X-Beta' => 'off'], ['X-Beta' => 'on'], 1],
    '/two-of' => [['X-Beta' => 'on', @beta], ['X-Beta' => 'on'], 0], '/accept' => [[Accept => 'text/turtle'], [Accept => 'text/turtle;q=0, */*'], 0], '/no-accept' => [[Accept => '*/*'], [Accept => 'text/turtle;q=0.1'], 1],
    '/lang' => [['Accept-Language' => 'de-AT'], ['Accept-Language' => 'den, *'], 0], '/no-lang' => [['Accept-Language' => 'en'], ['Accept-Language' => 'en, de;q=0.1'], 1],
    '/client' => [['X-Client' => '192.0.2.1'], ['X-Client' => '192.0.3.1'], 0], '/no-client' => [['X-Client' => '198.51.100.1'], ['X-Client' => '2001:db8::1'], 1],
    '/env-too' => [['X-Early' => 'yes'], ['X-Early' => 'no'], 0], '/no-env' => [['X-Late' => 'x'], ['X-Early' => 'x'], 1],
);
for my $target (sort keys %both) {
    my ($true, $false, $bare) = @{ $both{$target} };
    my $yes = $target eq '/c' ? '302 /beta' : '307 /y';
    gets($target, $yes, 'holds', @$true);
    gets($target, qr/\A(?:200|404)\z/, 'does not hold', @$false);
    gets($target, $bare ? $yes : qr/\A(?:200|404)\z/, 'without any field', 'X-Nothing' => '');
}
gets($_, '307 /y', 'holds') for '/query?k=v', '/query?a&k=v', '/no-query', '/no-query?K=v', '/no-method';
gets($_, '404', 'does not hold') for '/query', '/query?k', '/query?k=V', '/query?kk=v', '/query?k=v2', '/no-query?k', '/no-query?a&k=', '/m', '/off', '/no-flag', '/no-chance', '/full', '/no-busy', '/never';
asks('POST', '/no-method', qr/\A40[45]\z/, 'does not hold');

# ---- cookies ----

tells(gets('/c', '302 /beta', 'the cookie is there', @beta), 'the redirect', Vary => 'Cookie', 'Cache-Control' => 'no-cache');
tells(gets('/c', '200', 'it is not'), 'the page in its place', Vary => 'Cookie', 'Cache-Control' => undef);
tells(gets('/has', '404', 'nor here'), 'the error in its place', Vary => 'Cookie');
tells(asks('HEAD', '/c', '302 /beta', 'asked for the head alone', @beta), 'HEAD', Vary => 'Cookie', 'Cache-Control' => 'no-cache');
my $merged = gets('/no-cookie', '200', 'a page with a Vary of its own', @beta);
is(join(' ', sort map { lc } split /\s*,\s*/, $merged->{$_}->field('Vary')), 'accept-encoding cookie', "$_: Cookie is named once") for sort keys %$merged;

for my $row (
    ['beta=1', 1], ['a=2; beta=1', 1], ['beta=1; a=2', 1], ['a=2;beta=1', 1], [' beta=1 ', 1], ['beta="1"', 1], ['beta=1,c=2', 1], ['a=2, beta=1', 1], ["a=\xff; beta=1", 1],
    ['$Version=1; beta=1', 1], ['beta=1; beta=2', 1], ['a; beta=1', 1], [';;;beta=1', 1], ['=; beta=1', 1],
    ['xbeta=1', 0], ['beta=10', 0], ['beta=', 0], ['beta', 0], ['Beta=1', 0], ['BETA=1', 0], ['a=beta=1', 0], ['beta=01', 0], ['beta=1x', 0], ['beta =2', 0], ['a="beta=1"', 0], ['a="x; beta=1"', 0], ['beta=2; beta=1', 0],
    ['beta=%31', 0], ["beta=1\xff", 0], ['beta==1', 0], ["beta='1'", 0], ['beta="1', 0], ['beta=1"', 0], ['', 0], ['=1', 0], ['beta:1', 0], ['beta-=1', 0], ["b\xe9ta=1", 0], ["\xefbeta=1", 0],
    ['a=' . 'x' x 7900 . '; beta=1', 1], ['a=' . 'x' x 7900 . 'beta=1', 0], ['beta=1; ' x 900 . 'a=b', 1], ['a=1; ' x 1500 . 'beta=1', 1], [';' x 8000, 0], [',beta=' x 1000, 0],
    ) {
    my ($cookie, $is_it) = @$row;
    (my $shown = length $cookie > 60 ? substr($cookie, 0, 24) . '... (' . length($cookie) . ' bytes)' : $cookie) =~ s/([^\x20-\x7e])/sprintf '\\x%02x', ord $1/ge;
    gets('/c', $is_it ? '302 /beta' : '200', "cookie \"$shown\"", Cookie => $cookie);
}
gets('/c', '302 /beta', 'two cookie fields', Cookie => 'a=2', Cookie => 'beta=1');
gets('/c', '200', 'of which the first counts', Cookie => 'beta=2', Cookie => 'beta=1');
gets('/c', '200', 'a cookie in another field', 'X-Cookie' => 'beta=1', 'Set-Cookie2' => 'beta=1');
gets('/c?beta=1', '200', 'or in the query');

# ---- header fields ----

for my $row (['on', 1], [' on ', 1], ['On', 0], ['on2', 0], ['xon', 0], ['on, on', 0], ['', 0], ["on\xff", 0], ["\xffon", 0], ['on,', 0], ['"on"', 0], ['%6fn', 0], ['o n', 0], ["on\x80", 0], ['on' x 4000, 0]) {
    my ($value, $is_it) = @$row;
    (my $shown = substr $value, 0, 20) =~ s/([^\x20-\x7e])/sprintf '\\x%02x', ord $1/ge;
    # Blanks around a value are no part of it (RFC 9110, 5.5); HTTP/2 does not allow them.
    my $wanted = $is_it ? '307 /y' : '404';
    gets('/h', $value =~ /\A | \z/ ? { 'HTTP/1.1' => $wanted, 'HTTP/2' => qr/\A(?:\Q$wanted\E|RST_STREAM 1)\z/ } : $wanted, "a field \"$shown\"", 'X-Beta' => $value);
}
gets('/h', '307 /y', 'the case of its name does not matter', 'x-bEtA' => 'on');
gets('/h', '404', 'a field twice is one value', 'X-Beta' => 'on', 'X-Beta' => 'on');
gets('/h', '404', 'a field of a name that only begins alike', 'X-Beta-' => 'on', 'X-Bet' => 'on', 'X_Beta' => 'on');
gets('/h-there', '307 /y', 'an empty field is there', 'X-Beta' => '');
tells(gets('/h-there', '404', 'an absent one is not'), 'absent', Vary => 'X-Beta');
gets('/h-not', '307 /y', 'unless: absent');
gets('/h-not', '404', 'unless: there', 'X-Beta' => 'on');
gets('/h-re', '307 /y', 'a regex', 'X-Beta' => 'on');
gets('/h-re', '404', 'that must match to the end', 'X-Beta' => 'on2');
over([http1()], sub {
    gets('/h', '307 /y', 'a folded field is one of one line', "X-Beta" => "\r\n on");
    gets('/h', '404', 'and may not hide its rest', "X-Beta" => "on\r\n off");
    gets('/h', '400', "a control byte in it", 'X-Beta' => "on\x01");
    gets('/h', '400', 'a NUL', 'X-Beta' => "on\0x");
    gets('/h', '400', 'a blank behind its name', 'X-Beta ' => 'on');
    gets('/h', '400', 'a line without a colon', "X-Beta\r\nA" => 'on');
});

# ---- answers that caches keep for long ----

for my $row (['/1', 301], ['/2', 302], ['/3', 303], ['/7', 307], ['/8', 308], ['/g', 410]) {
    my ($target, $status) = @$row;
    for my $method (qw(GET HEAD POST)) {
        my $answers = asks($method, $target, $status == 410 ? '410' : "$status /y", "a $status by a cookie", @beta);
        tells($answers, "$method $status", Vary => 'Cookie', 'Cache-Control' => $status =~ /^30[237]/ ? 'no-cache' : 'max-age=3600');
        tells(asks($method, $target, qr/\A(?:404|405)\z/, 'without it'), "$method, no $status", Vary => 'Cookie', 'Cache-Control' => undef);
    }
}
for my $row (['/client-1', '301 /y'], ['/client-8', '308 /y'], ['/client-g', '410'], ['/env-8', '308 /y'], ['/env-g', '410'], ['/flag-8', '308 /y'], ['/flag-g', '410'], ['/chance-8', '308 /y'], ['/chance-g', '410'],
    ['/busy-8', '308 /y'], ['/busy-g', '410']) {
    tells(gets(@$row, 'what no Vary can say is not stored, however permanent', 'X-Early' => 'yes'), $row->[0], 'Cache-Control' => 'no-store', Vary => undef);
}
gets('/env-8', '404', 'without the variable there is no redirect');
tells(asks('POST', '/m', '307 /y', 'a method'), 'by method', Vary => undef);
gets('/env', '404', 'SetEnv comes too late, as documented');
tells(gets('/env-too', '307 /y', 'SetEnvIf does not', 'X-Early' => 'yes'), 'env', 'Cache-Control' => 'no-store');
gets('/env-too', '404', 'another value', 'X-Early' => 'yes!');
for my $transport (transports()) {
    over([$transport], sub {
        tells(gets('/host', is_tls($transport) ? '307 /y' : '404', "scheme https over $transport"), $transport, Vary => undef);
        origins('https://host.test');
        gets('/https', is_tls($transport) ? '404' : '307 https://host.test/https', "what is https is not sent to https over $transport", Host => 'host.test:8080');
    });
}

# ---- time ----

for my $row (['/daily', '307 /y'], ['/not-daily', '404'], ['/past', '404'], ['/future', '404']) { gets(@$row, 'a window') }
my $windows = gets('/window', '308 /y', 'a window that is open');
for (sort keys %$windows) {
    my ($age) = ($windows->{$_}->field('Cache-Control') // '') =~ /^max-age=(\d+)$/;
    ok(defined $age && $age <= 3600, "$_: is kept no longer than it is open");
}

# ---- draws ----

gets('/never', '404', 'chance 0% never holds') for 1 .. 5;
my %sides;
for my $transport (transports()) {
    my %own;
    $own{ said(ask($transport, 'GET', '/by-client')) }++ for 1 .. 10;
    is(scalar keys %own, 1, "$transport: a client stays on its side");
    $sides{$_}++ for keys %own;
    my %drawn;
    $drawn{ said(ask($transport, 'GET', '/draw')) }++ for 1 .. 40;
    is(join(' and ', sort keys %drawn), '307 /left and 307 /right', "$transport: a draw falls on each side, and on nothing else");
}
is(scalar keys %sides, 1, 'the same one over each transport');
is(join(' ', map { said(request('GET', '/by-chance')) } 1 .. 10), join(' ', ('307 /right') x 10), 'one in a million is rare');
stop();

# ---- no seed that all children share, or that comes again ----

my @runs;
rules("/half -> /y { when chance 50% }\n");
for my $run (1, 2) {
    serve(children => 2, threads => 4, conf => "LogFormat \"%P %>s\" draws\nCustomLog \"@{[folder()]}/half-$run.log\" draws\n");
    my %drawn;
    for my $round (1 .. 60) {
        request('GET', '/half') for 1 .. 10;
        %drawn = ();
        for my $line (split /\n/, read_file("half-$run.log")) { my ($child, $status) = split ' ', $line; $drawn{$child} .= $status == 307 ? 1 : 0 }
        last if keys %drawn == 2 && !grep { length $_ < 40 } values %drawn;
    }
    push @runs, map { substr $_, 0, 40 } grep { length $_ >= 40 } values %drawn;
    stop();
}
my %distinct = map { $_ => 1 } @runs;
cmp_ok(scalar @runs, '>=', 2, scalar(@runs) . ' children of two starts drew');
is(scalar keys %distinct, scalar @runs, 'and each drew otherwise: what one answers tells nothing of another');

# ---- a server elsewhere: the clock of the rules is their own ----

{
    local $ENV{TZ} = 'Pacific/Kiritimati';
    rules("timezone UTC\n/daily -> /y { daily $now }\n/not-daily -> /y { daily $other }\n");
    serve_all();
    gets('/daily', '307 /y', 'a server 14 hours ahead, in the window');
    gets('/not-daily', '404', 'and outside');
    stop();
}
inputs_told();
done_testing();
