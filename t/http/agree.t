#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# One table of requests, asked twice: of a running httpd and of `rulec answer`. The same code answers in both, and
# what stands around it (httpd's reading of the request there, the command line's here) must not make a difference.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Httpd;
use Test::More;

my $path = rules(<<'END');
/                    -> /start
/a                   -> /exact
/a/*                 -> /sub/*
/a/{x}               -> /one/{x}                permanent
/a/{x}/c             -> /two/{x}                found
/a/{n:int}           -> /number/{n}
/a/pass              pass
/gone                gone
/q?id={i}            -> /item/{i}
/q?id={i}&lang=de    -> /artikel/{i}
/q                   -> /all
/file/*.ttl          -> /rdf/*
/v/{major:int}.{minor:int}/x -> /v{major}/{minor}
/drop                -> /d { query drop }
/only                -> /o { query only a }
/Case                -> /folded { case ignore }
/strict/             -> /s { slash exact }
/post                -> /p { when method POST }
/auto                -> /t                     temporary auto
/%C3%A9t%C3%A9       -> /sommer
site one.test two.test { /a -> /of-one; /host -> https://{host}/h }
site *.wild.test       { /a -> /of-wild }
site one.test:8080     { /a -> /of-port }
END

my @paths = ('/', '/a', '/a/', '/A', '/a/b', '/a/b/', '/a/b/c', '/a/b/c/', '/a/b/c/d', '/a/7', '/a/007/', '/a/pass', '/a/pass/', '/a//b', '/a/./b', '/a/x/../b',
    '/a/%62', '/a/b%2Dc', '/a/b%20c', '/a/%C3%A9', '/a/b?x=1', '/a/b?x=1&y=%20', '/a/b?', '/gone', '/gone?x', '/q', '/q?id=7', '/q?id=7&lang=de', '/q?lang=de&id=7&z=1',
    '/q?id=', '/q?lang=de', '/q?i%64=7', '/q?id=a%26b&id=c', '/file/x.ttl', '/file/x/y.ttl', '/file/.ttl', '/file/x.ttl/', '/v/1.2/x', '/v/1.x/x', '/v/1.2.3/x', '/drop?a=1',
    '/only?a=1&b=2', '/case', '/CASE/', '/strict', '/strict/', '/post', '/auto', '/%c3%a9t%C3%A9', '/nothing', '/host', '/host?x=y');
my @methods = qw(GET HEAD POST OPTIONS get FOO);
my @hosts = ('lab.test', 'one.test', 'TWO.test.', 'x.wild.test', 'wild.test', 'one.test:8080');

my (@requests, $number);
for my $target (@paths) {
    for my $host (@hosts) {
        my $method = $methods[$number++ % @methods];
        # httpd refuses a method in small letters that no module knows before it asks us.
        push @requests, [$method, $host, $target] if $method ne 'get';
    }
}
write_file('requests', join '', map { "$_->[0] http://$_->[1]$_->[2]\n" } @requests);
my ($status, $text) = Redir307::Httpd::run('sh', '-c', '"$0" answer "$1" - <"$2"', $Redir307::Httpd::rulec_path, $path, folder() . '/requests');
is($status, 0, 'rulec answers a list of requests') or diag($text);
my @answers = split /\n/, $text;
is(scalar @answers, scalar @requests, 'one line for each');

serve();
my @differences;
my %kinds;
for my $number (0 .. $#requests) {
    my ($method, $host, $target) = @{ $requests[$number] };
    my $response = request($method, $target, Host => $host);
    my $location = $response->field('Location');
    my $said = defined $location ? $response->status . " $location" : $response->status == 410 ? '410' : 'pass';
    $kinds{ $said =~ /^(\w+)/ ? $1 : '' }++;
    push @differences, "$method http://$host$target: httpd says \"$said\", rulec says \"$answers[$number]\"" if $said ne $answers[$number];
}
is(join("\n", @differences), '', 'httpd and rulec say the same of ' . @requests . ' requests');
cmp_ok($kinds{$_} // 0, '>', 0, "among them some of \"$_\"") for qw(301 302 307 308 410 pass) [1 .. 5];
# httpd's own word about a method that it does not know and nobody answers.
announce(qr/AH00135: Invalid method in request FOO/);
stop();
done_testing();
