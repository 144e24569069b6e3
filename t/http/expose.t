#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Redir307Expose: who redirected, in a field of the answer. Redir307Note: answers with and without a body.
# Redir307TrustProxy: whose X-Forwarded-Proto is believed, and what Vary says about it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Httpd;
use Test::More;

rules(<<'END');
/x -> /y
/gone gone
/quiet pass
/upgrade -> https://lab.test/upgraded { when scheme http }
/page.html -> https://lab.test/page.html { when scheme http }
/deflated.html -> https://lab.test/ { when scheme http }
/missing -> https://lab.test/missing { when scheme http }
/custom -> /y { header X-Team "web"; cache 1h }
END
write_file('html/deflated.html', 'a long text ' x 200);

# ---- Redir307Expose ----

serve(conf => <<'CONF');
<VirtualHost *:*>
    ServerName silent.test
</VirtualHost>
<VirtualHost *:*>
    ServerName id.test
    Redir307Expose id
</VirtualHost>
<VirtualHost *:*>
    ServerName rule.test
    Redir307Expose rule
</VirtualHost>
CONF
is(request('GET', '/x', Host => 'silent.test')->field('X-Redirect-By'), undef, 'nobody is told unless asked for');
my ($id) = read_file('error.log') =~ /R307-901.*id ([0-9a-f]{32})/;
is(request('GET', '/x', Host => 'id.test')->field('X-Redirect-By'), "redir307; id=$id", 'by the rule file\'s id');
is(request('GET', '/x', Host => 'rule.test')->field('X-Redirect-By'), 'redir307; rule=rules.redir:1', 'by file and line');
is(request('GET', '/gone', Host => 'rule.test')->field('X-Redirect-By'), 'redir307; rule=rules.redir:2', 'without a target, too');
is(request('GET', '/quiet', Host => 'rule.test')->field('X-Redirect-By'), undef, 'a request that is left to httpd says nothing');
stop();

# ---- Redir307Note off ----

serve(modules => ['headers'], conf => <<'CONF');
Redir307Note off
Header always set X-Always yes
Header set X-Success yes
ErrorDocument 410 "our own text"
CONF
my $answer = redirects('GET', '/x?a=b', 307, '/y?a=b', 'without a note');
is($answer->body, '', 'there is no body');
is($answer->field('Content-Length'), '0', 'and that is said');
is($answer->field('Content-Type'), undef, 'and no type of it');
is($answer->field('X-Always'), 'yes', 'Header always holds');
is($answer->field('X-Success'), undef, 'Header does not, as with a note');
is(request('GET', '/x')->field('Cache-Control'), 'no-cache', 'Cache-Control arrives');
is(request('GET', '/custom')->field('X-Team'), 'web', 'and a header of the rule');
is(answers('GET', '/gone', 410, 'gone')->body, '', 'no ErrorDocument either');
redirects('HEAD', '/x', 307, '/y', 'HEAD');
redirects('POST', '/x', 307, '/y', 'a POST with a body', body => 'x' x 10_000);
my $two = raw("POST /x HTTP/1.1\r\nHost: lab.test\r\nContent-Length: 5\r\n\r\nhelloGET /custom HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\n\r\n");
is(scalar(() = $two->text =~ m{^HTTP/1\.1 307}gm), 2, 'the connection goes on after it');
leaves('GET', '/nothing', 'what has no rule keeps httpd\'s own page');
SKIP: {
    skip 'no mod_http2', 4 if !has_module('http2');
    stop();
    serve(modules => ['http2'], conf => "Protocols h2c http/1.1\nRedir307Note off\n");
    my $h2 = h2('GET', '/x');
    skip 'curl cannot speak HTTP/2', 4 if !$h2;
    is($h2->status . ' ' . $h2->field('Location'), '307 /y', 'over HTTP/2');
    is($h2->body, '', 'without a body, too');
    stop();
    serve(modules => ['http2'], conf => "Protocols h2c http/1.1\n");
    like(h2('GET', '/x')->body, qr{<a href="/y">}, 'and with one where it is wanted');
    is(h2('HEAD', '/x')->body, '', 'but not at HEAD');
}
stop();

