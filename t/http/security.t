#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Hostile requests: bytes that try to get into a Location, hosts that try to become its authority, request forms that
# try to get around the guards, paths that try to look like others. Every case is asked over HTTP/1.1, and over HTTP/2
# where it can be said there.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Httpd;
use Test::More;
use Time::HiRes qw(time);

rules(<<'END');
/r/*     -> /s/*        permanent
/all/*   -> /*
/        -> /front
/g       gone
/short   -> https://new.test
/long/*  -> https://long.example/and/some/more/of/it/*
/own?k=v -> /owned?x=1
/qown    -> /q?k=v
site lab.test {
    /old  -> https://new.test/n
    /p/*  -> https://new.test/q/*
    /only-get -> /got { when method GET }
    /FOO  -> /foo { when method FOO }
}
site *.shop.test { /x -> /shop }
site 127.0.0.1 { /ip -> /v4 }
END

my $has_http2 = has_module('http2');
sub start {
    my ($conf) = @_;
    serve(modules => [qw(http2 alias)], conf => ($has_http2 ? "Protocols h2c http/1.1\n" : '') . ($conf // ''));
    return;
}

# What must hold for every answer of ours, however it came to be.
sub is_sound {
    my ($response, $name) = @_;
    my @locations = $response->fields('Location');
    my @problems;
    push @problems, scalar(@locations) . ' Locations' if @locations > 1;
    for my $location (@locations) {
        push @problems, 'a byte that may not stand' if $location =~ /[^\x21-\x7e]/ || $location =~ /["<>\\^`{|}]/;
        push @problems, 'a path that a browser takes for a host' if $location =~ m{^/[/\\]};
        push @problems, 'two question marks' if ($location =~ tr/?//) > 1;
    }
    push @problems, 'a field of the client\'s making' if $response->fields('Set-Cookie') || $response->fields('X-Injected');
    return is(join('; ', @problems), '', "$name: sound");
}

# Locations are compared with escapes in upper case.
sub upper { my ($text) = @_; $text =~ s/(%[0-9a-f]{2})/\U$1/gi if defined $text; return $text }

my $is_over_h2_asked = 1;
sub sends {
    my ($target, $location, $name, @headers) = @_;
    my %by = ('HTTP/1.1' => request('GET', $target, @headers));
    $by{'HTTP/2'} = h2('GET', $target, @headers) if $has_http2 && $is_over_h2_asked && $target !~ /[^\x21-\x7e]|[\\"<>{}|^`#]/;
    for my $protocol (sort keys %by) {
        my $response = $by{$protocol} or next;
        is(upper($response->field('Location')) // '(' . $response->status . ')', upper($location), "$name ($protocol)");
        is_sound($response, "$name ($protocol)");
    }
    return;
}

sub refused {
    my ($target, $status, $name, @headers) = @_;
    my $response = request('GET', $target, @headers);
    like($response->status, $status, $name);
    is($response->field('Location'), undef, "$name: no Location");
    return;
}

start();

# ---- 1. bytes into Location ----

my $q = 'https://new.test/q';
sends('/p/%0d%0aSet-Cookie:x=1', "$q/%0D%0ASet-Cookie:x=1", 'a line end stays encoded');
sends('/p/%0a', "$q/%0A", 'line feed');
sends('/p/%0d', "$q/%0D", 'carriage return');
sends('/p/%0d%0a%20fold', "$q/%0D%0A%20fold", 'what would be a folded line');
sends('/p/%0d%0a%09fold', "$q/%0D%0A%09fold", 'with a tab');
sends("/p/%$_", "$q/%\U$_", "%$_ stays encoded") for qw(09 7f 01 1b);
is(log_count(qr/AH02430/), 0, 'httpd\'s own net had nothing to catch');
sends('/p/%ff', "$q/%FF", 'a byte that is no UTF-8');
sends('/p/%c0%ae%c0%ae/', "$q/%C0%AE%C0%AE/", 'an overlong dot');
sends("/p/\xff", "$q/%FF", 'a raw byte');
sends("/p/\xc3\xa9t\xc3\xa9", "$q/%C3%A9t%C3%A9", 'raw UTF-8');
sends('/p/%3Fa=b', "$q/%3Fa=b", 'an encoded question mark starts no query');
sends('/p/%23x', "$q/%23x", 'nor an encoded # a fragment');
sends('/p/%25', "$q/%25", 'an encoded percent sign');
sends('/p/%2541', "$q/%2541", 'is neither decoded twice nor encoded twice');
sends('/p/"><script>', "$q/%22%3E%3Cscript%3E", 'raw HTML');
sends('/p/%22%3E%3Cscript%3E', "$q/%22%3E%3Cscript%3E", 'encoded HTML');
unlike(request('GET', '/p/"><script>alert(1)</script>')->body, qr/<script>/, 'the note shows no HTML of the client');
sends('/p/a%5cb', "$q/a%5Cb", 'an encoded backslash');
sends('/p/a\b', "$q/a%5Cb", 'a raw one');
sends('/p/{x}|^`', "$q/%7Bx%7D%7C%5E%60", 'bytes that may not stand in a URI');
sends('/p/a%20b', "$q/a%20b", 'a space stays %20');
sends('/p/a+b', "$q/a+b", 'a plus sign stays');
sends('/p/x?a=%0d%0aX-Injected:y', "$q/x?a=%0d%0aX-Injected:y", 'a query is passed on as it came');
sends("/p/x?a=\xff", "$q/x?a=%FF", 'but for bytes that may not stand');
sends('/p/x?a="<>\^`{|}', "$q/x?a=%22%3C%3E%5C%5E%60%7B%7C%7D", 'all of them');
sends('/p/x?', "$q/x", 'a bare question mark is dropped');
sends('/qown?a=b', '/q?k=v&a=b', 'a target with a query of its own gets the rest behind it');
sends('/qown?k=w&a=b', '/q?k=v&a=b', 'its own parameter wins');
sends('/own?k=v&a=b', '/owned?x=1&a=b', 'what the source consumed is gone');
refused('/long/' . '%0a' x 2720, qr/^414$/, 'a Location that would be too long');
is(request('GET', '/p/' . 'a' x 8000)->status, 307, 'a long one is sent');
is(log_count(qr/AH02430/), 0, 'and still the net had nothing to catch');

# ---- 2. open redirect ----

for my $conf ('', "MergeSlashes Off\n", "AllowEncodedSlashes NoDecode\n", "AllowEncodedSlashes On\n", "MergeSlashes Off\nAllowEncodedSlashes NoDecode\n") {
    stop();
    start($conf);
    my $name = $conf =~ s/\n/ /gr || 'as shipped';
    for my $target (qw(//evil.test/r/x ///evil.test //evil.test/p/x /.//evil.test/ /x/..//evil.test)) {
        my $response = request('GET', $target);
        is_sound($response, "$name: $target");
        is($response->field('Location'), undef, "$name: $target is a path like any other, without a rule") if $target !~ m{^/\.?/?$};
    }
    for my $tail ('/evil.test', '//evil.test', '%2fevil.test', '%2f%2fevil.test', '\evil.test', '%5cevil.test', '%5c%5cevil.test', '%09/evil.test', '%0a/evil.test',
        '/%09/evil.test', '.%2fevil.test', './/evil.test', '../r//evil.test', 'x/..//evil.test', '%2e//evil.test', '%2e%2e/all//evil.test', '@evil.test', ';//evil.test') {
        for my $prefix ('/r/', '/all/') {
            my $response = request('GET', "$prefix$tail");
            my $location = $response->field('Location');
            is_sound($response, "$name: $prefix$tail");
            next if !defined $location;
            my $front = $prefix eq '/r/' && $tail !~ m{/all/} ? qr{^/s(?:/|$)} : qr{^/(?![/\\])};
            like($location, $front, "$name: $prefix$tail stays on this host");
        }
    }
}
stop();
start();
sends('/r//evil.test', '/s/evil.test', 'empty segments are merged');
sends('/all//evil.test', '/evil.test', 'before a bare slash, too');
sends('/all/%5cevil.test', '/%5Cevil.test', 'a backslash stays encoded');
refused('/r/%2fevil.test', qr/^404$/, 'an encoded slash is httpd\'s 404');
sends("/p/$_", "$q/$_", "\"$_\" stays inside the path") for '@evil.test', '.evil.test', ':80@evil.test';
refused("/short$_", qr/^404$/, "\"/short$_\" is another path") for '.evil.test', '@evil.test', 'X', ':80';
sends('/short', 'https://new.test', 'while /short has a rule');
sends("/r/$_", "/s/\U$_", "$_ is bytes and nothing else") for qw(%e3%80%82 %ef%bc%8f %e2%81%84 %e2%88%95 %ef%bc%8e);

# ---- 3. host ----

for my $host ('LAB.TEST', 'lab.test.', 'lab.test:80', 'lab.test:8080', 'Lab.Test:' . port()) {
    my $response = request('GET', '/old', Host => $host);
    is($response->field('Location'), 'https://new.test/n', "Host: $host is this site");
}
my $poisoned = request('GET', '/r/x', Host => 'evil.test', 'X-Forwarded-Host' => 'evil2.test', 'X-Host' => 'evil2.test', Forwarded => 'host=evil2.test',
    'X-Original-URL' => '/evil2', 'X-Rewrite-URL' => '/evil2');
is($poisoned->field('Location'), '/s/x', 'a path target stays one, whatever the fields say');
unlike($poisoned->text, qr/evil/, 'and none of them stands in the answer');
refused('/old', qr/^404$/, 'another host has not this site\'s rules', Host => 'evil.test');
for my $host ('', 'a..b.', 'a:99999', 'a:0', 'a:', '127.1', '1234', 'a b', 'a,b', 'a@b', 'a/b', '*.x', "\xc3\xa9.test") {
    my $response = raw("GET /r/x HTTP/1.1\r\nHost: $host\r\nConnection: close\r\n\r\n");
    is($response->status, 400, "Host: \"$host\" is refused by httpd");
    is($response->field('Location'), undef, 'before any rule is asked');
}
is(raw("GET /r/x HTTP/1.1\r\nHost: lab.test\r\nHost: evil.test\r\nConnection: close\r\n\r\n")->status, 400, 'and so are two of them');
is(raw("GET /r/x HTTP/1.0\r\n\r\n")->field('Location'), '/s/x', 'without a Host the rules for every host hold');
is(raw("GET /old HTTP/1.0\r\n\r\n")->field('Location'), undef, 'and those of no site');
is(raw("GET http://lab.test/old HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n")->field('Location'), 'https://new.test/n', 'absolute-form decides over the Host field');
is(raw("GET http://LAB.test:80/old HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n")->field('Location'), 'https://new.test/n', 'in any case and with a port');
is(raw("GET https://lab.test/old HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n")->field('Location'), undef, 'but not with another scheme than the connection\'s');
is(raw("GET http://lab.test HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\n\r\n")->field('Location'), '/front', 'and without a path it asks for /');
is(raw("GET http://lab.test?a=b HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\n\r\n")->field('Location'), '/front?a=b', 'with a query, too');
is(request('GET', '/ip', Host => "127.0.0.1:" . port())->field('Location'), '/v4', 'an address is a host');
for my $case (['a.shop.test', 1], ['A.Shop.Test', 1], ['shop.test', 0], ['evilshop.test', 0], ['a.shop.test.evil.test', 0]) {
    my ($host, $is_below) = @$case;
    is(request('GET', '/x', Host => $host)->field('Location'), $is_below ? '/shop' : undef, "$host is " . ($is_below ? '' : 'not ') . 'below shop.test');
}
is(raw("GET /r/x HTTP/1.1\r\nHost: .shop.test\r\nConnection: close\r\n\r\n")->field('Location') // '/s/x', '/s/x', 'a host that starts with a dot harms nobody');

# ---- 4. methods and request forms ----

is(raw("OPTIONS * HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\n\r\n")->status, 200, 'OPTIONS * is answered by httpd');
my $connect = raw("CONNECT lab.test:80 HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\n\r\n");
is($connect->field('Location'), undef, 'CONNECT is not redirected, though / has a rule');
like($connect->status, qr/^4/, 'but refused');
is(request('TRACE', '/old')->field('Location'), undef, 'TRACE is not redirected');
for my $method (qw(POST PUT DELETE PATCH FOO OPTIONS)) {
    is(request($method, '/old')->status, 307, "$method keeps its method");
}
is(request('HEAD', '/old')->body, '', 'HEAD has no body');
is(request('HEAD', '/only-get')->status, 307, 'HEAD counts as GET');
is(request('POST', '/only-get')->field('Location'), undef, 'POST does not');
is(request('get', '/only-get')->field('Location'), undef, 'nor does "get"');
is(request('FOO', '/FOO')->status, 307, 'a method of one\'s own in a rule');
is(request('foo', '/FOO')->field('Location'), undef, 'case counts');
for my $target ('@evil.test', 'evil.test', '*', 'ftp://lab.test/old', 'http:/old', 'http://@lab.test/old', 'http://user@lab.test/old', '?x') {
    my $response = raw("GET $target HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\n\r\n");
    is_sound($response, "target \"$target\"");
    isnt($response->status, 307, "target \"$target\" is not redirected") if $target !~ m{^http:/};
}
my $smuggled = raw("POST /old HTTP/1.1\r\nHost: lab.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /g HTTP/1.1\r\nHost: lab.test\r\n\r\n");
unlike($smuggled->text, qr/410 Gone/, 'two framings at once: nothing in the body becomes a request');

# ---- 5. path decoding ----

sends($_, 'https://new.test/n', "$_ is /old") for qw(/./old /a/../old /%2e/old /a/%2E%2e/old //old /o%6cd /old/ /%6F%6C%64 /old?);
refused('/OLD', qr/^404$/, '/OLD is another path');
refused($_, qr/^400$/, "$_ is refused by httpd") for '/../old', '/%2e%2e/old', '/old%', '/old%zz', '/old%u0041', '/old#x';
refused($_, qr/^404$/, "$_ is a path that cannot be") for qw(/old%00 /old%00.html);
refused($_, qr/^404$/, "$_ is another path than /old") for qw(/old;v=1 /old%3bv /old%20 /old%0a /old%0d%0a /old.);
sends('/p/..;/x', "$q/..;/x", 'a segment "..;" is no way up');
sends('/p/%252e%252e/x', "$q/%252e%252e/x", 'nor is one that is encoded twice');
sends('/p/%2e%2e%2fx', '(404)', 'nor one with an encoded slash');
$is_over_h2_asked = 0;
for my $case (['8000 bytes', '/p/' . 'a' x 8000], ['4000 slashes', '/p' . '/' x 4000], ['4000 segments', '/p' . '/a' x 4000], ['4000 dots', '/p' . '/.' x 4000],
    ['2600 line ends', '/r/' . '%0a' x 2600], ['4000 parameters', '/p/x?' . 'a&' x 4000]) {
    my ($name, $target) = @$case;
    my $began = time;
    my $response = request('GET', $target);
    cmp_ok(time - $began, '<', 2, "$name: answered in time");
    like($response->status, qr/^(307|308|414)$/, "$name: by the rule");
    is_sound($response, $name);
}
refused('/p/' . 'a' x 8300, qr/^414$/, 'a longer target is httpd\'s 414');

# Over HTTP/2 a path with control bytes or without a slash does not reach us; what does is sound.
if ($has_http2) {
    for my $target ('/p/%0d%0aX-Injected:y', '//evil.test/x', '/r//evil.test', '/r/%5c%5cevil.test', '/p/%00') {
        my $response = h2('GET', $target) or next;
        is_sound($response, "HTTP/2: $target");
    }
}

# What httpd itself says to some of these.
announce(qr/AH00135: Invalid method in request|AH10244: invalid URI path/);
stop();

# ---- what rulec must not let through ----

rules_fail("/a -> $_\n", qr/error/, "the target $_ is refused") for 'javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,x', 'vbscript:x', 'file:///etc/passwd', '//host/x',
    '/\\\\host', 'https:/host', 'https:host', 'http://', 'http://[::1', 'https://user@host/', 'https://user:pw@host/', 'https://host:0/', 'https://host:65536/', 'https://host/#a#b';
rules_fail("/a/{x} -> $_\n", qr/error/, "the target $_ would let a request choose the host") for 'https://{x}/', 'https://new.test{x}', 'https://{x}.new.test/', '{x}://new.test/', '//{x}', 'https://new.test:{x}/';
rules_fail("/a gone /b\n", qr/error/, 'gone with a target');
rules_fail("/a moved\n", qr/error/, 'a redirect without one');
rules_fail("/a -> /a\n", qr/error/, 'a redirect to itself');
rules_fail("/a -> /%61\n", qr/error/, 'however it is written');
done_testing();
