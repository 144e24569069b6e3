#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Hostile rules: what rulec must refuse so that no request can choose where an answer leads, no rule splits a response,
# and no list of rules costs without bound. Sources that are broken as text: input.t; interrupted writing: compile.t;
# rule files that are broken: t/unit/ruleset_t, t/http/start.t, swap.t and damage.t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Rulec qw(rulec rules compiled run_in folder rulec_path read_bytes write_bytes);
use Test::More;

my $folder = folder();

sub shown { my ($text) = @_; $text =~ s/([^\x20-\x7e])/sprintf '\\x%02x', ord $1/ge; return length $text > 90 ? substr($text, 0, 90) . '...' : $text }

# Exit status 1, a diagnostic of this code, and no file.
sub refused {
    my ($text, $code, $name) = @_;
    unlink "$folder/hostile.r307";
    my ($status, $said) = rulec('compile', rules('hostile', $text));
    my @wrong;
    push @wrong, "exit status $status" if $status ne '1';
    push @wrong, "no $code" if $said !~ /: error: .*\[R307-$code\]/;
    push @wrong, 'a file is written' if -e "$folder/hostile.r307";
    is(join(', ', @wrong), '', "$name: " . shown($text =~ s/\n.*//sr)) or diag($said);
    return $said;
}

# Compiles, and answers this request so.
sub answers {
    my ($text, $url, $wanted, $name) = @_;
    my ($status, $said) = rulec('compile', '-q', rules('fine', $text));
    if ($status ne '0') { fail($name); diag($said); return }
    is((rulec('answer', 'fine.r307', 'GET', $url))[1], "$wanted\n", "$name: " . shown($text =~ s/\n.*//sr));
    return;
}

sub warns {
    my ($text, $code, $name) = @_;
    my ($status, $said) = rulec('check', rules('warned', $text));
    ok($status eq '0' && $said =~ /: warning: .*\[R307-$code\]/, "$name: " . shown($text =~ s/\n(?=.)/; /gr)) or diag("exit $status\n$said");
    return;
}

# ---- 2. targets that run script, or read files ----

refused("/a -> $_\n", '(?:011|038)', 'a scheme that is no redirect') for 'javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,<script>', 'vbscript:x', 'file:///etc/passwd', 'about:blank', 'blob:https://x/1',
    'view-source:https://x/', 'ftp://host/', 'ws://host/', 'mailto:a@b', 'tel:1', 'intent://x', 'x:y', 'unix:/x|http://host/', 'proxy:http://host/', 'http:alert(1)', 'https:alert(1)', 'http:/host', 'https:/host', 'https:host', 'httpsx://host/';
refused("/a -> \"$_\"\n", '(?:002|004|005|011|038)', 'however it is hidden') for ' javascript:alert(1)', "java\tscript:alert(1)", "\tjavascript:alert(1)", "java\x01script:alert(1)", "\xc2\xa0javascript:alert(1)", "\xef\xbb\xbfjavascript:alert(1)",
    "java\xc2\xadscript:alert(1)", 'java\\nscript:alert(1)', '\\u{9}javascript:alert(1)', "\x00javascript:alert(1)", '%6aavascript:alert(1)', '&#106;avascript:alert(1)', ' //host', ' https://host';

# ---- 2. targets that are another host than they look ----

refused("/a -> $_\n", '(?:011|038)', 'a path that browsers take for a host') for '//host/x', '///host', '////host', '/\\host', '/\\\\host', '\\\\host', '\\/host', '//host@evil/', '//';
refused("/a -> $_\n", '(?:011|038)', 'an authority that is none, or that hides another') for 'https://', 'https:///x', 'https://?x', 'https://:80/', 'https://.', 'https://a..b/', 'https://.a/', 'http://[::1', 'http://[]/', 'http://[x]/', 'http://::1/', 'http://[::1]x/',
    'https://user@host/', 'https://user:pw@host/', 'https://good.test@evil.test/', 'https://good.test:80@evil.test/', 'https://@host/', 'https://host:/', 'https://host:0/', 'https://host:65536/', 'https://host:99999999999/', 'https://host:8x/', 'https://host:-1/',
    'https://ho%73t/', 'https://host%00/', 'https://good.test%2eevil.test/', 'https://good.test\\@evil.test/', 'https://good.test\\.evil.test/', 'https://a|b/', 'https://host/#a#b', 'https://host/%zz', 'https://host/%';
refused("/a -> \"\"\n", '038', 'an empty target');
refused("/a -> \"$_\"\n", '038', 'a host with what only looks like a delimiter') for "https://good.test\xef\xbc\x8fevil.test/", "https://good.test\xe2\x81\x84evil.test/", "https://good.test\xe2\x88\x95evil.test/", "https://good.test\xef\xbc\x9aevil.test/", "https://good.test\xef\xbc\xa0evil.test/",
    "https://\xe2\x84\x80.test/", "https://good.test\xe2\x80\x8b\xe2\x80\xae/";
answers("/a -> https://b\xc3\xbccher.test/\n", '/a', '307 https://xn--bcher-kva.test/', 'an internationalised name leaves as ASCII');
answers("/a -> https://good.test\xe3\x80\x82x.test/\n", '/a', '307 https://good.test.x.test/', 'an ideographic full stop is the dot that browsers take it for');
answers("/a -> /\xe3\x80\x82\xef\xbc\x8f\xe2\x80\xae\n", '/a', '307 /%E3%80%82%EF%BC%8F%E2%80%AE', 'in a path it is bytes');

# ---- 2. a request that would choose the host ----

refused("/a/{x} -> $_\n", '(?:011|038|039|040)', 'a capture in the authority') for 'https://{x}/', 'https://new.test{x}', 'https://new.test{x}/', 'https://{x}.new.test/', 'https://new{x}.test/', '{x}://new.test/', 'https{x}://new.test/', '//{x}', '//{x}/', '/\\{x}',
    'https://new.test:{x}/', 'https://{x}@new.test/', 'https://{x}:80/', 'https:{x}', 'https:/{x}', 'https:///{x}', 'https://new.test{x|lower}/', '{x}', '{x}/a';
refused("/a/* -> $_\n", '(?:011|038|039|040)', 'a tail in the authority') for 'https://*', 'https://*/', 'https://new.test*', 'https://*.new.test/', '*', '//*', 'https://new.test:*/', 'https://new.test@*';
refused("~ \"^/a/(.*)\$\" -> $_\n", '(?:011|038|039|040)', 'what a regex took in the authority') for 'https://{1}/', 'https://new.test{1}', '{1}', '//{1}';
refused("/a?h={h} -> $_\n", '(?:011|038|039|040)', 'a query value in the authority') for 'https://{h}/', 'https://new.test{h}/', '{h}';
refused("/a -> $_\n", '(?:038|039)', 'the Host field where every host may be asked for') for 'https://{host}/', 'https://{host}', 'https://x.{host}/', 'https:';
answers("site *.open.test {\n/a -> https://new.test{host}/\n}\n", '//a.open.test/a', '307 https://new.testa.open.test/', 'what {host} can be is below the domain that the rules name, whatever stands before it');
refused("let base \"https://new.test\"\n/a/{x} -> {base}{x}\n", '(?:038|039)', 'a capture behind a constant that ends in an authority');
refused("/a -> $_\n", '(?:038|039|040)', 'what the language has no name for') for '/{cookie}', '/{header}', '/{cookie:c}', '/{env}', '/{0}', '/{1}', '/{nothing}', '/{}';
answers("/a/{x} -> https://new.test/{x}\n", '/a/@evil.test', '307 https://new.test/@evil.test', 'behind the first slash a capture may stand');
answers("/a/* -> https://new.test/*\n", '/a/.evil.test', '307 https://new.test/.evil.test', 'and a tail');
answers("/a/{x} -> https://new.test/?u={x}\n", '/a/@evil.test', '307 https://new.test/?u=@evil.test', 'or in the query');
answers("/* -> https://new.test{path}\n", '/.evil.test', '307 https://new.test/.evil.test', '{path} has a slash of its own');
answers("/a/{x:good|fine} -> https://{x}.new.test/\n", '/a/good', '307 https://good.new.test/', 'a closed set names its hosts');
answers("/a/{x:good|fine} -> https://{x}.new.test/\n", '/a/evil.test%2F', 'pass', 'and no other');

# ---- 1. rules that would split a response ----

my @splits = ("b\r\nX: y", "b\nX: y", "b\rX: y", "b\0", "b\x01", "b\x1b[31m", "b\x7f", "b\x0b", "b\x0c");
refused("/a -> /$_\n", '\d+', 'a control byte in a target') for grep { !/\n|\r/ } @splits;
refused("/a -> \"/$_\"\n", '\d+', 'in quotes') for @splits;
refused("/a -> /b { header X-A \"$_\" }\n", '\d+', 'in a field') for grep { !/^b\x0b/ } @splits, "b\xc3\xa9", 'b\\u{d}\\u{a}X: y', 'b\\u{0}', 'b\\r\\n', 'b\\n';
refused("/a -> /b { header \"$_\" y }\n", '\d+', 'in the name of a field') for @splits, 'X A', 'X:', 'X-A:', ':path', '', "X\xc3\xa9", 'X(A)', 'X/A', 'X,A';
refused("/a -> /b { when header \"$_\" }\n", '\d+', 'in the name of a field that is asked for') for @splits, 'X A', '';
refused("/a -> /b { when cookie \"$_\" }\n", '\d+', 'in the name of a cookie') for @splits, '', 'a b', 'a;b', 'a=b';
refused("/a -> /b { vary \"$_\" }\n", '\d+', 'in Vary') for @splits, 'X A', '';
refused("/a 451 { blocked-by \"https://x.test/$_\" }\n", '\d+', 'in a link') for @splits;
is((rulec('explain', compiled('link', "/a 451 { blocked-by \"https://x.test/>; rel=x\" }\n"), 'GET', '/a'))[1] =~ s/.*^(Link:[^\r\n]*).*/$1/msr, 'Link: <https://x.test/%3E;%20rel=x>; rel="blocked-by"', 'a link ends where it should');
refused("/a 503 { retry-after \"$_\" }\n", '\d+', 'in a time') for "1m\r\nX: y", '-1', 'x';
refused("site \"x.test$_\" {\n/a -> /b\n}\n", '\d+', 'in a host') for map { substr $_, 1 } @splits;
refused("/a -> /b { header $_ x }\n", '053', 'a field that is not a rule\'s to set') for qw(Location Transfer-Encoding Content-Length Connection Upgrade Trailer TE Keep-Alive Date Server Content-Type Content-Encoding Status Vary Cache-Control Retry-After
    location LOCATION Proxy-Connection);
answers("/a -> \"/b c\\\"<>\"\n", '/a', '307 /b%20c%22%3C%3E', 'bytes that may not stand in a target leave encoded');

# ---- 2, 4. answers that are none ----

refused("/a gone /b\n", '\d+', 'gone with a target');
refused("/a -> /b gone\n", '\d+', 'and the other way round');
refused("/a $_\n", '\d+', 'a redirect without a target: httpd would send no Location') for qw(moved found see-other temporary permanent 301 302 303 307 308);
refused("/a -> /b $_\n", '\d+', 'a status that is no redirect') for qw(200 204 300 304 305 306 309 399 400 401 410 418 451 500 503 0 -1 1000 99999999999 30 3077);
refused("/a $_\n", '\d+', 'a status that no rule may answer with') for qw(100 200 204 304 305 400 401 407 500 502 999);

# ---- 2. loops and chains ----

refused("/a -> $_\n", '041', 'a redirect to itself') for '/a', '/%61', '/./a', '/x/../a', '/a?x=1', '/a#x';
refused("site x.test {\n/a -> $_\n}\n", '041', 'by its whole URL') for 'http://x.test/a', 'http://X.TEST/a', 'http://x.test:80/a', 'http://x.test./a', 'http://x.test/%61', 'https://x.test/a', 'https://x.test:443/a/', '/a';
refused("site x.test www.x.test {\n/a -> http://www.x.test/b\n/b -> http://x.test/a\n}\n", '041', 'round two names of a site');
refused("/a -> /b\n/b -> /c\n/c -> /a\n", '041', 'round three rules');
refused("/a/* -> /b/*\n/b/* -> /a/*\n", '041', 'round two trees');
refused("/a -> /A\n/A -> /a\n", '041', 'by case');
refused("/a -> /A { case ignore }\n", '041', 'where case is ignored');
warns("/a -> /b\n/b -> /c\n/c -> /d\n", '200', 'a chain');

# ---- 4, 6. answers that caches and clients take for more than is meant ----

warns("/a -> /b $_ { when method POST }\n", '203', 'a POST that may become a GET') for qw(moved found 301 302);
for my $status ('moved', 'permanent', 'gone') {
    my $rule = $status eq 'gone' ? '/a gone' : "/a -> /b $status";
    warns("$rule { when $_ }\n", '204', 'an answer for good that hangs on something passing') for 'env X', 'client 10.0.0.0/8', 'chance 5%', 'flag f', 'busy 80%', 'cookie c', 'header X-A';
}
refused("/a -> by client { $_ }\n", '061', 'weights that are none') for '0 /a; 1 /b', '-1 /a; 1 /b', '1.5 /a; 1 /b', '1000001 /a; 1 /b', '99999999999999999999 /a; 1 /b';
refused("/a -> by chance { $_ }\n", '061', 'and of draws') for '0 /a; 1 /b', '100 /a; 0 /b';
refused("/a -> /b { when chance $_ }\n", '050', 'a share that is none') for '101%', '-1%', '0.00001%', 'x%', '1e3%';
refused("/a -> /b { when $_ }\n", '\d+', 'a condition that nobody knows') for 'true', '1', 'x y', 'expr "1"', 'file /etc/passwd', 'command "id"', 'header', 'client x', 'client 10.0.0.0/33', 'client 1.2.3', 'method', 'scheme ftp', 'header X ~ "("';

# ---- 9. regexes that would cost without bound ----

refused("~ \"$_\" -> /b\n", '\d+', 'a regex that is refused') for '(', '^/(a)\\1$', '^/(?<x>a)\\k<x>$', '^/(?R)', '^/(?C1)a', '^/a(?#', '[', '^/a{99999}', '(?<', '^/' . '(' x 300 . ')' x 300;
answers("~ \"^/(a+)+\$\" -> /b\n", '/' . 'a' x 5000 . '!', 'pass', 'a regex that would go back for ever gives up');
answers("/x/*.ttl -> /b\n", '/x/' . 'a/' x 4000 . 'b', 'pass', 'a suffix is looked at once');
refused("/*a*a*a*b -> /x\n", '\d+', 'many stars in a path');
refused("/*/a/*/b -> /x\n", '\d+', 'stars in the middle');

# ---- 8. lists of rules ----

sub limited {
    my ($kilobytes, @words) = @_;
    return run_in($folder, 'sh', '-c', 'ulimit -v "$1"; shift; exec "$@"', 'sh', $kilobytes, rulec_path(), @words);
}
my $is_sanitized = ($ENV{REDIR307_PRELOAD} // '') ne '' || (run_in($folder, 'sh', '-c', 'ulimit -v 400000; exec "$1" --version', 'sh', rulec_path()))[0] ne '0';

answers("\xef\xbb\xbf/a -> /b\n", '/a', '307 /b', 'a byte order mark is skipped');
answers("/a -> /b\r\n/c -> /d\r\n", '/c', '307 /d', 'CR LF ends a line');
refused("/a -> /b\r/c -> /d\n", '\d+', 'a CR alone does not');
refused("/a -> /b\n/a -> /c\n", '045', 'one source with two targets');
refused("/a -> /b\n/%61 -> /c\n", '045', 'however it is written');
refused("include \"x\0.redir\"\n", '\d+', 'a NUL in the name of a file');
write_bytes("$folder/ring1.redir", "include \"ring2.redir\"\n");
write_bytes("$folder/ring2.redir", "include \"ring1.redir\"\n");
refused("include \"ring1.redir\"\n", '015', 'files that include each other');
symlink 'deep.redir', "$folder/again.redir";
refused("include \"hostile.redir\"\n", '015', 'a file that includes itself');
write_bytes("$folder/glob-$_.redir", "include \"glob-*.redir\"\n") for 1 .. 5;
refused("include \"glob-*.redir\"\n", '015', 'globs that meet themselves');
my ($status, $said) = run_in($folder, rulec_path(), 'compile', 'none-such-*.redir');
isnt($status, '0', 'no file at all');
refused('/a' . '/b' x 5000 . "\n", '\d+', 'a line of many segments without an arrow');
refused("/a -> /b { " x 2000 . "\n", '\d+', 'many open braces');
refused('site ' . join(' ', map { "h$_.test" } 1 .. 3) . " {\n" . join('', map { "/a$_/{x}" . "/{}" x $_ . " -> /b\n" } 1 .. 65) . "}\n", '\d+', 'more shapes than a site may have');
SKIP: {
    skip 'an address space is no measure under a sanitizer', 2 if $is_sanitized;
    my $count = 50_000;
    write_bytes("$folder/many.redir", join '', map { "/some/path/$_ -> /another/$_\n" } 1 .. $count);
    my $bytes = -s "$folder/many.redir";
    my $limit = int(40 * $bytes / 1024) + 60_000;
    ($status, $said) = limited($limit, 'compile', '-q', 'many.redir');
    is($status, '0', "$count rules compile in $limit KB, which is 40 times their size") or diag($said);
    ($status, $said) = limited(24_000, 'compile', '-q', '-o', 'too-many.r307', 'many.redir');
    ok($status eq '3' && $said =~ /memory/ && !-e "$folder/too-many.r307", 'without memory rulec says so, and writes nothing') or diag("exit $status\n$said");
}

# Interrupted while it writes: by a limit, as by a signal, no file of ours is half a file, and what is left says what it is.
write_bytes("$folder/cut.redir", join '', map { "/some/path/$_ -> /another/$_\n" } 1 .. 5000);
write_bytes("$folder/cut.r307", 'the old file');
($status) = run_in($folder, 'sh', '-c', 'ulimit -f 8; exec "$1" compile -q cut.redir', 'sh', rulec_path());
isnt($status, '0', 'a file that may not grow');
is(read_bytes("$folder/cut.r307"), 'the old file', 'leaves the old one');
opendir my $d, $folder or die "$folder: $!";
is(join(' ', grep { /^cut/ && !/^cut\.(?:redir|r307)$|^cut\.r307\.tmp-\w+$/ } readdir $d), '', 'and nothing that one could take for a rule file');
closedir $d;
is((rulec('compile', '-q', 'cut.redir'))[0], '0', 'the next compilation is not disturbed');

# ---- 9. what a request may cost: not more for more rules, whatever is asked for ----

my %at_worst;
my $many = $is_sanitized ? 3000 : 20_000;
for my $count (1000, $many) {
    compiled("flood-$count", join '', map { "/old/$_ -> /n/$_\n/sub/$_/* -> /s/*\n/i/$_/{x}/y -> /y\n/q?id=$_ -> /found\n" } 1 .. $count);
    ($at_worst{$count}) = (rulec('info', "flood-$count.r307"))[1] =~ /^probes of one request, at worst +(\d+)$/m;
}
ok($at_worst{1000} && $at_worst{1000} < 1000, "a request costs $at_worst{1000} probes at worst");
is($at_worst{$many}, $at_worst{1000}, "with $many of each kind as with 1000");
srand 307;
my @alphabet = ('a' .. 'z', '/', '/', '/', '%', '.', '?', '&', '=', '-', "\xff", 'old', 'sub/7/', '/i/7/', '%2e', '..');
my @asked = map { '/a' . join '', map { $alphabet[rand @alphabet] } 1 .. 20 + rand 200 } 1 .. $many;
write_bytes("$folder/asked", join '', map { "GET $_\n" } grep { !/[\n ]/ } @asked);
my ($exit, $answers) = run_in($folder, rulec_path(), 'answer', "flood-$many.r307", '-', { stdin => "$folder/asked" });
is($exit, '0', 'random paths');
my @lines = split /\n/, $answers;
is(scalar @lines, scalar @asked, 'each has an answer');
is(scalar(grep { !m{\A(?:pass|30[78] /[!-~]*|414)\z} || m{\A\d+ //} } @lines), 0, 'and each answer is one of the rules\'');
done_testing();
