#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A request without a rule is answered exactly as by an httpd that has no such module: the same bytes, the same lines in
# both logs. One and the same table of requests goes to httpd without the module, with it and no rules, with rules that
# match nothing here, with every directive of ours set, with rules that match elsewhere on the same hosts, and with rules
# for everything that are switched off. What is written alike before it is compared: t/lib/Redir307/Recorded.pm.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Httpd;
use Redir307::Recorded;
use Redir307::Site;
use Redir307::Tls;
use Test::More;

site_make();

my @table = table_of(<<'END');
@lab.test
# Pages, ranges, conditions.
GET /page.html
HEAD /page.html
GET /page.html?a=b
GET /page.html?
POST /page.html | = a body
PUT /page.html | = a body
DELETE /page.html
FOO /page.html
OPTIONS /page.html
TRACE /page.html | X-Own: 1
TRACE /traced
OPTIONS *
GET *
CONNECT lab.test:80
GET /page.html | Range: bytes=0-3
GET /page.html | Range: bytes=-4
GET /page.html | Range: bytes=900-
GET /long.txt | Range: bytes=0-9,100-109,-5
HEAD /long.txt | Range: bytes=0-9
GET /page.html | If-Modified-Since: Tue, 14 Nov 2034 22:13:20 GMT
GET /page.html | If-Modified-Since: Tue, 14 Nov 2000 22:13:20 GMT
GET /page.html | If-None-Match: *
GET /page.html | If-Match: "nothing"
GET /page.html | If-Range: "nothing" | Range: bytes=0-3
GET /page.html | If-Unmodified-Since: Tue, 14 Nov 2000 22:13:20 GMT
GET /page.html | User-Agent: old
GET /page.html | Expect: 100-continue
GET /page.html | Expect: miracles
GET /long.txt
GET /nothing
HEAD /nothing
# How paths are written.
GET //page.html
GET /./page.html
GET /dir/../page.html
GET /%70age.html
GET /page%2ehtml
GET /dir%2findex.html
GET /page.html%00
GET /page.html%
GET /%zz
GET /../page.html
GET /%2e%2e/page.html
GET /dir//sub///page.html
GET /page.html;v=1
GET /page.html/more/info
GET /page.html#part
GET page.html
GET /odd/a%20b.txt
GET /odd/a+b.txt
GET /odd/a%25b.txt
GET /odd/a;b.txt
GET /odd/a%3fb.txt
GET /odd/%c3%a9.txt
GET /odd/%C3%A9.txt
GET /odd/%e9.txt
GET /odd/%0d%0a
GET /odd/%5c
# DirectoryIndex, DirectorySlash, lists.
GET /
HEAD /
GET /index.html
GET /dir
GET /dir?a=b
GET /dir/
POST /dir/ | = a body
GET /ssi-index/
GET /cgi-index/?a=b
GET /list
GET /list/
GET /list/?C=N;O=D
GET /fallback/whatever?a=b
GET /fallback/
# Content negotiation.
GET /multi/doc
GET /multi/doc | Accept-Language: de
GET /multi/doc | Accept-Language: de;q=0.1, en;q=0.9 | Accept: text/html
GET /multi/doc | Accept: text/plain
GET /multi/doc | Accept: image/png
GET /multi/doc.html | Accept-Language: fr
GET /multi/only | Accept-Language: en
GET /multi/packed | Accept-Encoding: gzip
GET /multi/packed | Accept-Encoding: identity
GET /multi/none
GET /map/thing.var | Accept-Language: de
GET /map/thing.var | Accept-Language: en
GET /map/thing.var | Accept: image/png
GET /map/thing | Accept-Language: de
# ErrorDocument: a page with includes, text, elsewhere, a script.
GET /text/nothing
GET /external/nothing?a=b
GET /script/nothing?a=b
POST /script/nothing | = a body
HEAD /text/nothing
GET /forbidden/page.html
GET /denied/x
GET /vanished
# Server-side includes.
GET /with.shtml
GET /with.shtml | X-If: yes
GET /nested.shtml
GET /with-file.shtml | X-If: yes
# mod_alias, mod_userdir, mod_speling, mod_actions, mod_asis.
GET /aliased/page.html
GET /aliased
GET /matched/page
GET /matched/none
GET /moved
GET /moved/on?a=b
GET /moved/%0d%0aX
GET /temp/%3Fa/%2541
POST /temp | = a body
GET /see/sub/page.html
GET /~anna/page.html
GET /~anna
GET /~nobody-here/
GET /spell/corect.html
GET /spell/CORRECT.HTML
GET /act/thing.acted
POST /act/thing.acted | = a body
GET /asis/moved.asis
# CGI.
GET /env.cgi
GET /env.cgi/path/%41%20b?a=%20b&c | Cookie: beta=1 | Accept-Language: de | X-Country: DE
POST /env.cgi?a=b | Content-Type: text/plain | = a body
HEAD /env.cgi
GET /cgi/env/a%20b
GET /cgi/env | X-Forwarded-Proto: https | X-Forwarded-For: 192.0.2.1
POST /cgi/echo | = what is sent
POST /cgi/echo | Expect: 100-continue | = what is sent
GET /cgi/status
GET /cgi/here
POST /cgi/here | = a body
GET /cgi/there
GET /cgi/raw
GET /cgi/none
# Who may.
GET /private/page.html
GET /private/page.html | Authorization: Basic YW5uYTpzZWNyZXQ=
GET /private/page.html | Authorization: Basic YW5uYTp3cm9uZw==
HEAD /private/none | Authorization: Basic YW5uYTpzZWNyZXQ=
GET /only-get/page.html
POST /only-get/page.html | = a body
# Filters, expressions.
GET /packed/long.txt | Accept-Encoding: gzip
GET /packed/long.txt
GET /substituted/page.html
GET /handled/page.html
GET /handled/page.html | X-Handler: default-handler
GET /ifs/page.html
GET /ifs/page.html | X-If: yes
POST /small/page.html | = short
# Hosts.
GET http://lab.test/page.html
GET http://rewrite.test/pt/page.html
GET https://lab.test/page.html
GET HTTP://LAB.TEST/page.html?a=b
GET http://lab.test
GET http:///page.html
GET ftp://lab.test/page.html

