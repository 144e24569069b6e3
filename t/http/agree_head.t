#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# One table of requests, for each form of source, condition, `by` form, status and clause: the head that `rulec explain`
# shows, of a rule file and of the rules source, is the head that httpd sends, over HTTP/1.1 and over HTTP/2.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Httpd;
use Redir307::Response;
use Test::More;

plan(skip_all => 'no mod_remoteip and mod_setenvif') if !has_module('remoteip') || !has_module('setenvif');

my $text = <<'END';
timezone UTC
let base "https://raw.example/v2"
/ -> /start
/exact           -> /y
/sub/*           -> /b/*
/seg/{x}/c       -> /seg2/{x}
/any/{}/c        -> /any2
/many/{x...}     -> /m/{x}
/mid/{x...}/c    -> /m2/{x}
/rdf/*.ttl       -> /ttl/*
/tail/{x...}.ttl -> /ttl2/{x}
/ver/1.*         -> /one/*
/item-{id:int}.html -> /item/{id}
/int/{x:int}     -> /r/int
/hex/{x:hex}     -> /r/hex
/slug/{x:slug}   -> /r/slug
/uuid/{x:uuid}   -> /r/uuid
/date/{x:date}   -> /r/date
/number/{x:version} -> /r/version
/set/{x:en|de}   -> https://{x}.example/
/re/{x:/[a-z]{2}/} -> /r/{x|upper}
~ "^/rx/(?<id>\d+)(-.*)?$" -> /rx/{id}?tail={2}
/q?id=7&lang={l} -> /artikel/{l}
/q?id={i:int}    -> /item/{i}
/flagged?k       -> /k1
/Case            -> /folded { case ignore }
/strict/         -> /s { slash exact }
/%C3%A9t%C3%A9   -> /sommer
/slow/{x}        -> /slow?a={x}&b={path}&c={query}&d={scheme}#{x|dashes}
/base/{f...}     -> {base}/{f}
/drop            -> /d?own=1 { query drop }
/only            -> /o { query only a b }
/except          -> /e { query except utm_* }
/own             -> /own2?a=1#part
//other.test/abs -> /of-other
site one.test one.test:8080 { /host -> https://{host}/of{path}?{query}; /secure -> https: { when scheme http } }
site *.wild.test { /host -> /of-wild }
site **.tree.test { /host -> /of-tree }
site {l:en|de}.set.test { /host -> https://{l}.example/ }

/s/temporary     -> /y temporary
/s/permanent     -> /y permanent
/s/found         -> /y found
/s/moved         -> /y moved
/s/see-other     -> /y see-other
/s/auto          -> /y temporary auto
/s/for-good      -> /y permanent auto
/s/301           -> /y 301
/s/303           -> /y 303
/s/gone          gone
/s/legal         unavailable-for-legal-reasons { blocked-by https://law.example/1 }
/s/403           403
/s/404           404
/s/406           406
/s/503           503 { retry-after 90s }
/s/pass          pass
/s/{x}           -> /never

/c/none          -> /y { cache none }
/c/hour          -> /y { cache 1h }
/c/private       -> /y permanent { cache private 10m }
/c/default       -> /y permanent { cache default }
/c/header        -> /y { header X-Note "a \"b\""; header X-Other 1; note "n"; owner me }
/c/vary          -> /y { vary X-Country Accept; when header Accept }

/w/method        -> /y { when method POST }
/w/scheme        -> /y { when scheme http }
/w/header        -> /y { when header X-Beta = "on" }
/w/match         -> /y { when header X-Beta ~ "^o" }
/w/cookie        -> /y { when cookie beta = "1" }
/w/accept        -> /y { when accept text/turtle }
/w/language      -> /y { when language de }
/w/query         -> /y { when query k = "1" }
/w/client        -> /y { when client 192.0.2.0/24 2001:db8::/32 }
/w/env           -> /y permanent { when env COUNTRY = "DE" }
/w/flag          -> /y { when flag on }
/w/no-flag       -> /y { when flag off }
/w/chance        -> /y { when chance 100% }
/w/busy          -> /y { when busy 1% }
/w/window        -> /y permanent { from 2020-01-01; until 2090-01-01 }
/w/over          -> /y { until 2020-01-01 }
/w/daily         -> /y { daily 00:00-24:00; weekly mon-sun }
/w/all           -> /y { when header X-Beta; unless cookie beta; when language de }
/w/next          -> /first { when header X-Beta = "on" }
/w/next          -> /second { when cookie beta }
/w/next          -> /third

/by/accept       -> by accept { text/turtle /ttl; text/html /html found }
/by/accept-or    -> by accept { text/turtle /ttl; otherwise 406 }
/by/language     -> by language { de /de; fr /fr; otherwise /en } found
/by/header       -> by header X-Beta { on /on; "off" 403 }
/by/cookie       -> by cookie beta { 1 /one; otherwise /other }
/by/method       -> by method { POST /post see-other; GET /get }
/by/client       -> by client { 1 /a; 1 /b; 1 /c; 1 /d }
/by/chance       -> by chance { 1 /y }

/pre             -> /y { when method OPTIONS PUT }
/pre-too         -> /y { preflight redirect }
group "maintenance" { override; when header X-Maintenance; /* 503; /w/method pass }
END
my $rules = rules($text);
write_file('rules.redir', $text);
mkdir folder() . '/flags';
write_file('flags/on', '');

my @on = ('X-Beta' => 'on');
my @preflight = (Origin => 'https://o.example', 'Access-Control-Request-Method' => 'PUT');
# Methods, targets and fields of one line; where a field is the host, the request is of that one.
my @table = map { my $row = $_; map { my $method = $_; map { [$method, $_, @$row[2 .. $#$row]] } split ' ', $row->[1] } split ' ', $row->[0] } (
    ['GET HEAD POST', '/ /exact /exact/ /exact?x=1 /nothing'],
    ['GET', '/sub /sub/ /sub/x/y/ /sub/%2e%2E/x /sub//x/./y /sub/a%20b%3f /seg/x/c /seg/a%2Cb/c/ /any/x/c /many /many/a/b/ /mid/c /mid/a/b/c /rdf/x.ttl /rdf/x/y.ttl /tail/x/y.ttl'],
    ['GET', '/ver/1. /ver/1.2/3 /ver/1 /item-7.html /item-x.html /int/12 /int/x /hex/aF /slug/a-0 /slug/A /uuid/123e4567-e89b-12d3-a456-426614174000 /date/2024-02-30 /number/1.2.3 /number/1'],
    ['GET', '/set/de /set/fr /re/ab /re/abc /rx/17 /rx/17-a%20b /rx/x /q?lang=a%26b&id=7&z /q?id=8 /q?id=x /flagged?a&k=1 /flagged /CASE /case/ /strict /strict/ /%c3%a9t%C3%A9'],
    ['GET', '/slow/a_b%20c?x=1&y=%26 /base/a/b.txt /drop?a=1 /only?c=1&b=2&a=3 /except?utm_source=1&q=2 /own?a=2&b=3 /abs /host /secure'],
    ['GET', '/host?x=y /secure /exact', Host => 'one.test'],
    ['GET', '/host /secure?a', Host => 'ONE.test.:8080'],
    ['GET', '/abs /host', Host => 'other.test'],
    map({ ['GET', '/host', Host => $_] } qw(a.wild.test wild.test tree.test a.b.tree.test de.set.test fr.set.test)),
    ['GET POST HEAD', join(' ', map { "/s/$_" } qw(temporary permanent found moved see-other auto for-good 301 303 gone legal 403 404 406 503 pass other))],
    ['GET', '/c/none /c/hour /c/private /c/default /c/header /c/vary'],
    ['GET', '/c/vary', Accept => 'text/html'],
    ['GET POST HEAD', '/w/method /by/method'],
    ['GET', '/w/scheme /w/header /w/match /w/cookie /w/accept /w/language /w/query /w/query?k=1 /w/client /w/env /w/flag /w/no-flag /w/chance /w/busy /w/window /w/over /w/daily /w/all /w/next'],
    ['GET', '/w/header /w/match /w/all /w/next /by/header', @on],
    ['GET', '/w/header /w/match /by/header', 'X-Beta' => 'off'],
    ['GET', '/w/header', @on, @on],
    ['GET', '/w/cookie /w/next /w/all /by/cookie', Cookie => 'a=2; beta=1'],
    ['GET', '/w/cookie /w/next /by/cookie', Cookie => 'beta=2'],
    ['GET', '/w/accept /by/accept /by/accept-or', Accept => 'text/html;q=0.8, text/turtle;q=0.5'],
    ['GET', '/w/accept /by/accept /by/accept-or', Accept => 'text/turtle;q=0, */*'],
    ['GET', '/w/accept /by/accept /by/accept-or', Accept => 'image/png'],
    ['GET', '/w/accept /by/accept /by/accept-or'],
    ['GET', '/w/language /by/language', 'Accept-Language' => 'fr;q=0.9, de-CH'],
    ['GET', '/w/language /by/language', 'Accept-Language' => 'it'],
    ['GET', '/w/all', @on, 'Accept-Language' => 'de'],
    map({ ['GET', '/w/client /by/client', 'X-Client' => $_] } qw(192.0.2.7 198.51.100.7 2001:db8::7 203.0.113.9)),
    ['GET', '/w/env', 'X-Country' => 'DE'],
    ['GET', '/w/env', 'X-Country' => 'FR'],
    ['GET', '/by/language /by/cookie /by/header /by/client /by/chance'],
    ['OPTIONS', '/pre /pre-too', @preflight],
    ['OPTIONS PUT', '/pre', Origin => 'https://o.example'],
    ['GET POST', '/exact /w/method /nothing', 'X-Maintenance' => 1],
);

