#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# rulec test: TAP of every expect and every exact rule.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use Redir307::Rulec qw(rulec rules run_in folder rulec_path);
use Test::More;

sub tap {
    my ($text, @options) = @_;
    rules('t', $text);
    return rulec('test', @options, 't.redir');
}

my ($status, $said) = tap(<<'REDIR');
/a -> /b permanent
/old gone
/x/* -> /y/*
/form -> /f { when method POST }
expect GET /a -> 308 /b
expect GET /x/1 -> 307 /y/1
expect POST /form -> 307 /f
expect GET /form -> pass
expect GET /old -> 410
REDIR
is($status, 0, 'all tests hold: exit status 0');
is($said, <<'TAP', 'each expect is a test, and so are the exact rules without conditions');
TAP version 13
ok 1 - t.redir:5: GET /a
ok 2 - t.redir:6: GET /x/1
ok 3 - t.redir:7: POST /form
ok 4 - t.redir:8: GET /form
ok 5 - t.redir:9: GET /old
ok 6 - t.redir: 2 exact rules answer for themselves
1..6
TAP
is((tap("/a -> /b\n/c -> /d\n", '-v'))[1], "TAP version 13\nok 1 - t.redir:1: /a\nok 2 - t.redir:2: /c\n1..2\n", '--verbose: a line each');

($status, $said) = tap("/a -> /b\nexpect GET /a -> 308 /b\nexpect GET /a -> 307 /c\nexpect GET /a -> pass\nexpect GET /q -> 307 /b\nexpect GET /a -> 307 /b\n");
is($status, 1, 'a test fails: exit status 1');
is($said, <<'TAP', '... and what was wanted and what came');
TAP version 13
not ok 1 - t.redir:2: GET /a
# wanted 308 /b
# got    307 /b by t.redir:1
not ok 2 - t.redir:3: GET /a
# wanted 307 /c
# got    307 /b by t.redir:1
not ok 3 - t.redir:4: GET /a
# wanted pass
# got    307 /b by t.redir:1
not ok 4 - t.redir:5: GET /q
# wanted 307 /b
# got    pass (no rule answers)
ok 5 - t.redir:6: GET /a
ok 6 - t.redir: 1 exact rule answers for itself
1..6
TAP

# Rules of every kind of site, with and without conditions beside them, are tests of themselves.
($status, $said) = tap(<<'REDIR', '-v');
/any -> /1
site h.example { /a -> /2; /a/ -> /3 { slash exact } }
site *.w.example { /a -> /4 }
site **.d.example { /a -> /5 }
site {l:en|de}.c.example { /a -> https://{l}.x.example/6 }
site p.example:8080 { /a -> /7 }
site xn--bcher-kva.example { /a -> /8 }
site [2001:db8::1] { /a -> /9 }
/t -> /10 temporary auto
/s -> https://s.example/11 { query drop }
/p pass
/g gone
/u unavailable-for-legal-reasons
REDIR
is($status, 0, 'exact rules of all kinds') or diag($said);
is(scalar(() = $said =~ /^ok/mg), 14, '... each is a test');
unlike($said, qr/SKIP/, '... and none is skipped');

($status, $said) = tap("/m -> /post { when method POST; unless scheme https }\n/m -> /other\n", '-v');
is($said, "TAP version 13\nok 1 - t.redir:2: /m\n1..1\n", 'a rule behind one with conditions is asked for with what they leave');
($status, $said) = tap("/m -> /post { unless method PATCH }\n/m -> /other\n", '-v');
is($status, 0, 'where they leave too little');
like($said, qr/^ok 1 - t\.redir:2: \/m # SKIP .* by t\.redir:1$/m, '... it is skipped, and the rule before it is named');

# An answer that depends on the time, on chance or on the load must say which it means.
($status, $said) = tap(<<'REDIR');
/t -> /a { from 2026-12-01T00:00Z; until 2027-01-01T00:00Z }
/d -> /a { daily 22:00-04:00; timezone Europe/Berlin }
/c -> /b { when chance 10% }
/b -> /c { when busy 80% }
/m -> /d { when method POST; until 2000-01-01T00:00Z }
/h -> /d { when header X = "1" }
expect GET /t -> pass
expect GET /d -> pass
expect GET /c -> pass
expect GET /b -> pass
expect GET /m -> pass
expect GET /h -> pass { header Vary X }
REDIR
is($status, 1, 'expectations that leave out what decides');
is($said, <<'TAP', '... fail, and say what to write; where another condition decides before, they need not');
TAP version 13
not ok 1 - t.redir:7: GET /t
# wanted pass
# got    an answer that depends on the time: say at TIME
not ok 2 - t.redir:8: GET /d
# wanted pass
# got    an answer that depends on the time: say at TIME
not ok 3 - t.redir:9: GET /c
# wanted pass
# got    an answer that depends on chance: say with { chance 5% }
not ok 4 - t.redir:10: GET /b
# wanted pass
# got    an answer that depends on the load: say with { busy 90% }
ok 5 - t.redir:11: GET /m
ok 6 - t.redir:12: GET /h
1..6
TAP

# All that can be said of a request.
($status, $said) = tap(<<'REDIR');
/t -> /a { from 2026-12-01T00:00Z; until 2027-01-01T00:00Z }
/c -> /b { when chance 10% }
/b -> /c { when busy 80% }
/h -> /d { when header X = "1" }
/k -> /e { when cookie c = "1" }
/l -> /f { when client 10.0.0.0/8 }
/f -> /g { when flag f }
/e -> /h { when env N = "v v" }
/p -> /i { preflight redirect }
/q -> /j
/o -> by accept { text/turtle /o.ttl; text/html otherwise /o.html } see-other
expect GET /t at 2026-12-01T00:00Z -> 307 /a
expect GET /t at 2027-01-01T00:00Z -> pass
expect GET /c with { chance 9.99% } -> 307 /b
expect GET /c with { chance 10% } -> pass
expect GET /b with { busy 80% } -> 307 /c
expect GET /b with { busy 79% } -> pass
expect GET /h with { header X "1" } -> 307 /d { header Vary X }
expect GET /h -> pass { header Vary X }
expect GET /k with { cookie c "1"; cookie d "2" } -> 307 /e { header Vary Cookie }
expect GET /l with { client 10.1.2.3 } -> 307 /f { header Cache-Control no-store }
expect GET /l -> pass
expect GET /f with { flag f } -> 307 /g
expect GET /f -> pass
expect GET /e with { env N "v v" } -> 307 /h
expect OPTIONS /p with { header Origin https://a; header Access-Control-Request-Method PUT } -> 307 /i
expect OPTIONS /q with { header Origin https://a; header Access-Control-Request-Method PUT } -> pass
expect GET /o with { header Accept "text/turtle" } -> 303 /o.ttl { header Vary Accept }
expect GET /o -> 303 /o.html
REDIR
is($status, 0, 'expectations with fields, client, flags, time, chance and load') or diag($said);
is(scalar(() = $said =~ /^ok/mg), 19, '... all of them are run');

($status, $said) = tap("/x/* -> /y/*\n");
is("$status $said", "0 TAP version 13\n1..0 # SKIP the rules hold no test: no expect, no exact rule without conditions\n", 'no test at all is said');
($status, $said) = run_in(folder(), rulec_path(), 'test', rules('w', "/a -> /b oops\n"), { separate => 1 });
is($status, 1, 'rules that do not compile: exit status 1');
is($said, "Bail out! The rules do not compile.\n", '... and TAP says so');
is((rulec('test', 'missing.redir'))[0], 3, 'a missing file: exit status 3');

# ---- which rules no expect reaches ----
($status, $said) = tap("/a -> /b\n/c -> /d\n  /x/* -> /y/* found\n/p pass\nexpect GET /x/1 -> 302 /y/1\nexpect GET /p -> pass\nexpect GET /q -> pass\n", '--coverage');
is($status, 0, '--coverage');
is($said =~ s/^(ok|TAP|1\.\.).*\n//mgr, "# no expect reaches t.redir:1: /a -> /b\n# no expect reaches t.redir:2: /c -> /d\n# 2 of 4 rules are reached by an expect (50.0 %)\n",
    '... lists the rules that no expect reached');
is((rulec('test', '--coverage', '--against', 'http://127.0.0.1:9', 't.redir'))[0], 2, '... which a live server cannot tell');

# ---- for programs ----
my $text = "/a -> /b\n/c -> /d\n/x/* -> /y/* found\nexpect GET /x/1 -> 302 /y/1\nexpect GET /a -> 308\n";
($status, $said) = tap($text, '--json', '--coverage');
is($status, 1, '--json: the exit status is the same');
my $json = decode_json($said);
is(sprintf('%.1f', delete $json->{coverage}{percent}), '66.7', '... the share in per cent');
is_deeply($json, {
    failed => 1,
    expects => [
        { file => 't.redir', line => 4, method => 'GET', url => '/x/1', result => 'ok' },
        { file => 't.redir', line => 5, method => 'GET', url => '/a', result => 'failed', wanted => '308', got => '307 /b', by_file => 't.redir', by_line => 1 },
    ],
    exact_rules => [{ file => 't.redir', ok => 2, failed => 0, skipped => 0, failures => [] }],
    coverage => { rules => 3, reached => 2, missed => [{ file => 't.redir', line => 2, text => '/c -> /d' }] },
}, '... all that TAP says');
($status, $said) = tap($text, '--json');
ok(!exists decode_json($said)->{coverage}, '... coverage where it is asked for');
($status, $said) = run_in(folder(), rulec_path(), 'test', '--json', 'w.redir', { separate => 1 });
is("$status$said", '1', '... nothing, where the rules do not compile');

# ---- the clock ----
# The answer is the same at all times: nothing need be said. The review is not.
$text = "/a -> /b { review 2026-06-01 }\nexpect GET /a -> 307 /b\n";
rules('t', $text);
is((rulec('test', '--now', '2027-01-01T00:00Z', 't.redir'))[0], 0, '--now');
is((rulec('test', '--now', 'soon', 't.redir'))[0], 2, '... is a time');
done_testing();