@LAB.test.:8080
GET /dir
@unknown.test
GET /page.html
GET /dir
@[::1]
GET /dir
@bad_..host
GET /page.html

@rewrite.test
GET /pt/page.html
GET /pt/none
GET /file/page.html
GET /r/a%20b%3f?x=y
GET /r/%2541
GET /abs/a%26b?x=y
GET /qsa/a%26b%3d?x=y
POST /qsa/x | = a body
GET /qsd?x=y
GET /gone
GET /forbidden
GET /teapot
GET /map/one
GET /map/three
GET /env
GET /proxied/a%20b?x=y
GET /handler
GET /cookie | Cookie: beta=1
GET /cookie
GET /page.html
GET /front/anything
OPTIONS *
GET /%3f
@lab.test
GET /ht/in
GET /ht/pt
GET /ht/out?a=b
GET /ht/here
GET /ht/gone
GET /ht/front/a%20b?x=y
GET /ht/alias/x
GET /ht/page.html
GET /ht/

@proxy.test
GET /plain/page?a=b
GET /plain/a%2Fb
GET /plain/a%2fb%2541
GET /plain/%41%7e
GET /plain//double///x
GET /plain/redirect?http://inner.example/there
HEAD /plain/x
POST /plain/x | = a body
POST /plain/x | Expect: 100-continue | = a body
FOO /plain/x
OPTIONS /plain/x
TRACE /plain/x
GET /plain/x | Range: bytes=0-3 | Cookie: a=b | X-Forwarded-For: 192.0.2.1
GET /plain/%0d%0aX
GET /plain/a%3fb
GET /encoded/a%2Fb%41/%2e%2e/x?y
GET /encoded//double
GET /encoded/a%20b%3fc
GET /nocanon/a%2Fb%41?y
GET /nocanon//double
GET /match/abc
GET /balanced/x?y
GET /dead/x
GET /not/here
GET /page.html
@nodecode.test
GET /nocanon/a%2Fb%41
GET /a%2Fb%41//c?y
GET /%2F%2f/x
@host.test
GET /set/x | X-Client: 192.0.2.7
GET /page.html | X-Client: 192.0.2.7

