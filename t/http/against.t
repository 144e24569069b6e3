#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# rulec test --against: the tests in the rules, asked of httpd with the module and these rules, hold; with other rules
# they do not.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Httpd;
use Test::More;

my ($probe, $built) = Redir307::Httpd::run($Redir307::Httpd::rulec_path, 'test', '--against', 'http://127.0.0.1:9', 'none.redir');
plan skip_all => 'built without libcurl' if $built =~ /built without libcurl/;

my $text = <<'END';
/a -> /b
/gone gone
/pass/* pass
/* -> /caught/* { when header X-Catch }
/form -> /f-post { when method POST }
/form -> /f
/lang -> by language { de /de; otherwise /en }
/data -> by accept { text/turtle /d.ttl; text/html otherwise /d.html } see-other
/beta -> /new { when cookie beta = "1" }
/flagged -> /on { when flag f }
/sp/* -> /q/*
/q?id={i} -> /item/{i}
/late -> /soon { from 2099-01-01T00:00Z }
site shop.example *.shop.example {
    cache 1h
    when scheme http
    /* -> https:
}
site shop.example:8080 { /port -> /port-8080 }
expect GET /a -> 307 /b { header Cache-Control no-cache }
expect HEAD /a -> 307 /b
expect GET /a/ -> 307 /b
expect GET /gone -> 410
expect GET /pass/x -> pass
expect GET /nothing -> pass
expect GET /nothing with { header X-Catch yes } -> 307 /caught/nothing { header Vary X-Catch }
expect POST /form -> 307 /f-post
expect PUT /form -> 307 /f
expect GET /lang -> 307 /en
expect GET /lang with { header Accept-Language "fr, de;q=0.5" } -> 307 /de { header Vary Accept-Language }
expect GET /data -> 303 /d.html
expect GET /data with { header Accept text/turtle } -> 303 /d.ttl
expect GET /beta with { cookie beta 1; cookie other 2 } -> 307 /new
expect GET /beta -> pass
expect GET /sp/a%2Db%20c?x=%20&y -> 307 /q/a-b%20c?x=%20&y
expect GET /q?x=1&id=7 -> 307 /item/7?x=1
expect GET http://www.shop.example/x?y -> 307 https://www.shop.example/x?y
expect GET https://www.shop.example/x -> pass
expect GET http://shop.example:8080/port -> 307 /port-8080
expect GET /flagged with { flag f } -> 307 /on
expect GET /flagged with { client 10.1.2.3 } -> pass
expect GET /late at 2099-06-01T00:00Z -> 307 /soon
END

rules($text);
my ($status, $said) = Redir307::Httpd::run($Redir307::Httpd::rulec_path, 'test', 'rules.redir');
is($status, 0, 'in process all tests hold') or diag($said);
my $count = () = $said =~ /^ok/mg;

serve(conf => "Redir307TrustProxy 127.0.0.1\nKeepAlive On\nMaxKeepAliveRequests 0\n");
my @ask = ($Redir307::Httpd::rulec_path, 'test', '--against', 'http://127.0.0.1:' . port(), 'rules.redir');
($status, $said) = Redir307::Httpd::run(@ask);
is($status, 0, 'httpd answers all of them likewise') or diag($said);
is(scalar(() = $said =~ /^ok/mg), $count, '... none is lost');
is(scalar(() = $said =~ /^ok .* # SKIP /mg), 3, '... and those that name a flag, a client or a time are skipped');

# The same tests, other rules behind them.
compile_rules('other', $text =~ s{^/a -> /b$}{/a -> /other}mr =~ s/^expect.*\n//mgr =~ s{/d\.ttl}{/e.ttl}r =~ s/gone gone/gone -> \/x/r);
rename folder() . '/other.r307', folder() . '/rules.r307' or die "rename: $!";
($status, $said) = Redir307::Httpd::run(@ask);
is($status, 1, 'rules that are others are found out');
my @failed = $said =~ /^not ok \d+ - rules\.redir:\d+: (.*)$/mg;
is(join(', ', @failed), 'GET /a, HEAD /a, GET /a/, GET /gone, GET /data', '... by the tests that they fail');
like($said, qr{^# wanted 307 /b\n# got    307 /other\n}m, '... with what was wanted and what came');
stop();
done_testing();