my @fields = qw(Location Vary Cache-Control Link Retry-After X-Note X-Other Expires X-Redirect-By);

# httpd writes no blank behind the commas of a Vary.
sub shown {
    my ($response) = @_;
    return join "\n", $response->status, map { my $value = $response->field($_); defined $value ? "$_: " . $value =~ s/,\s*/, /gr : () } @fields;
}

# What rulec explains. A request that is passed on is httpd's: of that head it knows Vary alone.
sub explained {
    my ($file, $method, $target, @headers) = @_;
    my ($host, @options) = ('lab.test', '--client', '127.0.0.1', '--flag', 'on', '--busy', '50%');
    while (my ($name, $value) = splice @headers, 0, 2) {
        if ($name eq 'Host') { $host = $value; next }
        push @options, '--client', $value if $name eq 'X-Client';
        push @options, '--env', "COUNTRY=$value" if $name eq 'X-Country';
        push @options, '-H', "$name: $value";
    }
    my ($status, $said) = Redir307::Httpd::run($Redir307::Httpd::rulec_path, 'explain', @options, $file, $method, "http://$host$target");
    return "rulec explain: exit status $status: $said" if $status != 0;
    my ($asked, $head) = split /\n\n/, $said;
    return shown(Redir307::Response->new("$head\n\n")) if $head =~ /^HTTP/;
    return join "\n", 'passed on', $head =~ /^Vary: (.*) is added to/m ? "Vary: $1" : () if $head =~ /^passed on/;
    return $said;
}