@slashes.test
GET //page.html
GET /dir//sub/page.html
GET /dir/sub/page.html
GET /dir///sub
GET /dir%2fsub%2f/page.html
@one.vhost-alias.test
GET /page.html
GET /none
@two.vhost-alias.test
GET /page.html

@cache.test
GET /page.html
GET /page.html
HEAD /page.html
GET /page.html | Cache-Control: no-cache
GET /page.html | If-None-Match: *
GET /dir/ | X-Kind: a
GET /dir/ | X-Kind: b
GET /dir/ | X-Kind: a
GET /moved
GET /moved
GET /temp
POST /page.html | = a body
GET /page.html
GET /cgi/env?a
GET /cgi/env?a
GET /page.html | Range: bytes=0-3
GET /dir
@socache.test
GET /page.html
GET /page.html
GET /moved
GET /moved
GET /dir/ | X-Kind: a
GET /dir/ | X-Kind: a
GET /nothing

# WebDAV, in this order.
@lab.test
OPTIONS /dav/
PROPFIND /dav/ | Depth: 1
PROPFIND /dav/ | Depth: 0 | Content-Type: text/xml | = <?xml version="1.0"?><propfind xmlns="DAV:"><prop><getcontentlength/><resourcetype/></prop></propfind>
PROPFIND /page.html | Depth: 0
MKCOL /dav/folder
MKCOL /dav/folder
MKCOL /dav/no/folder
PUT /dav/folder/new.txt | = new text
PUT /dav/folder/new.txt | = newer text
HEAD /dav/none.txt
COPY /dav/first.txt | Destination: http://lab.test/dav/second.txt
MOVE /dav/second.txt | Destination: http://lab.test/dav/folder/third.txt
MOVE /dav/none.txt | Destination: /dav/x.txt
MOVE /dav/first.txt | Destination: http://lab.test/dav/folder/new.txt | Overwrite: F
PROPPATCH /dav/first.txt | = <?xml version="1.0"?><propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">1</x></prop></set></propertyupdate>
LOCK /dav/first.txt | Timeout: Infinite | = <?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>
END

# The token that the LOCK before gave.
push @table, {
    name => 'UNLOCK', bytes => sub {
        my ($token) = $_[0] =~ /(opaquelocktoken:[0-9a-f-]+)/;
        return request_of('lab.test', 'UNLOCK', '/dav/first.txt', ["Lock-Token: <@{[$token // 'none']}>"])->{bytes};
    }
};
push @table, table_of(<<'END');
@lab.test
PUT /dav/first.txt | = unlocked
DELETE /dav/folder/third.txt
DELETE /dav/none.txt
REPORT /dav/ | = <x/>
END

# ---- what a line cannot say ----

