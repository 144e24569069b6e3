#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What an answer looks like on the wire: status by rule and method, Location, query, fields, body.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Httpd;
use Test::More;

rules(<<'END');
/pay           -> https://pay.example/
/cart          -> /basket               permanent
/sale/*        -> /deals/*              found
/moved         -> /new                  moved
/form-done     -> /thanks               see-other
/auto          -> /auto2                temporary auto
/auto-for-good -> /auto3                permanent auto
/old-shop      gone
/forbidden     403
/legal         unavailable-for-legal-reasons { blocked-by https://court.example/order }
/closed        503 { retry-after 2m }
/p/{id:int}    -> /product/{id}
/search?q={t}  -> /find?query={t}
/keep          -> /kept
/drop          -> /dropped { query drop }
/form          -> /form-v2 { when method POST }
/custom        -> /c { header X-Team "web"; cache 1h }
/default-cache -> /c { cache default }
/quiet         -> /c { cache none }
/own-page      gone
END

serve(
    modules => ['headers', 'alias'],
    conf    => <<"CONF",
ErrorDocument 303 "see there"
Header always set X-Always yes
Header set X-Success yes
CONF
);

redirects('POST', '/pay', 307, 'https://pay.example/', 'a POST is sent on as a POST');
redirects('GET',  '/pay', 307, 'https://pay.example/', 'and a GET as a GET');
redirects('PUT',  '/pay', 307, 'https://pay.example/', 'and a PUT as a PUT');
redirects('FOO',  '/pay', 307, 'https://pay.example/', 'a method that httpd does not know is one like any other');
redirects('POST', '/pay', 307, 'https://pay.example/', 'a POST with a body', body => 'x' x 70_000);
leaves('GET', '/basket', 'a path without a rule is left to httpd');
leaves('GET', '/page.html', 'a page without a rule is served', status => 200);

redirects('GET', '/cart',         308, '/basket',  'permanent is 308');
redirects('GET', '/sale/a/b.html', 302, '/deals/a/b.html', 'found is 302, and the rest of the path goes along');
redirects('GET', '/sale',         302, '/deals',   'the subtree itself, without a slash');
redirects('GET', '/sale/',        302, '/deals/',  'and with one');
redirects('GET', '/moved',        301, '/new',     'moved is 301');
redirects('POST', '/form-done',   303, '/thanks',  'see-other is 303');
redirects('GET', '/p/17',         307, '/product/17', 'a placeholder');
leaves('GET', '/p/seventeen', 'a placeholder of another type');

redirects('GET',  '/auto',          302, '/auto2', 'temporary auto: the older code for GET');
redirects('HEAD', '/auto',          302, '/auto2', 'and for HEAD');
redirects('POST', '/auto',          307, '/auto2', 'the strict one for POST');
redirects('GET',  '/auto-for-good', 301, '/auto3', 'permanent auto: the older code for GET');
redirects('POST', '/auto-for-good', 308, '/auto3', 'the strict one for POST');

# ---- without a target ----

my $gone = answers('GET', '/old-shop', 410, 'gone is 410');
is($gone->field('Location'), undef, 'without a Location');
is(answers('POST', '/forbidden', 403, 'a number is that status')->field('Location'), undef, 'without a Location');
like(answers('GET', '/legal', 451, 'legal reasons are 451')->field('Link'), qr{<https://court\.example/order>\s*;.*blocked-by},
    'and say who blocks');
is(answers('GET', '/closed', 503, 'closed for now')->field('Retry-After'), '120', 'and when to come again');

# ---- the target's address ----

my $relative = redirects('GET', '/keep', 307, '/kept', 'a path stays a path: no host is guessed', Host => 'evil.test:444');
unlike($relative->text, qr/evil\.test/, 'so a Host field poisons nothing');
redirects('GET', '/keep?a=1&b=2', 307, '/kept?a=1&b=2', 'the query is kept');
redirects('GET', '/keep?', 307, '/kept', 'a bare question mark is no query');
redirects('GET', '/drop?a=1', 307, '/dropped', 'query drop');
my $search = request('GET', '/search?q=tea&page=2');
is($search->field('Location'), '/find?query=tea&page=2', 'a parameter is consumed, the rest follows');
leaves('GET', '/search', 'without the parameter the rule does not hold');
redirects('GET', 'http://lab.test/keep', 307, '/kept', 'absolute-form is answered alike');

# ---- methods ----

redirects('POST', '/form', 307, '/form-v2', 'a rule for POST');
leaves('GET', '/form', 'is none for GET');
leaves('post', '/form', 'and none for "post": case counts', status => 501);
announce(qr{AH00135: Invalid method in request post /form});

redirects('OPTIONS', '/pay', 307, 'https://pay.example/', 'OPTIONS is a method like any other');
my $preflight = answers('OPTIONS', '/pay', 200, 'but a CORS preflight is left alone, for browsers fail one that is redirected',
    Origin => 'https://shop.example', 'Access-Control-Request-Method' => 'POST');
is($preflight->field('Location'), undef, 'it is httpd\'s to answer');

# ---- fields ----

my $answer = request('GET', '/pay');
is($answer->field('Cache-Control'), 'no-cache', 'a temporary redirect is asked for again');
is(request('GET', '/cart')->field('Cache-Control'), 'max-age=3600', 'a permanent one for an hour at most');
is(request('GET', '/custom')->field('Cache-Control'), 'max-age=3600', 'cache 1h');
is(request('GET', '/custom')->field('X-Team'), 'web', 'a header of the rule');
is(request('GET', '/default-cache')->field('Cache-Control'), undef, 'cache default sends none');
is(request('GET', '/quiet')->field('Cache-Control'), 'no-store', 'cache none');
for my $path (qw(/pay /cart /sale/x /moved /old-shop)) {
    ok(defined request('HEAD', $path)->field('Cache-Control'), "Cache-Control arrives at HEAD $path");
}
is($answer->field('X-Always'), 'yes', 'Header always holds for redirects');
is($answer->field('X-Success'), undef, 'Header does not');
is($answer->field('Vary'), undef, 'no Vary where no request field was read');

# ---- the note ----

like($answer->body, qr{The document has moved <a href="https://pay\.example/">}, 'a short note for people');
is($answer->field('Content-Length'), length $answer->body, 'of the length that is said');
like($answer->field('Content-Type'), qr{^text/html\b}, 'and as HTML');
like($answer->body, qr{<title>307 Temporary Redirect</title>}, 'with the status in words');
like(request('GET', '/pay?a=1&b="<i>')->body, qr{href="https://pay\.example/\?a=1&amp;b=%22%3Ci%3E"}, 'whose link is escaped');
is(request('HEAD', '/pay')->body, '', 'but not at HEAD');
is(request('HEAD', '/pay')->field('Content-Length'), $answer->field('Content-Length'), 'which says the length of what GET sends');
unlike(request('GET', '/old-shop')->body, qr{has moved}, 'what has no target is httpd\'s own page');
is(request('GET', '/form-done')->body, 'see there', 'an ErrorDocument text takes its place');
is(request('GET', '/form-done')->field('Location'), '/thanks', 'and the Location stays');

# ---- fields of others beside ours ----

stop();
for my $note (qw(on off)) {
    serve(modules => ['headers'], conf => <<"CONF");
Redir307Note $note
Header always set Cache-Control public early
<Location /pay>
    Header always append Cache-Control stale-if-error=60
</Location>
<Location /moved>
    Header always unset Cache-Control
</Location>
CONF
    my %lines = map { ($_ => join '|', request('GET', $_)->head =~ /^(Cache-Control:.*?)\r?$/mig) } qw(/pay /moved /keep);
    is($lines{'/pay'},   'Cache-Control: no-cache, stale-if-error=60', "Header always adds to our Cache-Control (note $note)");
    is($lines{'/moved'}, '',                                           'or takes it away');
    is($lines{'/keep'},  'Cache-Control: no-cache',                    'and ours stands for what was set before');
    my ($get, $head) = map { request($_, '/keep') } qw(GET HEAD);
    is($get->field('Content-Length'), length $get->body, 'the Content-Length is that of the body');
    is(length $get->body ? 'on' : 'off', $note, 'which is there where it is wanted');
    is($head->field('Content-Length') // 0, length $get->body, 'and HEAD says the same');
    stop();
}
serve(modules => ['headers']);

# ---- the connection ----

my $two = raw("GET /pay HTTP/1.1\r\nHost: lab.test\r\n\r\nGET /cart HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\n\r\n");
like($two->text, qr{307 Temporary Redirect.*308 Permanent Redirect}s, 'a connection goes on after a redirect');
my $body = raw("POST /pay HTTP/1.1\r\nHost: lab.test\r\nContent-Length: 5\r\n\r\nhelloGET /cart HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\n\r\n");
like($body->text, qr{307 Temporary Redirect.*308 Permanent Redirect}s, 'and after a body that nobody wanted');
my $expect = raw("POST /pay HTTP/1.1\r\nHost: lab.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
is($expect->status, 307, 'who asks before sending a body is redirected at once');
is(scalar $expect->interim, 0, 'without 100 Continue');

my $old = raw("POST /pay HTTP/1.0\r\nHost: lab.test\r\n\r\n");
is($old->status . ' ' . $old->field('Location'), '307 https://pay.example/', 'HTTP/1.0 is answered, too');
is(raw("GET /keep HTTP/1.0\r\n\r\n")->field('Location'), '/kept', 'even without a Host');

SKIP: {
    skip 'no mod_http2', 6 if !has_module('http2');
    serve(modules => ['http2', 'headers'], conf => "Protocols h2c http/1.1\nHeader always set X-Always yes\n");
    my $h2 = h2('POST', '/pay');
    skip 'curl cannot speak HTTP/2', 6 if !$h2;
    is($h2->status, 307, 'over HTTP/2: the status');
    is($h2->field('Location'), 'https://pay.example/', 'the Location');
    is($h2->field('Cache-Control'), 'no-cache', 'Cache-Control');
    is($h2->field('X-Always'), 'yes', 'and Header always');
    is(h2('HEAD', '/sale/a')->field('Location'), '/deals/a', 'HEAD');
    is(h2('GET', '/page.html')->status, 200, 'what has no rule is left to httpd');
}

stop();
done_testing();
