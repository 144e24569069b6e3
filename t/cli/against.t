#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# rulec test --against: the same tests, asked of a live server. Here it is a small one that says what it was asked.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use Redir307::Rulec qw(rulec rules folder read_bytes);
use Test::More;

my ($probe_status, $probe) = rulec('test', '--against', 'http://127.0.0.1:9', rules('probe', "/a -> /b\n"));
plan skip_all => 'built without libcurl' if $probe =~ /built without libcurl/;

# Answers by "METHOD HOST TARGET"; writes what it was asked into a file. Ends with the test.
my %answers;
sub serve {
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16, ReuseAddr => 1) or die "listen: $!";
    my $pid = fork // die "fork: $!";
    return ($listener->sockport, $pid) if $pid;
    alarm 120;
    $SIG{PIPE} = 'IGNORE';
    open my $log, '>', folder() . '/asked' or die;
    $log->autoflush;
    while (my $client = $listener->accept) {
        while (defined(my $line = <$client>)) {
            my ($method, $target) = $line =~ /^(\S+) (\S+) HTTP/ or last;
            my %field;
            while (defined(my $field = <$client>)) {
                last if $field =~ /^\r?$/;
                $field{lc $1} = $2 if $field =~ /^([^:]+):\s*(.*?)\s*$/;
            }
            my $scheme = $field{'x-forwarded-proto'} ? " ($field{'x-forwarded-proto'})" : '';
            print {$log} "$method $field{host} $target$scheme", (map { exists $field{$_} ? " $_=$field{$_}" : () } qw(x-a cookie accept)), "\n";
            my $answer = $answers{"$method $field{host} $target"} // "404 Not Found";
            my ($status, @lines) = split /\n/, $answer;
            my $body = $method eq 'HEAD' ? '' : "body\n";
            print {$client} join("\r\n", "HTTP/1.1 $status", @lines, 'Content-Length: 5', '', ''), $body;
            $client->flush;
        }
        close $client;
    }
    exit 0;
}
sub answered { my %given = @_; %answers = %given; return serve() }

my ($port, $pid) = answered(
    'GET shop.example /cart' => "308 Permanent Redirect\nLocation: /basket\nX-Note: one",
    'POST shop.example /cart' => "308 Permanent Redirect\nLocation: /basket",
    'HEAD shop.example /cart' => "308 Permanent Redirect\nLocation: /basket",
    'GET shop.example /p/a%20b?x=1' => "307 Temporary Redirect\nLocation: /q/a%20b?x=1",
    'GET shop.example /old' => '410 Gone',
    'GET shop.example /feed' => '200 OK',
    'GET shop.example:8080 /cart' => "307 Temporary Redirect\nLocation: /test",
    'GET rulec-test.w.example /a' => "307 Temporary Redirect\nLocation: /w",
    'GET shop.example /with' => "307 Temporary Redirect\nLocation: /h",
    'GET shop.example /wrong' => "302 Found\nLocation: /wrong-place",
    'GET shop.example /passed' => "302 Found\nLocation: /elsewhere",
);
my $rules = rules('live', <<'REDIR');
site shop.example {
    /cart -> /basket permanent { header X-Note one }
    /p/* -> /q/*
    /old gone
    /feed pass
}
site shop.example:8080 { /cart -> /test }
site *.w.example { /a -> /w }
expect GET https://shop.example/cart -> 308 /basket { header X-Note one }
expect POST http://shop.example/cart -> 308 /basket
expect HEAD http://shop.example/cart -> 308
expect GET "http://shop.example/p/a b?x=1" -> 307 /q/a%20b?x=1
expect GET http://shop.example/old -> 410
expect GET http://shop.example/feed -> pass
expect GET http://shop.example/nothing -> pass
REDIR
my ($status, $said) = rulec('test', '--against', "http://127.0.0.1:$port/", $rules);
is($status, 0, 'a server that does as the rules say');
is($said, <<'TAP', '... each test holds, exact rules among them');
TAP version 13
ok 1 - live.redir:9: GET https://shop.example/cart
ok 2 - live.redir:10: POST http://shop.example/cart
ok 3 - live.redir:11: HEAD http://shop.example/cart
ok 4 - live.redir:12: GET http://shop.example/p/a b?x=1
ok 5 - live.redir:13: GET http://shop.example/old
ok 6 - live.redir:14: GET http://shop.example/feed
ok 7 - live.redir:15: GET http://shop.example/nothing
ok 8 - live.redir: 5 exact rules answer for themselves
1..8
TAP
like(read_bytes(folder() . '/asked'), qr/^GET shop\.example \/cart \(https\)\nPOST shop\.example \/cart\n/, 'https is told by X-Forwarded-Proto; no Accept is sent that the test does not name');
kill 'TERM', $pid;
waitpid $pid, 0;

($port, $pid) = answered(
    'GET shop.example /wrong' => "302 Found\nLocation: /wrong-place",
    'GET shop.example /passed' => "302 Found\nLocation: /elsewhere",
    'GET shop.example /field' => "307 Temporary Redirect\nLocation: /f",
);
$rules = rules('broken', <<'REDIR');
site shop.example { /wrong -> /right; /x/* -> /y/*; /field -> /f { header X-A 1 } }
expect GET http://shop.example/wrong -> 307 /right
expect GET http://shop.example/x/1 -> 307 /y/1
expect GET http://shop.example/passed -> pass
expect GET http://shop.example/field -> 307 /f { header X-A 1 }
REDIR
($status, $said) = rulec('test', '--against', "http://127.0.0.1:$port", $rules);
is($status, 1, 'a server that does not: exit status 1');
is($said, <<'TAP', '... what was wanted and what came');
TAP version 13
not ok 1 - broken.redir:2: GET http://shop.example/wrong
# wanted 307 /right
# got    302 /wrong-place
not ok 2 - broken.redir:3: GET http://shop.example/x/1
# wanted 307 /y/1
# got    404 by the server itself
not ok 3 - broken.redir:4: GET http://shop.example/passed
# wanted pass
# got    302 /elsewhere
not ok 4 - broken.redir:5: GET http://shop.example/field
# wanted X-A: 1
# got    no field X-A
# broken.redir:1: /wrong
# wanted 307 /right
# got    302 /wrong-place
not ok 5 - broken.redir: 1 exact rule answers for itself, 1 does not
1..5
TAP
kill 'TERM', $pid;
waitpid $pid, 0;

($status, $said) = rulec('test', '--against', "http://127.0.0.1:$port", $rules);
is($status, 1, 'no server at all: exit status 1');
like($said, qr/^# got    no answer: .*(refused|connect)/mi, '... with the reason');
is((rulec('test', '--against', 'localhost:80', $rules))[0], 2, 'a server that is no URL: exit status 2');
done_testing();