my $chunked = "POST /cgi/echo HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
push @table,
    { name => 'HTTP/1.0, no Host', bytes => "GET /page.html HTTP/1.0\r\n\r\n" },
    { name => 'HTTP/1.0, DirectorySlash without a Host', bytes => "GET /dir HTTP/1.0\r\n\r\n" },
    { name => 'HTTP/1.0, kept alive', bytes => "GET /page.html HTTP/1.0\r\nHost: lab.test\r\nConnection: keep-alive\r\n\r\nGET /dir HTTP/1.0\r\nHost: lab.test\r\n\r\n" },
    { name => 'HTTP/0.9', bytes => "GET /page.html\r\n\r\n" },
    { name => 'HTTP/1.1, no Host', bytes => "GET /page.html HTTP/1.1\r\nConnection: close\r\n\r\n" },
    { name => 'two Hosts', bytes => "GET /page.html HTTP/1.1\r\nHost: lab.test\r\nHost: proxy.test\r\nConnection: close\r\n\r\n" },
    { name => 'HTTP/3.0', bytes => "GET /page.html HTTP/3.0\r\nHost: lab.test\r\nConnection: close\r\n\r\n" },
    { name => 'no request line', bytes => "\r\n\r\n\r\n\r\n" . "nonsense\r\n\r\n" },
    { name => 'a bare line feed', bytes => "GET /page.html HTTP/1.1\nHost: lab.test\n\n" },
    { name => 'a long path', bytes => request_of('lab.test', 'GET', '/' . 'x' x 8000, [])->{bytes} },
    { name => 'too long a path', bytes => request_of('lab.test', 'GET', '/' . 'x' x 9000, [])->{bytes} },
    { name => 'many segments', bytes => request_of('lab.test', 'GET', '/a' x 3000, [])->{bytes} },
    { name => 'raw bytes', bytes => request_of('lab.test', 'GET', "/odd/\xc3\xa9.txt", [])->{bytes} },
    { name => 'pipelined', bytes => join '', map({ "$_ HTTP/1.1\r\nHost: lab.test\r\n\r\n" } 'GET /page.html', 'HEAD /page.html', 'GET /moved', 'GET /nothing', 'GET /dir/', 'OPTIONS *'),
        request_of('lab.test', 'POST', '/moved', [], 'a body')->{bytes} },
    { name => 'pipelined behind a body', bytes => "POST /page.html HTTP/1.1\r\nHost: lab.test\r\nContent-Length: 5\r\n\r\nhello" . request_of('lab.test', 'GET', '/page.html', [])->{bytes} },
    { name => 'chunks', bytes => "${chunked}5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: x\r\n\r\n" },
    { name => 'a bad chunk', bytes => "POST /page.html HTTP/1.1\r\nHost: lab.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n" },
    { name => 'a bad length', bytes => "POST /cgi/echo HTTP/1.1\r\nHost: lab.test\r\nContent-Length: -5\r\n\r\n" },
    { name => 'chunks and a length', bytes => "POST /cgi/echo HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" },
    request_of('lab.test', 'POST', '/small/page.html', [], 'x' x 200, name => 'a body over the limit'),
    { name => 'forward proxy', to => 'forward', bytes => "GET http://127.0.0.1:PORT-backend/a%2Fb//c?x HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\n\r\n" },
    { name => 'forward proxy, POST', to => 'forward', bytes => "POST http://127.0.0.1:PORT-backend/x HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello" },
    { name => 'forward proxy, a path of its own', to => 'forward', bytes => "GET /page.html HTTP/1.1\r\nHost: forward.test\r\nConnection: close\r\n\r\n" },
    { name => 'forward proxy, OPTIONS *', to => 'forward', bytes => "OPTIONS * HTTP/1.1\r\nHost: forward.test\r\nConnection: close\r\n\r\n" },
    { name => 'forward proxy, denied', to => 'forward', bytes => "GET http://denied.test/x HTTP/1.1\r\nHost: denied.test\r\nConnection: close\r\n\r\n" },
    { name => 'a tunnel', to => 'forward', bytes => "CONNECT 127.0.0.1:PORT-backend HTTP/1.1\r\nHost: 127.0.0.1:PORT-backend\r\n\r\nGET /through HTTP/1.1\r\nHost: lab.test\r\n\r\n" },
    { name => 'no tunnel', to => 'forward', bytes => "CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\nConnection: close\r\n\r\n" },
    request_of('lab.test', 'GET', '/server-info?server', [], undef, only => sub { $_[0] =~ s/(Current Time|Restart Time|Parent|Generation|up|load|Config Generation)\b.*//gir }),
    # Which hooks of which modules run, and in which order.
    request_of('lab.test', 'GET', '/server-info?hooks', [], undef, only => \&Redir307::Recorded::without_us),
    request_of('lab.test', 'GET', '/server-info?list', [], undef, only => \&Redir307::Recorded::without_us),
    request_of('lab.test', 'GET', '/server-status?auto', [], undef, only => sub { join ' ', grep { !/^(?:Req|Bytes|Duration)Per/ } $_[0] =~ /^(\w+):/mg });

# ---- HTTP/2 and TLS ----

my $has_http2 = has_module('http2');
my @lines_for_h2 = grep { $_->{host} && $_->{host} eq 'lab.test' && $_->{bytes} =~ m{\A(?:GET /(?!dav|server)|HEAD /page)[!-~]* } && $_->{target} !~ /#/ } @table;

sub curl_like {
    my ($entry, $url, @arguments) = @_;
    my ($head) = ref $entry->{bytes} ? '' : $entry->{bytes} =~ /\A(.*?)\r\n\r\n/s;
    my ($method, @fields) = ($head =~ /\A(\w+)/, grep { !/^(?:Host|Connection|Content-Length|Expect):|^\w+ \S* HTTP/ } split /\r\n/, $head);
    return ($method eq 'HEAD' ? '--head' : (), map({ ('-H', $_) } @fields), @arguments, $url . $entry->{target});
}

my @h2 = qw(--http2-prior-knowledge --connect-to ::127.0.0.1:PORT);
my $to_lab = 'http://lab.test:PORT';
my @over_h2 = !$has_http2 ? () : (
    map({ curl_of("HTTP/2, $_->{name}", { host => $_->{host}, target => $_->{target} }, curl_like($_, $to_lab, @h2)) } @lines_for_h2),
    curl_of('an upgrade to HTTP/2', {}, '--http2', $h2[-2], $h2[-1], "$to_lab/page.html"),
    curl_of('HTTP/2, several on one connection', {}, @h2, map { "$to_lab$_" } qw(/page.html /dir /moved /nothing /list/)),
    curl_of('HTTP/2, a POST', {}, @h2, '--data-binary', 'hello', "$to_lab/cgi/echo"),
    curl_of('HTTP/2, a proxy', {}, @h2, 'http://proxy.test:PORT/encoded/a%2Fb'),
    curl_of('HTTP/2, OPTIONS *', {}, @h2, qw(-X OPTIONS --request-target *), "$to_lab/")
);

sub over_tls {
    my ($protocol) = @_;
    return map { curl_of("TLS $protocol, $_", { host => 'lab.test', target => $_ }, $protocol, qw(--connect-to ::127.0.0.1:PORT-tls), "https://lab.test:PORT-tls$_") }
        qw(/page.html /dir /dir/ /nothing /moved /env.cgi /aliased/page.html /multi/doc /with.shtml /ht/out /%2e%2e/x);
}

# ---- the rules ----

my $elsewhere = <<'END';
site nobody.test *.nobody.test {
    /page.html  -> /x
    /*          -> https://elsewhere.example/*
}
END

my $nothing = $elsewhere . <<'END';
site lab.test rewrite.test proxy.test nodecode.test host.test slashes.test cache.test socache.test one.vhost-alias.test {
    /nowhere                     -> /x
    /nowhere/*                   -> /x/*
    /n/{id:int}/{x}              -> /x/{id}
    /n/{x...}/end                -> /x/{x}
    /search?q={t}                -> /find?q={t}
    /page.html?never={x}         -> /x
    ~ "^/never/(?<id>\d+)$"      -> /x/{id}
    /case/IGNORED                -> /x { case ignore }
    /only/{x}/when               -> /x/{x} { when header X-Beta = "on"; when cookie beta; unless client 10.0.0.0/8 }
    /chosen/*                    -> by accept { text/turtle /t; text/html /h } see-other
    /at-times                    -> /x { from 2026-01-01; until 2099-01-01; timezone UTC; when flag never }
    /left/*                      pass
}
/anywhere/never/*  gone
~ "^/n[0-9]+$"     -> /x
END

my $matching = $nothing . <<'END';
site lab.test rewrite.test proxy.test {
    /hit               -> /page.html
    /hits/*            -> /dir/*
    /hit-gone          gone
    /hit-left          pass
    # Never true here, but the field is read.
    /index.html        -> /x { when header X-Beta = "on" }
    /multi/doc         -> /x { when accept application/never }
    /text/*            -> /x { when language xx }
    /temp              -> /x { when cookie beta }
    /env.cgi           -> /x { when header X-Beta }
    /with.shtml        -> /x { when header X-Beta }
    /denied/{x}        -> /x { when header X-Beta }
    /packed/{x}.txt    -> /x { when header X-Beta }
    /asis/{x...}.asis  -> /x { when header X-Beta }
    ~ "^/only-g"       -> /x { when header X-Beta }
    /plain/page        -> /x { when header X-Beta }
    /gone              -> /x { when header X-Beta }
}
# Nobody asks for these but by TRACE: httpd itself comes to them, by subrequests, internal redirects and rewrites.
site lab.test {
    /traced            -> /x
    /                  -> /x { when method CONNECT TRACE }
    /included.html     -> /x
    /errors/*          -> /x
    /ssi-index/index.shtml -> /x
    /cgi-index/index.cgi -> /x
    /dir/index.html    gone
    /cgi/act/*         gone
    /fallback/index.html -> /x
    /map/thing.{l:en|de}.html -> /x
    /multi/doc.html.{l:en|de} -> /x
}
site rewrite.test {
    /aliased/*         -> /x/*
    /cgi/*             gone
}
END

# By host and path: the field that those rules looked at.
my %field_read = (
    'lab.test' => {
        '/index.html' => 'X-Beta', '/multi/doc' => 'Accept', '/text/nothing' => 'Accept-Language', '/temp' => 'Cookie', '/env.cgi' => 'X-Beta', '/with.shtml' => 'X-Beta',
        '/denied/x' => 'X-Beta', '/packed/long.txt' => 'X-Beta', '/asis/moved.asis' => 'X-Beta', '/only-get/page.html' => 'X-Beta'
    },
    'proxy.test' => { '/plain/page' => 'X-Beta' },
    'rewrite.test' => { '/gone' => 'X-Beta' }
);

sub field_read {
    my ($entry) = @_;
    return if !$entry->{host};
    return $field_read{ $entry->{host} }{ $entry->{target} =~ s/\?.*//r };
}

compile_rules('nothing', $nothing);
compile_rules('matching', $matching);
compile_rules('all', "/* -> https://elsewhere.example/*\n");
mkdir folder() . '/flags';

# ---- asking all of them ----

# mod_cgid's daemon makes its socket, and gives it to the server's user a moment later: till then all scripts answer 503.
sub scripts_are_ready {
    my $socket = folder() . '/sockets/cgid.' . Redir307::Httpd::server_pid();
    return Redir307::Httpd::wait_for(sub { my @of = stat $socket; return @of && ($> != 0 || $of[4] != 0) });
}

sub asked_of {
    my ($table, $accesses, %options) = @_;
    site_reset();
    serve(modules => [site_modules()], children => Redir307::Httpd::mpm() eq 'prefork' ? 6 : 1, threads => 16, watch => '1s', %options,
        conf => site_conf() . ($options{conf} // ''));
    Redir307::Httpd::mpm() eq 'prefork' || scripts_are_ready() || BAIL_OUT('mod_cgid does not start');
    my $recorded = record($table, $accesses, $options{before});
    # Compared with the other server's, not judged.
    announce(qr/./);
    stop();
    return $recorded;
}

my $here = folder();
my %variant = (
    'no rules' => { rules => undef },
    'rules that match nothing' => { rules => "$here/nothing.r307" },
    'every directive set' => { rules => "$here/nothing.r307", conf => <<"CONF" },
Redir307OnBadFile pass
Redir307Note off
Redir307EarlyClose 0
Redir307Expose rule
Redir307Copy on
Redir307Counters 100
Redir307Flags "$here/flags"
Redir307TrustProxy 127.0.0.1
CONF
    'rules that match elsewhere' => { rules => "$here/matching.r307", before => [qw(/hit /hits/x /hit-gone /hit-left)], field_read => \&field_read },
    'rules for everything, switched off' => { rules => "$here/all.r307", conf => "Redir307Engine off\n" }
);

sub all_alike {
    my ($mpm, @names) = @_;
    if (!has_module("mpm_$mpm")) { note("no mpm_$mpm here"); return }
    local $ENV{REDIR307_MPM} = $mpm;
    my @asked = (@table, $mpm eq 'event' ? @over_h2 : ());
    push @asked, over_tls('--http1.1') if can_tls();
    push @asked, over_tls('--http2') if can_tls() && $has_http2 && $mpm ne 'prefork';
    my $without = asked_of(\@asked, undef, without_module => 1);
    cmp_ok(scalar(keys %{ $without->{answers} }), '>=', 250, "$mpm: @{[scalar keys %{ $without->{answers} }]} requests are asked");
    for my $name (@names) {
        my %options = %{ $variant{$name} };
        my $with = asked_of(\@asked, scalar @{ $without->{accesses} }, %options);
        same_answers(\@asked, $without, $with, "$mpm, $name", $options{field_read});
        same_logs($without, $with, "$mpm, $name");
    }
    return;
}

my @all = sort keys %variant;
if ($ENV{REDIR307_MPM}) { all_alike($ENV{REDIR307_MPM}, @all) }
else {
    all_alike('event', @all);
    all_alike($_, 'rules that match elsewhere') for qw(worker prefork);
}
done_testing();
