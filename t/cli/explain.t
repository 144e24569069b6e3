#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# rulec explain, info and dump: what is in a rule file, and why it answers as it does.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use Redir307::Rulec qw(rulec rules compiled run_in folder rulec_path read_bytes write_bytes);
use Test::More;

my $file = compiled('shop', <<'REDIR');
site shop.example {
    /form -> /form-v2 { when method POST; note "OPS-221"; owner web; header X-Team "red \"one\"" }
    /form -> /help see-other { cache private 10m }
    /* -> /all/*
    /feed pass
    /down 503 { retry-after 5m }
}
REDIR

sub explained {
    my ($request, $wanted, $name) = @_;
    my ($status, $said) = rulec('explain', $file, @$request);
    is($said, $wanted, $name);
    is($status, 0, "$name: exit status 0");
}
explained(['POST', 'https://shop.example/form?a=1'], <<'TEXT', 'the head of the response, and the rule with its note and owner');
POST https://shop.example/form?a=1

HTTP/1.1 307 Temporary Redirect
Location: /form-v2?a=1
Cache-Control: no-cache
X-Team: red "one"

shop.redir:2: answers
    note: OPS-221
    owner: web
TEXT
explained(['GET', 'https://shop.example/form'], <<'TEXT', 'rules that lost, with the reason, and the one that answers');
GET https://shop.example/form

HTTP/1.1 303 See Other
Location: /help
Cache-Control: private, max-age=600

shop.redir:2: its `when method` names other methods
    note: OPS-221
    owner: web
shop.redir:3: answers
TEXT
explained(['GET', 'https://shop.example/down'], <<'TEXT', 'a status without a target');
GET https://shop.example/down

HTTP/1.1 503 Service Unavailable
Cache-Control: no-cache
Retry-After: 300

shop.redir:6: answers
TEXT
explained(['GET', 'https://shop.example/feed'], <<'TEXT', 'a pass');
GET https://shop.example/feed

passed on by shop.redir:5

shop.redir:5: passes the request on
TEXT
explained(['GET', 'https://other.example/form'], <<'TEXT', 'no rule at all');
GET https://other.example/form

passed on: no rule
TEXT
like((rulec('explain', '-H', 'Host: shop.example', $file, 'GET', '/form'))[1], qr/^shop\.redir:3: answers$/m, '-H gives the host');
like((rulec('explain', '--base', 'https://shop.example', $file, 'GET', '/form'))[1], qr/^shop\.redir:3: answers$/m, '--base likewise');
like((rulec('explain', '-H', 'Origin: https://a', '-H', 'Access-Control-Request-Method: POST', $file, 'OPTIONS', 'https://shop.example/form'))[1],
    qr/^shop\.redir:4: a CORS preflight is left alone/m, 'a CORS preflight is told from its fields');
is((rulec('explain', '-H', 'nonsense', $file, 'GET', '/'))[0], 2, 'a field without a colon: exit status 2');
is((rulec('explain', '-H', 'Host: a b', $file, 'GET', '/'))[0], 2, 'a bad host: exit status 2');
is((rulec('explain', $file, 'GET', 'form'))[0], 2, 'a bad URL: exit status 2');
my $json = decode_json((rulec('explain', '--json', $file, 'GET', 'https://shop.example/form'))[1]);
is_deeply($json, {
    outcome => 'send', status => 303,
    headers => [{ name => 'Location', value => '/help' }, { name => 'Cache-Control', value => 'private, max-age=600' }],
    rule => { file => 'shop.redir', line => 3 },
    candidates => [{ file => 'shop.redir', line => 2, note => 'OPS-221', owner => 'web', why => 'its `when method` names other methods' },
        { file => 'shop.redir', line => 3, why => 'answers' }],
}, 'all of it as JSON');

# ---- info ----
my $info = decode_json((rulec('info', '--json', $file))[1]);
like($info->{id}, qr/^[0-9a-f]{32}$/, 'info: the id');
is($info->{rules}, 5, '... the number of rules');
is($info->{file_size}, -s folder() . "/$file", '... the size');
my ($status, $said) = rulec('info', $file);
like($said, qr/^id +$info->{id}\n(.*\n)*rules +5\n/m, '... and the same as text');
is((rulec('info', 'shop.redir'))[1], $said, '... also of rules that are compiled for it');
like((rulec('info', rules('slash', "/a%2Fb -> /c\n")))[1], qr/AllowEncodedSlashes NoDecode/, 'what the server must be told for %2F');

# ---- dump: what comes back gives the same answers ----
my @sources = (<<'REDIR', "table \"list.csv\"\n");
let base "https://raw.example/v2"
/star%2Aa -> /lit?a=%2A%7B
/quote%22a -> /q#frag;
"/semi;" -> "/x;"
/~tilde/{}/end -> /t
/a/{id:int}-{v:version}/{s:en|de|fr}/ -> /b/{s}/{id}/{v} permanent { slash exact; case ignore }
/u/{u:uuid} -> /u?id={u}; /h/{h:hex} -> /hh/{h|upper}; /d/{d:date} -> /dd/{d|dashes}; /s/{s:slug} -> /ss/{s|lower}
/many/{x...} -> {base}/{x}
/mid/{x...}/c -> /mid2/{x}
/suf/*.ttl -> /ttl/*; /suf/{x...}.html -> /html/{x}
/ver/1.* -> /v1/*
/tree/* -> /wood/*
/q?id=7&lang={l}&k&empty=&n={n:int}-x -> /r?{query}
/q?a%20b=c%26d%2B -> /s { query drop }
/only -> /o { query only a%20b utm_* }; /except -> /e { query except k* }
/c -> /d { cache none }; /c2 -> /d2 { cache default }; /c3 -> /d3 moved { cache private 90s }
/m -> /n { when method POST PUT; unless scheme https; note "a \"note\" \\ \u{e9} line"; owner ops }
/m pass
/gone gone; /451 451; /503 503 { retry-after 1h }; /auto -> /a permanent auto
/h -> /i { header "X-B" "b\\c"; header X-A "a" }
site one.example two.example:8080 *.three.example **.four.example { /x -> /y; /here -> https://{host}/there{path}?z; /up -> https: { when scheme http } }
site two.example { /x -> /w }
site {l:en|de}.five.example { /x -> https://{l}.six.example/{l}?q={scheme} }
site b\u{fc}cher.example { /x -> /y }
site "b\u{fc}cher.example" "[2001:db8::7]:81" { /y -> /z }
REDIR
$sources[0] =~ s/^site b\\u.*\n//m;
write_bytes(folder() . '/list.csv', "from,to,status,site,note\n/a*b,/c*d{e},301,s.example,row one\n/x,https://y.example/?a=1*,,,\n/gone,,410,,\n");

my @paths = qw(/ /star*a /star%2aa /quote%22a /semi; /~tilde/x/end /~tilde/x/y/end /a/12-1.2/en/ /A/12-1.2/EN/ /a/12-1.2/en /a/x-1.2/en/
    /u/0a1b2c3d-0000-1111-2222-abcdefABCDEF /u/x /h/0aF /h/xyz /d/2024-01-05 /d/2024 /s/a-b /s/A_B /many /many/ /many/a/b/ /mid/a/b/c /mid/c
    /suf/a.ttl /suf/a/b.ttl /suf/a/b.html /suf/.ttl /ver/1.2/x /ver/1. /ver/2 /tree /tree/ /tree/a//b/ /q?id=7&lang=en&k&empty=&n=5-x&more=1
    /q?id=7&lang=en /q?a+b=c%26d%2B&z=1 /only?a+b=1&utm_x=2&z=3 /except?k1=1&l=2 /c /c2 /c3 /m /gone /451 /503 /auto /h /x /here?a=b /up /a*b /y
    /hello /blog/2024/x /docs/a/b);
my @hosts = qw(http:// one.example two.example two.example:8080 a.three.example three.example four.example a.b.four.example en.five.example
    fr.five.example xn--bcher-kva.example [2001:db8::7]:81 s.example www.example.com example.com);
my $requests = join '', map { my $host = $_; map { my $method = $_; map { my $path = $_;
    $host eq 'http://' ? "$method $path\n" : ("$method http://$host$path\n", "$method https://$host$path\n") } @paths } qw(GET POST) } @hosts;
my $number = 0;
for my $source (@sources) {
    $number++;
    my $first = compiled("dump$number", $source);
    my ($exit, $text) = rulec('dump', $first);
    is($exit, 0, "dump $number") or diag($text);
    my $second = compiled("again$number", $text);
    my @answers = map { (run_in(folder(), rulec_path(), 'answer', $_, '-', { input => $requests }))[1] } $first, $second;
    my @lines = map { [split /\n/, $_] } @answers;
    my @asked = split /\n/, $requests;
    my @differ = grep { $lines[0][$_] ne ($lines[1][$_] // '') } 0 .. $#asked;
    is(scalar(@differ), 0, "dump $number: all " . @asked . ' requests are answered alike')
        or diag(map { "$asked[$_]: $lines[0][$_] | $lines[1][$_]\n" } @differ[0 .. ($#differ < 9 ? $#differ : 9)]);
    my $redirects = grep { !/^pass|^invalid/ } @{ $lines[0] };
    cmp_ok($redirects, '>', 2, "dump $number: $redirects of them by a rule");
    my ($headers) = $text =~ /\A(#.*\n)/;
    is((rulec('dump', $second))[1] =~ s/\A#.*\n//r, $text =~ s/\A(#.*\n)+//r, "dump $number: a dump of that is the same text");
}
done_testing();