# ---- Redir307TrustProxy ----

my @https = ('X-Forwarded-Proto' => 'https');
serve(modules => ['deflate', 'filter', 'headers'], conf => "SetOutputFilter DEFLATE\n");
redirects('GET', '/upgrade', 307, 'https://lab.test/upgraded', 'X-Forwarded-Proto of anybody means nothing', @https);
is(request('GET', '/upgrade', @https)->field('Vary'), undef, 'and Vary does not name it');
stop();

serve(
    modules => ['deflate', 'filter', 'headers', 'dir'],
    conf    => <<"CONF",
Redir307TrustProxy 192.0.2.0/24 127.0.0.1
SetOutputFilter DEFLATE
ErrorDocument 403 /page.html
<Location "/varied.html">
    Header set Vary X-Other
</Location>
<VirtualHost *:*>
    ServerName lab.test
</VirtualHost>
<VirtualHost *:*>
    ServerName strict.test
    Redir307TrustProxy none
</VirtualHost>
CONF
);
redirects('GET', '/upgrade', 307, 'https://lab.test/upgraded', 'a trusted proxy that says nothing: the connection counts');
redirects('GET', '/upgrade', 307, 'https://lab.test/upgraded', 'that says http', 'X-Forwarded-Proto' => 'http');
my $left = leaves('GET', '/upgrade', 'that says https: the rule does not hold', @https);
is($left->field('Vary'), 'X-Forwarded-Proto', 'the page that follows says what it hung on');
is(request('GET', '/upgrade')->field('Vary'), 'X-Forwarded-Proto', 'and so does the redirect');
leaves('GET', '/upgrade', 'capitals do not matter', 'X-Forwarded-Proto' => 'HTTPS');
redirects('GET', '/upgrade', 307, 'https://lab.test/upgraded', 'other words do not count', 'X-Forwarded-Proto' => 'gopher');
redirects('GET', '/upgrade', 307, 'https://lab.test/upgraded', 'nor https with something behind it', 'X-Forwarded-Proto' => 'https x');
leaves('GET', '/upgrade', 'of several the last is our proxy\'s own', 'X-Forwarded-Proto' => 'http, https');
redirects('GET', '/upgrade', 307, 'https://lab.test/upgraded', 'not the first', 'X-Forwarded-Proto' => 'https, http');
is(request('GET', '/x')->field('Vary'), undef, 'a rule that does not ask for the scheme names nothing');
redirects('GET', '/upgrade', 307, 'https://lab.test/upgraded', 'a host that trusts nobody', @https, Host => 'strict.test');

# Vary joins what others say, once.
sub vary { my %seen; $seen{ lc $_ }++ for map { split /\s*,\s*/ } $_[0]->fields('Vary'); return join ' ', map { "$_:$seen{$_}" } sort keys %seen }
is(vary(request('GET', '/page.html', @https)), 'x-forwarded-proto:1', 'a page that is served names it once');
is(vary(request('GET', '/deflated.html', @https, 'Accept-Encoding' => 'gzip')), 'accept-encoding:1 x-forwarded-proto:1', 'beside mod_deflate\'s');
is(vary(request('GET', '/missing', @https)), 'x-forwarded-proto:1', 'an error page names it');
is(vary(request('GET', '/page.html', @https, 'If-None-Match' => '*')), 'x-forwarded-proto:1', '304 names it, too');
stop();
SKIP: {
    skip 'no mod_http2', 3 if !has_module('http2');
    serve(modules => ['http2', 'deflate', 'filter'], conf => "Protocols h2c http/1.1\nRedir307TrustProxy 127.0.0.1\nSetOutputFilter DEFLATE\n");
    my $h2 = h2('GET', '/page.html', @https);
    skip 'curl cannot speak HTTP/2', 3 if !$h2;
    is(vary($h2), 'x-forwarded-proto:1', 'over HTTP/2: on a page');
    is(vary(h2('GET', '/missing', @https)), 'x-forwarded-proto:1', 'on an error page');
    is(vary(h2('GET', '/upgrade')), 'x-forwarded-proto:1', 'and on a redirect');
    stop();
}
done_testing();
