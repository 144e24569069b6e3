#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Hostile requests 3: hosts. Which site's rules are asked is httpd's normal form of the Host field or :authority and
# nothing else; no field of the client stands in an answer.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Hostile;
use Redir307::Httpd;
use Redir307::Transports;
use Test::More;

rules(<<'END');
/r/* -> /s/* permanent
/    -> /front
/x   -> /any
site lab.test { /old -> https://new.test/n; /abs -> https://{host}/there }
site *.shop.test { /x -> /below }
site **.tree.test { /x -> /tree }
site {lang:en|de}.lang.test { /x -> https://{lang}.new.test/ }
site 127.0.0.1 { /x -> /v4 }
site [::1] { /x -> /v6 }
site [fe80::1] { /x -> /v6-other }
site port.test:8443 { /x -> /port }
site xn--bcher-kva.test { /x -> /books }
/scheme -> /secure { when scheme https }
END
origins('https://new.test', 'https://en.new.test', 'https://de.new.test', 'https://lab.test');
serve_all();
my $here = '307 https://new.test/n';
my $refused = qr/\A(?:400|RST_STREAM 1)\z/;

# ---- one host in many forms ----

for my $host ('lab.test', 'LAB.TEST', 'Lab.Test', 'lab.test.', 'LAB.test.:80', 'lab.test:80', 'lab.test:443', 'lab.test:8080', 'lab.test:65535', 'lab.test:' . port()) {
    gets('/old', $here, "\"$host\" is this site", Host => $host);
    gets('/abs', '307 https://lab.test/there', 'a host in a target has no port of the client\'s', Host => $host);
}
for my $host ('evil.test', 'lab.test.evil.test', 'evil-lab.test', 'lab.tes', 'lab.test-', 'lab.test.x', 'llab.test', '.lab.test', 'xn--lab.test', 'lab_test', 'lab.test.:65535.evil.test') {
    my $is_host = $host !~ /:6/;
    gets('/old', $is_host ? '404' : $refused, "\"$host\" is another host", Host => $host);
    my $answers = gets('/r/x', $is_host ? '308 /s/x' : $refused, 'a path target stays one: no host poisons it', Host => $host);
    unlike($answers->{$_}->text, qr/\Q$host/i, "$_: and \"$host\" stands nowhere in the answer") for sort keys %$answers;
}

# ---- wildcards, closed sets, addresses, ports ----

for my $row (
    ['a.shop.test', '307 /below', 'one label below'], ['A.Shop.Test.', '307 /below', 'in any case, with a dot behind'], ['a.b.shop.test', '307 /below', 'two labels below'],
    ['-.shop.test', '307 /below', 'an odd label is one'], ['_x.shop.test', '307 /below', 'and another'],
    ['shop.test', '307 /any', 'the domain itself is not below it'], ['evilshop.test', '307 /any', 'a name that only ends alike'], ['.shop.test', '307 /any', 'an empty label'],
    ['a.shop.test.evil.test', '307 /any', 'a name that only begins alike'], ['shop.test.a', '307 /any', 'or the other way round'],
    ['tree.test', '307 /tree', '** takes the domain'], ['a.tree.test', '307 /tree', 'and all below'], ['eviltree.test', '307 /any', 'and nothing beside'],
    ['de.lang.test', '307 https://de.new.test/', 'a name of the closed set'], ['DE.lang.test', '307 https://de.new.test/', 'in lower case in the target'],
    ['fr.lang.test', '307 /any', 'another is not of the set'], ['evil.test#.lang.test', $refused, 'nor is what is no host'], ['de.evil.lang.test', '307 /any', 'nor two labels'],
    ['127.0.0.1', '307 /v4', 'an address is a host'], ['127.0.0.1:8080', '307 /v4', 'with any port'], ['127.0.0.01', qr/\A(?:307 \/any|400|RST_STREAM 1)\z/, 'another spelling is not taken for it'],
    ['[::1]', '307 /v6', 'an IPv6 address in brackets'], ['[::1]:80', '307 /v6', 'with a port'], ['[FE80::1]:80', '307 /v6-other', 'in upper case'], ['[::2]', '307 /any', 'another address'],
    ['[::1].evil.test', $refused, 'a name behind an address'], ['[::1', $refused, 'a bracket without end'], ['::1', $refused, 'an address without brackets'], ['[]', $refused, 'brackets around nothing'],
    ['port.test:8443', '307 /port', 'a site on a port'], ['port.test', '307 /any', 'is not that host on another'], ['port.test:84430', $refused, 'a port too high'], ['port.test:8444', '307 /any', 'nor on the next'],
    ['xn--bcher-kva.test', '307 /books', 'an internationalised name as it is sent'], ['XN--BCHER-KVA.test', '307 /books', 'in upper case'],
    ) {
    my ($host, $wanted, $name) = @$row;
    gets('/x', $wanted, "$name (\"$host\")", Host => $host);
}

# ---- what is no host: httpd refuses it before any rule is asked ----

for my $host ('', 'a..b', 'a..b.', 'lab.test..', '.', 'a:99999', 'a:0', 'a:', 'a:b', 'a:80:80', 'a:-1', 'a:8 0', '127.1', '1234', '0x7f.1', 'a b', 'a,b', 'a@b', 'lab.test@evil.test', 'a/b', 'lab.test/evil', 'a\b', 'a?b',
    'a#b', '*.x', '*', "a\tb", "a\x01b", "a\x7fb", "\xc3\xa9.test", "lab.test\xff", "a%2eb", 'http://lab.test') {
    # An octal, hexadecimal or encoded name is a name to httpd, and one without rules.
    my $wanted = $host =~ /^(?:0x7f\.1|a%2eb)$/ ? qr/\A(?:308 \/s\/x|400|RST_STREAM 1)\z/ : $refused;
    (my $shown = $host) =~ s/([^\x20-\x7e])/sprintf '\\x%02x', ord $1/ge;
    gets('/r/x', $wanted, "\"$shown\" is no host", Host => $host);
    gets('/old', $host =~ /^(?:0x7f\.1|a%2eb)$/ ? qr/\A(?:404|400|RST_STREAM 1)\z/ : $refused, "nor this site's (\"$shown\")", Host => $host);
}
over([http1()], sub { gets('/r/x', '400', 'two Host fields', Host => "lab.test\r\nHost: evil.test") });
over([http1()], sub { gets('/r/x', '400', 'even when they are equal', Host => "lab.test\r\nHost: lab.test") });
over([http1()], sub { gets('/r/x', '400', 'a Host field that is folded', Host => "lab.test\r\n evil.test") });
gets('/r/x', $refused, 'no host at all', Host => undef);

# ---- fields that other software believes ----

my @lies = ('X-Forwarded-Host' => 'evil.test', 'X-Host' => 'evil.test', Forwarded => 'host=evil.test;proto=http', 'X-Original-URL' => '/evil', 'X-Rewrite-URL' => '/evil', 'X-Forwarded-Server' => 'evil.test',
    'X-Forwarded-Port' => '666', 'X-HTTP-Method-Override' => 'EVIL', 'X-Forwarded-Prefix' => '/evil', 'X-Forwarded-Proto' => 'evil', 'Front-End-Https' => 'on', Via => '1.1 evil', Referer => 'https://evil.test/',
    Origin => 'https://evil.test', 'X-Real-IP' => '6.6.6.6', 'X-Forwarded-For' => '6.6.6.6', 'True-Client-IP' => '6.6.6.6');
for my $row (['/r/x', '308 /s/x'], ['/old', $here], ['/abs', '307 https://lab.test/there'], ['/nothing', '404'], ['/', '307 /front']) {
    my $answers = gets($row->[0], $row->[1], 'fields that name other hosts and URLs are not asked', @lies);
    unlike($answers->{$_}->text, qr/evil|666/i, "$_: and stand nowhere in the answer") for sort keys %$answers;
}
for my $transport (transports()) {
    my $is_secure = is_tls($transport);
    over([$transport], sub {
        gets('/scheme', $is_secure ? '307 /secure' : '404', 'the scheme is the connection\'s');
        gets('/scheme', $is_secure ? '307 /secure' : '404', 'and not what a client says', 'X-Forwarded-Proto' => $is_secure ? 'http' : 'https', Forwarded => 'proto=https');
    });
}

# ---- the request target names a host ----

for my $transport (http1()) {
    my ($own, $other) = is_tls($transport) ? qw(https http) : qw(http https);
    over([$transport], sub {
        gets("$own://lab.test/old", $here, 'absolute-form decides over the Host field', Host => 'evil.test');
        gets("$own://LAB.test.:80/old", $here, 'in any form', Host => 'evil.test');
        gets("$own://evil.test/old", '404', 'and against it', Host => 'lab.test');
        gets("$other://lab.test/old", '404', 'but not with another scheme than the connection\'s', Host => 'evil.test');
        gets("$other://evil.test/old", $here, 'then the Host field counts', Host => 'lab.test');
        gets("$own://lab.test", '307 /front', 'without a path it asks for /');
        gets("$own://lab.test?a=b", '307 /front?a=b', 'with a query, too');
        gets("$own://lab.test//evil.test/r/x", '404', 'slashes behind it are merged');
        gets("$own://user\@lab.test/old", '400', 'an account is refused');
        gets("$own://\@lab.test/old", '400', 'an empty one, too');
        gets("$own:///old", qr/\A(?:400|404)\z/, 'no host in it');
        gets("$own:/old", qr/\A(?:400|404)\z/, 'no authority in it');
        gets("$own://lab.test:99999/old", $here, 'a port that is none there is httpd\'s to refuse, which it does not: no answer has a port');
        gets("$own://a..b/r/x", '400', 'a host that is none');
        gets("$own://[::1]/x", '307 /v6', 'an address');
        gets("ftp://lab.test/old", '400', 'a scheme of another kind');
        gets("//lab.test/old", '404', 'two slashes name no host', Host => 'evil.test');
    });
}
is(raw("GET /r/x HTTP/1.0\r\n\r\n")->field('Location'), '/s/x', 'HTTP/1.0 without a Host: the rules for every host hold');
is(raw("GET /old HTTP/1.0\r\n\r\n")->field('Location'), undef, 'and those of no site');
is(raw("GET /old HTTP/1.0\r\nHost: lab.test\r\n\r\n")->field('Location'), 'https://new.test/n', 'with one, its own');
my $simple = raw("GET /r/x\r\n");
unlike($simple->text, qr/^Location/m, 'HTTP/0.9 gets a note and no head');

over([http2()], sub {
    gets('/old', $here, ':authority decides over a host field', host => 'evil.test');
    gets('/old', '404', 'and against it', Host => 'evil.test', host => 'lab.test');
    gets('/old', $here, 'only a host field', Host => undef, host => 'lab.test');
    gets('/old', $refused, 'two host fields', Host => undef, host => 'lab.test', host => 'evil.test');
    gets('/old', $refused, 'two authorities', 'Host' => 'lab.test', ':authority' => "lab.test\0:authority");
    gets('/old', $refused, 'an account in the authority', Host => 'user@lab.test');
    gets('/old', $refused, "a path that is \"$_\"", ':path' => $_) for '', 'old', '*', 'http://lab.test/old', 'https://lab.test/old', '?x', '@evil.test', 'lab.test:80', "/old\n", "/old\r\nHost: evil.test", "/o ld", "/old\x01", "/old\x7f", " /old";
    gets('/old', $refused, 'no path', ':path' => undef);
    gets('/old', $refused, 'no method', ':method' => undef);
    gets('/old', $refused, 'no scheme', ':scheme' => undef);
    gets('/old', $refused, 'a scheme of another kind', ':scheme' => 'ftp');
    gets('/old', $refused, 'an unknown pseudo field', ':evil' => 'x');
    gets('/old', $refused, 'a method that is two words', ':method' => 'GET /r/x HTTP/1.1');
    gets('/old', $refused, 'a method with a line end', ':method' => "GET\r\n");
    gets('/old', $refused, 'a field with a line end', 'x-a' => "b\r\nx-injected: y");
    gets('/old', $refused, 'a field name with a line end', "x-a\r\nhost" => "evil.test");
    gets('/old', $refused, 'a field of HTTP/1.1\'s framing', 'transfer-encoding' => 'chunked');
    gets('/old', $refused, 'another one', 'connection' => 'keep-alive');
});
for my $transport (http2()) {
    over([$transport], sub { gets('/scheme', is_tls($transport) ? '307 /secure' : '404', 'the scheme is the connection\'s, whatever :scheme says', ':scheme' => $_) for 'http', 'https' });
}
stop();

# ---- a forwarded scheme: from a trusted proxy only ----

serve_all(conf => "Redir307TrustProxy 192.0.2.0/24\n");
for my $transport (transports()) {
    my $is_secure = is_tls($transport);
    over([$transport], sub { gets('/scheme', $is_secure ? '307 /secure' : '404', 'a client that is no trusted proxy is not believed', 'X-Forwarded-Proto' => $is_secure ? 'http' : 'https') });
}
stop();
serve_all(conf => "Redir307TrustProxy 127.0.0.1\n");
# What is no scheme is none: then the connection's counts.
for my $row (['https', 1], ['HTTPS', 1], ['http', 0], ['https, http', 0], ['http, https', 1], ["https\xff", undef], ['https://evil.test', undef], ['evil', undef], ['', undef]) {
    for my $transport (transports()) {
        my $is_secure = $row->[1] // is_tls($transport);
        (my $shown = $row->[0]) =~ s/\xff/\\xff/;
        over([$transport], sub {
            my $answers = gets('/scheme', $is_secure ? '307 /secure' : '404', "a trusted proxy says \"$shown\"", 'X-Forwarded-Proto' => $row->[0]);
            is($answers->{$transport}->field('Vary'), 'X-Forwarded-Proto', "and Vary says that it was asked over $transport");
        });
    }
}
stop();
inputs_told();
done_testing();