# As it is sent; httpd has nothing itself (404), or says what it can (OPTIONS), or may not (405).
sub sent {
    my ($response, $explained) = @_;
    my $said = shown($response);
    $said =~ s/^(?:404|405|200)(?=\n|\z)/passed on/ if $explained =~ /^passed on/;
    return $said;
}

serve(modules => [qw(http2 remoteip setenvif)], conf => <<"CONF");
Protocols h2c http/1.1
Redir307Flags "@{[folder()]}/flags"
RemoteIPHeader X-Client
RemoteIPInternalProxy 127.0.0.1
SetEnvIf X-Country (..) COUNTRY=\$1
CONF
my $h2 = has_module('http2') && h2('GET', '/exact');
my (%wrong, %kinds, $count);
my %seen;
for my $row (grep { !$seen{ join "\0", @$_ }++ } @table) {
    my ($method, $target, @headers) = @$row;
    my $name = join ' ', $method, $target, map { "[$_]" } @headers;
    my $explained = explained($rules, @$row);
    my $of_source = $count++ % 4 ? $explained : explained(folder() . '/rules.redir', @$row);
    push @{ $wrong{'the source'} }, "$name:\n$explained\n--\n$of_source\n" if $of_source ne $explained;
    my $over_h1 = sent(request(@$row), $explained);
    push @{ $wrong{'HTTP/1.1'} }, "$name:\n$explained\n--\n$over_h1\n" if $over_h1 ne $explained;
    # curl says that it takes anything unless it is told what; "Accept:" takes the field away.
    push @headers, Accept => '' if !grep { $_ eq 'Accept' } @headers;
    # No port or dot of a host comes through curl as it is.
    my $over_h2 = $h2 && !grep({ /:8080/ } @headers) ? sent(h2($method, $target, @headers), $explained) : $explained;
    push @{ $wrong{'HTTP/2'} }, "$name:\n$explained\n--\n$over_h2\n" if $over_h2 ne $explained;
    $kinds{ $explained =~ /^(\w+)/ ? $1 : '' }++;
}
is(join("\n", @{ $wrong{$_} // [] }), '', "$_ and rulec explain show one head for each of $count requests") for 'HTTP/1.1', 'the source';
SKIP: {
    skip 'no mod_http2, or curl cannot speak HTTP/2', 1 if !$h2;
    is(join("\n", @{ $wrong{'HTTP/2'} // [] }), '', 'HTTP/2, too');
}
cmp_ok($kinds{$_} // 0, '>', 0, "among them some of \"$_\"") for qw(301 302 303 307 308 403 404 406 410 451 503 passed);
is($kinds{''} // 0, 0, 'and nothing else');
stop();
done_testing();
