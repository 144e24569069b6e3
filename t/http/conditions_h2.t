#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# One table of requests, asked over HTTP/1.1 and over HTTP/2: each condition and each `by` form where it is true, where
# it is false, and where what it asks for is absent. Status, Location, Vary and Cache-Control are the same over both.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use Redir307::Httpd;
use Test::More;

plan(skip_all => 'no mod_http2') if !has_module('http2');
plan(skip_all => 'curl cannot speak HTTP/2') if (Redir307::Httpd::run('curl', '--version'))[1] !~ /HTTP2/;
plan(skip_all => 'no mod_remoteip and mod_setenvif') if !has_module('remoteip') || !has_module('setenvif');

# Six hours and three days from now.
my ($hour, $weekday) = (gmtime)[2, 6];
my $other_hours = sprintf '%02d:00-%02d:00', ($hour + 6) % 24, ($hour + 7) % 24;
my $other_day = (qw(sun mon tue wed thu fri sat))[($weekday + 3) % 7];

my $rules = rules(<<"END" . <<'END');
timezone UTC
/not-daily  -> /y { daily $other_hours }
/not-weekly -> /y { weekly $other_day }
END
/method    -> /y { when method POST PUT }
/unmethod  -> /y { unless method POST PUT }
/scheme    -> /y { when scheme https }
/unscheme  -> /y { unless scheme https }
/header    -> /y { when header X-Beta }
/equal     -> /y { when header X-Beta = "on" "1" }
/joined    -> /y { when header X-Beta = "on, off" }
/match     -> /y { when header X-Beta ~ "^v[0-9]+$" }
/unheader  -> /y { unless header X-Beta }
/cookie    -> /y { when cookie beta }
/cookie-is -> /y { when cookie beta = "1" }
/uncookie  -> /y { unless cookie beta = "1" }
/accept    -> /y { when accept text/turtle application/n-triples }
/unaccept  -> /y { unless accept text/turtle }
/language  -> /y { when language de }
/unlang    -> /y { unless language de }
/query     -> /y { query drop; when query k }
/query-is  -> /y { query drop; when query k = "a b" }
/unquery   -> /y { query drop; unless query k = "a b" "c" }
/client    -> /y { when client 192.0.2.0/24 2001:db8::/32 }
/unclient  -> /y { unless client 192.0.2.0/24 2001:db8::/32 }
/env       -> /y { when env COUNTRY }
/env-is    -> /y { when env COUNTRY = "DE" "AT" }
/unenv     -> /y { unless env COUNTRY = "DE" }
/flag      -> /y { when flag on }
/unflag    -> /y { unless flag on }
/no-flag   -> /y { when flag off }
/chance    -> /y { when chance 100% }
/unchance  -> /y { unless chance 100% }
/busy      -> /y { when busy 1% }
/unbusy    -> /y { unless busy 1% }
/full      -> /y { when busy 100% }
/window    -> /y { from 2020-01-01; until 2090-01-01 }
/before    -> /y { from 2090-01-01 }
/after     -> /y { until 2020-01-01 }
/daily     -> /y { daily 00:00-24:00 }
/weekly    -> /y { weekly mon-sun }
/two       -> /y { when header X-Beta; when cookie beta }
/by-accept -> by accept { text/turtle /ttl; text/html /html }
/by-acc-or -> by accept { text/turtle /ttl; otherwise 406 }
/by-lang   -> by language { de /de; fr /fr }
/by-header -> by header X-Beta { on /on; off /off }
/by-cookie -> by cookie beta { 1 /one; otherwise /other }
/by-method -> by method { POST /post; GET /get found }
/by-client -> by client { 1 /y }
/by-chance -> by chance { 1 /y }
/vary      -> /y { vary X-Country; when env COUNTRY = "DE" }
/books     451 { when header X-Beta; blocked-by https://law.example/1 }
/later     503 { when header X-Beta; retry-after 1m }
/preflight -> /y { when method OPTIONS }
/preflight-too -> /y { when method OPTIONS; preflight redirect }
END
mkdir folder() . '/flags';
write_file('flags/on', '');

my @beta = ('X-Beta' => 'on');
my @preflight = (Origin => 'https://o.example', 'Access-Control-Request-Method' => 'PUT');
# [name, method, target, status and Location ('page': passed on), Vary, Cache-Control, fields...]
my @table = (
    ['method: true', 'POST', '/method', '307 /y', undef, 'no-cache'],
    ['method: false', 'GET', '/method', 'page', undef, undef],
    ['method: HEAD is GET', 'HEAD', '/method', 'page', undef, undef],
    ['unless method: true', 'HEAD', '/unmethod', '307 /y', undef, 'no-cache'],
    ['unless method: false', 'PUT', '/unmethod', 'page', undef, undef],
    ['scheme: true', 'GET', '/scheme', '307 /y', 'X-Forwarded-Proto', 'no-cache', 'X-Forwarded-Proto' => 'https'],
    ['scheme: false', 'GET', '/scheme', 'page', 'X-Forwarded-Proto', undef, 'X-Forwarded-Proto' => 'http'],
    ['scheme: absent', 'GET', '/scheme', 'page', 'X-Forwarded-Proto', undef],
    ['unless scheme: absent', 'GET', '/unscheme', '307 /y', 'X-Forwarded-Proto', 'no-cache'],
    ['header: true', 'GET', '/header', '307 /y', 'X-Beta', 'no-cache', 'X-Beta' => 'x'],
    ['header: absent', 'GET', '/header', 'page', 'X-Beta', undef],
    ['header =: true', 'GET', '/equal', '307 /y', 'X-Beta', 'no-cache', @beta],
    ['header =: the other value', 'GET', '/equal', '307 /y', 'X-Beta', 'no-cache', 'X-Beta' => '1'],
    ['header =: false', 'GET', '/equal', 'page', 'X-Beta', undef, 'X-Beta' => 'On'],
    ['header =: in two lines', 'GET', '/joined', '307 /y', 'X-Beta', 'no-cache', @beta, 'X-Beta' => 'off'],
    ['header =: absent', 'GET', '/equal', 'page', 'X-Beta', undef],
    ['header ~: true', 'GET', '/match', '307 /y', 'X-Beta', 'no-cache', 'X-Beta' => 'v12'],
    ['header ~: false', 'GET', '/match', 'page', 'X-Beta', undef, 'X-Beta' => 'v12x'],
    ['header ~: absent', 'GET', '/match', 'page', 'X-Beta', undef],
    ['unless header: there', 'GET', '/unheader', 'page', 'X-Beta', undef, @beta],
    ['unless header: absent', 'GET', '/unheader', '307 /y', 'X-Beta', 'no-cache'],
    ['cookie: true', 'GET', '/cookie', '307 /y', 'Cookie', 'no-cache', Cookie => 'beta=2'],
    ['cookie: false', 'GET', '/cookie', 'page', 'Cookie', undef, Cookie => 'alpha=1'],
    ['cookie: absent', 'GET', '/cookie', 'page', 'Cookie', undef],
    ['cookie =: true', 'GET', '/cookie-is', '307 /y', 'Cookie', 'no-cache', Cookie => 'a=2; beta=1'],
    ['cookie =: true in a second line', 'GET', '/cookie-is', '307 /y', 'Cookie', 'no-cache', Cookie => 'a=2', Cookie => 'beta=1'],
    ['cookie =: false', 'GET', '/cookie-is', 'page', 'Cookie', undef, Cookie => 'beta=10'],
    ['cookie =: absent', 'GET', '/cookie-is', 'page', 'Cookie', undef],
    ['unless cookie: there', 'GET', '/uncookie', 'page', 'Cookie', undef, Cookie => 'beta=1'],
    ['unless cookie: absent', 'GET', '/uncookie', '307 /y', 'Cookie', 'no-cache'],
    ['accept: true', 'GET', '/accept', '307 /y', 'Accept', 'no-cache', Accept => 'text/html, application/n-triples;q=0.1'],
    ['accept: in two lines', 'GET', '/accept', '307 /y', 'Accept', 'no-cache', Accept => 'text/html', Accept => 'text/turtle'],
    ['accept: by a range', 'GET', '/accept', '307 /y', 'Accept', 'no-cache', Accept => 'text/*'],
    ['accept: false', 'GET', '/accept', 'page', 'Accept', undef, Accept => 'text/turtle;q=0, */*'],
    ['accept: absent', 'GET', '/accept', 'page', 'Accept', undef, Accept => undef],
    ['unless accept: */* names nothing', 'GET', '/unaccept', '307 /y', 'Accept', 'no-cache', Accept => '*/*'],
    ['unless accept: absent', 'GET', '/unaccept', '307 /y', 'Accept', 'no-cache', Accept => undef],
    ['unless accept: there', 'GET', '/unaccept', 'page', 'Accept', undef, Accept => 'text/turtle'],
    ['language: true', 'GET', '/language', '307 /y', 'Accept-Language', 'no-cache', 'Accept-Language' => 'en, de-CH;q=0.3'],
    ['language: in two lines', 'GET', '/language', '307 /y', 'Accept-Language', 'no-cache', 'Accept-Language' => 'en', 'Accept-Language' => 'de'],
    ['language: false', 'GET', '/language', 'page', 'Accept-Language', undef, 'Accept-Language' => 'de;q=0, *'],
    ['language: absent', 'GET', '/language', 'page', 'Accept-Language', undef],
    ['unless language: absent', 'GET', '/unlang', '307 /y', 'Accept-Language', 'no-cache'],
    ['query: true', 'GET', '/query?a&k', '307 /y', undef, 'no-cache'],
    ['query: false', 'GET', '/query?K=1', 'page', undef, undef],
    ['query: absent', 'GET', '/query', 'page', undef, undef],
    ['query =: true', 'GET', '/query-is?k=x&k=a+b', '307 /y', undef, 'no-cache'],
    ['query =: false', 'GET', '/query-is?k=a', 'page', undef, undef],
    ['query =: absent', 'GET', '/query-is', 'page', undef, undef],
    ['unless query: there', 'GET', '/unquery?k=c', 'page', undef, undef],
    ['unless query: another value', 'GET', '/unquery?k', '307 /y', undef, 'no-cache'],
    ['unless query: absent', 'GET', '/unquery', '307 /y', undef, 'no-cache'],
    ['client: true', 'GET', '/client', '307 /y', undef, 'no-store', 'X-Client' => '192.0.2.9'],
    ['client: true, IPv6', 'GET', '/client', '307 /y', undef, 'no-store', 'X-Client' => '2001:db8::9'],
    ['client: false', 'GET', '/client', 'page', undef, undef, 'X-Client' => '198.51.100.9'],
    ['client: absent, the connection', 'GET', '/client', 'page', undef, undef],
    ['unless client: the connection', 'GET', '/unclient', '307 /y', undef, 'no-store'],
    ['unless client: there', 'GET', '/unclient', 'page', undef, undef, 'X-Client' => '192.0.2.9'],
    ['env: true', 'GET', '/env', '307 /y', undef, 'no-store', 'X-Country' => 'FR'],
    ['env: absent', 'GET', '/env', 'page', undef, undef],
    ['env =: true', 'GET', '/env-is', '307 /y', undef, 'no-store', 'X-Country' => 'AT'],
    ['env =: false', 'GET', '/env-is', 'page', undef, undef, 'X-Country' => 'FR'],
    ['env =: absent', 'GET', '/env-is', 'page', undef, undef],
    ['unless env: there', 'GET', '/unenv', 'page', undef, undef, 'X-Country' => 'DE'],
    ['unless env: another value', 'GET', '/unenv', '307 /y', undef, 'no-store', 'X-Country' => 'FR'],
    ['unless env: absent', 'GET', '/unenv', '307 /y', undef, 'no-store'],
    ['flag: true', 'GET', '/flag', '307 /y', undef, 'no-store'],
    ['flag: absent', 'GET', '/no-flag', 'page', undef, undef],
    ['unless flag: there', 'GET', '/unflag', 'page', undef, undef],
    ['chance: true', 'GET', '/chance', '307 /y', undef, 'no-store'],
    ['unless chance: false', 'GET', '/unchance', 'page', undef, undef],
    ['busy: true', 'GET', '/busy', '307 /y', undef, 'no-store'],
    ['busy: false', 'GET', '/full', 'page', undef, undef],
    ['unless busy: false', 'GET', '/unbusy', 'page', undef, undef],
    ['from and until: in the window', 'GET', '/window', '307 /y', undef, 'no-cache'],
    ['from: before', 'GET', '/before', 'page', undef, undef],
    ['until: after', 'GET', '/after', 'page', undef, undef],
    ['daily', 'GET', '/daily', '307 /y', undef, 'no-cache'],
    ['weekly', 'GET', '/weekly', '307 /y', undef, 'no-cache'],
    ['daily: at another time', 'GET', '/not-daily', 'page', undef, undef],
    ['weekly: on another day', 'GET', '/not-weekly', 'page', undef, undef],
    ['two conditions: true', 'GET', '/two', '307 /y', 'X-Beta, Cookie', 'no-cache', @beta, Cookie => 'beta=1'],
    ['two conditions: the first is false', 'GET', '/two', 'page', 'X-Beta', undef, Cookie => 'beta=1'],
    ['two conditions: the second is false', 'GET', '/two', 'page', 'X-Beta, Cookie', undef, @beta],
    ['by accept: named', 'GET', '/by-accept', '307 /html', 'Accept', 'no-cache', Accept => 'text/html, text/turtle;q=0.9'],
    ['by accept: anything', 'GET', '/by-accept', '307 /ttl', 'Accept', 'no-cache', Accept => '*/*'],
    ['by accept: absent', 'GET', '/by-accept', '307 /ttl', 'Accept', 'no-cache', Accept => undef],
    ['by accept: anything but the first', 'GET', '/by-accept', '307 /html', 'Accept', 'no-cache', Accept => 'text/turtle;q=0, */*'],
    ['by accept: in two lines', 'GET', '/by-accept', '307 /html', 'Accept', 'no-cache', Accept => 'image/png', Accept => 'text/html'],
    ['by accept: none', 'GET', '/by-accept', 'page', 'Accept', undef, Accept => 'image/png'],
    ['by accept: otherwise', 'GET', '/by-acc-or', '406', 'Accept', 'no-cache', Accept => 'image/png'],
    ['by language: named', 'GET', '/by-lang', '307 /fr', 'Accept-Language', 'no-cache', 'Accept-Language' => 'de;q=0.5, fr-CA'],
    ['by language: in two lines', 'GET', '/by-lang', '307 /fr', 'Accept-Language', 'no-cache', 'Accept-Language' => 'de;q=0.5', 'Accept-Language' => 'fr'],
    ['by language: anything but the first', 'GET', '/by-lang', '307 /fr', 'Accept-Language', 'no-cache', 'Accept-Language' => '*, de;q=0'],
    ['by language: none', 'GET', '/by-lang', 'page', 'Accept-Language', undef, 'Accept-Language' => 'en'],
    ['by language: absent', 'GET', '/by-lang', '307 /de', 'Accept-Language', 'no-cache'],
    ['by header: a value', 'GET', '/by-header', '307 /off', 'X-Beta', 'no-cache', 'X-Beta' => 'off'],
    ['by header: another', 'GET', '/by-header', 'page', 'X-Beta', undef, 'X-Beta' => 'maybe'],
    ['by header: absent', 'GET', '/by-header', 'page', 'X-Beta', undef],
    ['by cookie: a value', 'GET', '/by-cookie', '307 /one', 'Cookie', 'no-cache', Cookie => 'a=1', Cookie => 'beta=1'],
    ['by cookie: another', 'GET', '/by-cookie', '307 /other', 'Cookie', 'no-cache', Cookie => 'beta=2'],
    ['by cookie: absent', 'GET', '/by-cookie', '307 /other', 'Cookie', 'no-cache'],
    ['by method: POST', 'POST', '/by-method', '307 /post', undef, 'no-cache'],
    ['by method: HEAD is GET', 'HEAD', '/by-method', '302 /get', undef, 'no-cache'],
    ['by method: none', 'PUT', '/by-method', 'page', undef, undef],
    ['by client', 'GET', '/by-client', '307 /y', undef, 'no-store'],
    ['by chance', 'GET', '/by-chance', '307 /y', undef, 'no-store'],
    ['vary: true', 'GET', '/vary', '307 /y', 'X-Country', 'no-store', 'X-Country' => 'DE'],
    ['vary: false', 'GET', '/vary', 'page', 'X-Country', undef, 'X-Country' => 'FR'],
    ['vary: absent', 'GET', '/vary', 'page', 'X-Country', undef],
    ['451', 'GET', '/books', '451', 'X-Beta', 'no-cache', @beta],
    ['503', 'GET', '/later', '503', 'X-Beta', 'no-cache', @beta],
    ['a CORS preflight is left alone', 'OPTIONS', '/preflight', 'page', undef, undef, @preflight],
    ['other OPTIONS are not', 'OPTIONS', '/preflight', '307 /y', undef, 'no-cache'],
    ['a CORS preflight that is meant', 'OPTIONS', '/preflight-too', '307 /y', undef, 'no-cache', @preflight],
);

# No rule answered: httpd has nothing there (404), or says what it can (OPTIONS), or may not (PUT).
sub said {
    my ($response) = @_;
    my ($status, $location) = ($response->status, $response->field('Location'));
    return 'page' if !defined $location && $status =~ /^(200|404|405)$/;
    return defined $location ? "$status $location" : $status;
}

sub told { my ($value) = @_; return defined $value ? join ', ', split /\s*,\s*/, $value : '(none)' }

# What rulec says of the same request. It has no proxy that it could trust, so what that says is the URL's scheme there.
sub rulec_said {
    my ($method, $target, @fields) = @_;
    my %sent = @fields;
    my $scheme = $sent{'X-Forwarded-Proto'} // 'http';
    my %facts = (method => $method, url => "$scheme://lab.test$target", client => $sent{'X-Client'} // '127.0.0.1', busy => 50, flags => ['on'], headers => []);
    $facts{env} = { COUNTRY => $sent{'X-Country'} } if $sent{'X-Country'};
    while (my ($name, $value) = splice @fields, 0, 2) { push @{ $facts{headers} }, { name => $name, value => $value } }
    write_file('asked', encode_json(\%facts) . "\n");
    my ($status, $text) = Redir307::Httpd::run('sh', '-c', '"$0" answer "$1" - <"$2"', $Redir307::Httpd::rulec_path, $rules, folder() . '/asked');
    return "rulec: exit status $status: $text" if $status != 0;
    my $answer = decode_json($text);
    my %head = map { $_->{name} => $_->{value} } @{ $answer->{headers} };
    $head{Vary} = 'X-Forwarded-Proto' if $target =~ /scheme/;
    my $said = $answer->{outcome} eq 'send' ? join ' ', $answer->{status}, $head{Location} // () : 'page';
    return "$said, Vary: " . told($head{Vary}) . ', Cache-Control: ' . told($head{'Cache-Control'});
}

# With prefork a server is a worker: of several, one is not all.
serve(children => 4, modules => [qw(http2 remoteip setenvif)], conf => <<"CONF");
Protocols h2c http/1.1
Redir307Flags "@{[folder()]}/flags"
Redir307TrustProxy 127.0.0.0/8
RemoteIPHeader X-Client
RemoteIPInternalProxy 127.0.0.1
SetEnvIf X-Country (..) COUNTRY=\$1
CONF
like(h2('GET', '/header', @beta)->head, qr{\AHTTP/2 }, 'this is HTTP/2');
for my $row (@table) {
    my ($name, $method, $target, $wanted, $vary, $cache, @fields) = @$row;
    my @sent;
    my $accepts;
    while (my ($field, $value) = splice @fields, 0, 2) {
        $accepts = 1 if $field eq 'Accept';
        push @sent, $field, $value if defined $value;
    }
    my $right = "$wanted, Vary: " . told($vary) . ', Cache-Control: ' . told($cache);
    is(rulec_said($method, $target, @sent), $right, "rulec: $name");
    my @h2_sent = @sent;
    # curl says that it takes anything unless it is told what; "Accept:" takes the field away.
    push @h2_sent, 'Accept', '' if !grep { $_ eq 'Accept' } @sent;
    for my $try (['HTTP/1.1', request($method, $target, @sent)], ['HTTP/2', h2($method, $target, @h2_sent)]) {
        my ($protocol, $response) = @$try;
        my $good = is(said($response) . ', Vary: ' . told($response->field('Vary')) . ', Cache-Control: ' . told($response->field('Cache-Control')),
            $right, "$protocol: $name");
        diag($response->head) if !$good;
    }
}
for my $try (['HTTP/1.1', \&request], ['HTTP/2', \&h2]) {
    my ($protocol, $asked) = @$try;
    is($asked->('GET', '/books', @beta)->field('Link'), '<https://law.example/1>; rel="blocked-by"', "$protocol: 451 says by whom");
    is($asked->('GET', '/later', @beta)->field('Retry-After'), '60', "$protocol: 503 says until when");
}
# httpd's own word about a method that nobody answers.
announce(qr/AH00135/);
stop();
done_testing();
