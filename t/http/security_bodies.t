#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Hostile requests 7: bodies. A request with one is answered once, holds a worker no longer than httpd lets it, and no
# byte of a body becomes a request. Early answers in full: early_close.t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Hostile;
use Redir307::Httpd;
use Redir307::Response;
use Redir307::Transports;
use Test::More;
use Time::HiRes qw(time);

rules("/old -> https://new.test/n\n/g gone\n/next -> /second\n");
my $head = "POST /old HTTP/1.1\r\nHost: lab.test\r\n";
my $next = "GET /next HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\n\r\n";
my $inside = "GET /g HTTP/1.1\r\nHost: lab.test\r\n\r\n";

# Sends these pieces on a new connection and reads what comes, until httpd closes or for so long.
sub sends {
    my ($transport, $seconds, @pieces) = @_;
    my $connection = connection($transport);
    my ($end, $text) = (time + $seconds, '');
    local $SIG{PIPE} = 'IGNORE';
    for my $piece (@pieces) {
        for (my $at = 0; $at < length $piece;) { $at += syswrite($connection->{out}, $piece, 65536, $at) || last }
    }
    while (time < $end) {
        my $ready = '';
        vec($ready, fileno $connection->{in}, 1) = 1;
        next if select($ready, undef, undef, 0.02) <= 0;
        my $got = sysread $connection->{in}, $text, 65536, length $text;
        last if !$got;
    }
    Redir307::Transports::hang_up($connection);
    return $text;
}

# The statuses of all responses, interim ones, too, and that nobody was asked for /g.
sub statuses {
    my ($text, $wanted, $name) = @_;
    my $statuses = join ' ', $text =~ m{^HTTP/1\.1 (\d+)}mg;
    is($statuses, $wanted, $name) or diag($text);
    unlike($text, qr/^(?:Location|Cache-Control):/mi, "$name: which is no redirect") if $wanted =~ /\A4\d\d\z/;
    return;
}

serve_all(modules => ['reqtimeout'], conf => "RequestReadTimeout body=1\nLimitRequestBody 100000\n");
for my $by (http1()) {
    my ($text) = sends($by, 20, "${head}Content-Length: 1000\r\n\r\n");
    statuses($text, '408', "$by: a body that never comes ends at RequestReadTimeout, and holds no worker for ever");
    ($text) = sends($by, 20, "${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    statuses($text, '408', "$by: nor do chunks that never end");
    # Not 408: nobody waited.
    ($text) = sends($by, 20, "${head}Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n");
    statuses($text, '307', "$by: who asks before sending is not told to send");
    like($text, qr/^Connection: close\r$/m, "$by: on a connection that ends");
    ($text) = sends($by, 20, "${head}Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
    statuses($text, '307', "$by: nor with chunks");
    ($text) = sends($by, 20, "${head}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", $inside, $next);
    statuses($text, '307', "$by: what is sent all the same is no request");
    ($text) = sends($by, 20, "${head}Content-Length: 5\r\nExpect: 200-evil\r\n\r\nhello");
    statuses($text, '417', "$by: an expectation that nobody knows is httpd's to refuse");
    ($text) = sends($by, 20, "${head}Content-Length: 100001\r\n\r\n", 'x' x 100001);
    statuses($text, '413', "$by: a body over LimitRequestBody");
    ($text) = sends($by, 20, "${head}Transfer-Encoding: chunked\r\n\r\n", (sprintf("%x\r\n", 60000) . 'x' x 60000 . "\r\n") x 2, "0\r\n\r\n");
    statuses($text, '413', "$by: in chunks, too");
    ($text) = sends($by, 20, "${head}Content-Length: 100000\r\n\r\n", 'x' x 100000, $next);
    statuses($text, '307 307', "$by: one as long as that is read, and the next request answered");
    like($text, qr/^Location: \/second\r$/m, "$by: by its own rule");

    # ---- framing ----

    ($text) = sends($by, 20, "${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n", $next);
    statuses($text, '307 307', "$by: good chunks, with an extension and a trailer");
    for my $row (
        ['5x', 'a chunk of no size', '400'], ['-5', 'a negative size', '400'], ['ffffffffffffffffff', 'a size past all', '413'], ['0x5', 'a size in C', '400'], ['', 'no size', '400'], [' 5', 'a blank before a size', '400'],
        ) {
        ($text) = sends($by, 20, "${head}Transfer-Encoding: chunked\r\n\r\n$row->[0]\r\nhello\r\n0\r\n\r\n", $inside);
        statuses($text, $row->[2], "$by: $row->[1]");
        unlike($text, qr/410 Gone/, "$by: $row->[1]: nothing behind it is a request");
    }
    # Two framings at once: nothing that one of them calls a body becomes a request.
    for my $row (
        ["Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n$inside", 'Content-Length and chunks', '307'],
        ["Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n$inside", 'the other way round', '307'],
        ["Content-Length: 5\r\nContent-Length: 0\r\n", "hello$inside", 'two lengths', '400'],
        ["Content-Length: 5, 5\r\n", "hello$inside", 'a list of lengths', '400'],
        ["Content-Length: +5\r\n", "hello$inside", 'a length with a sign', '400'],
        ["Content-Length: -5\r\n", "hello$inside", 'a negative length', '400'],
        ["Content-Length: 5x\r\n", "hello$inside", 'a length with a letter', '400'],
        ["Content-Length: 0x5\r\n", "hello$inside", 'a length in C', '400'],
        ["Content-Length: 99999999999999999999\r\n", "hello$inside", 'a length past all', '400'],
        ["Content-Length : 5\r\n", "hello$inside", 'a blank behind the name', '400'],
        ["Transfer-Encoding: xchunked\r\n", "0\r\n\r\n$inside", 'an unknown coding', '400'],
        ["Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n$inside", 'chunks that are not the last coding', '400'],
        ["Transfer-Encoding: identity\r\nContent-Length: 5\r\n", "hello$inside", 'identity', '400'],
        ["Transfer-Encoding\r\n : chunked\r\n", "0\r\n\r\n$inside", 'a folded name', '400'],
        ) {
        my ($fields, $body, $name, $wanted) = @$row;
        ($text) = sends($by, 20, "$head$fields\r\n$body");
        statuses($text, $wanted, "$by: $name");
        unlike($text, qr/410 Gone/, "$by: $name: nothing in the body is a request");
    }
    ($text) = sends($by, 20, "${head}Content-Length: @{[length $inside]}\r\n\r\n$inside$next");
    statuses($text, '307 307', "$by: a body that reads like a request is a body");
    ($text) = sends($by, 20, "GET /old HTTP/1.1\r\nHost: lab.test\r\nContent-Length: @{[length $inside]}\r\n\r\n$inside$next");
    statuses($text, '307 307', "$by: of a GET, too");
    ($text) = sends($by, 20, "POST /old HTTP/1.0\r\nHost: lab.test\r\nContent-Length: 5\r\n\r\nhello$next");
    statuses($text, '307', "$by: HTTP/1.0 ends the connection");
    ($text) = sends($by, 20, "GET /old HTTP/1.1\r\nHost: lab.test\r\n\r\n" x 50 . $next);
    statuses($text, join(' ', ('307') x 51), "$by: fifty requests at once get fifty answers");
    ($text) = sends($by, 20, "GET /old HTTP/1.1\r\nHost: lab.test\r\nX-A: b\nX-B: c\r\n\r\n");
    statuses($text, '400', "$by: a bare line feed ends no line");
}
stop();

# The short answer without a note is no other.
serve_all(modules => ['reqtimeout'], conf => "Redir307Note off\nRequestReadTimeout body=1\nLimitRequestBody 1000\n");
for my $by (http1()) {
    my ($text) = sends($by, 20, "${head}Content-Length: 1000\r\n\r\n");
    statuses($text, '408', "$by: without a note, a body that never comes");
    ($text) = sends($by, 20, "${head}Content-Length: 1001\r\n\r\n", 'x' x 1001);
    statuses($text, '413', "$by: without a note, a body over LimitRequestBody");
    ($text) = sends($by, 20, "${head}Transfer-Encoding: chunked\r\n\r\n5x\r\nhello\r\n0\r\n\r\n", $inside);
    statuses($text, '400', "$by: without a note, a chunk of no size");
    ($text) = sends($by, 20, "${head}Content-Length: @{[length $inside]}\r\n\r\n$inside$next");
    statuses($text, '307 307', "$by: without a note, a body that reads like a request");
}
stop();

# ---- much of it ----

serve_all();
my $large = 50_000_000;
for my $by (http1()) {
    my ($text) = sends($by, 60, "${head}Content-Length: $large\r\n\r\n", ('x' x 1_000_000) x 50, $next);
    statuses($text, '307 307', "$by: 50 MB are read and thrown away, then the next request is answered");
}
over([http2()], sub {
    for my $row ([0, 'no body'], [1000, 'a short one'], [60_000, 'one that fits the window']) {
        asks('POST', '/old', '307 https://new.test/n', "HTTP/2 with $row->[1]", body => 'x' x $row->[0]);
    }
});
stop();

# ---- answered before the body ----

serve_all(conf => "Redir307EarlyClose 1000\n");
for my $by (http1()) {
    my ($text) = sends($by, 20, "${head}Content-Length: 1001\r\n\r\n");
    statuses($text, '307', "$by: a long body is not waited for where the administrator says so");
    like($text, qr/^Connection: close\r$/m, "$by: on a connection that ends");
    ($text) = sends($by, 20, "${head}Content-Length: 5000\r\n\r\n$inside$inside$next");
    statuses($text, '307', "$by: and what comes all the same is no request");
    ($text) = sends($by, 20, "${head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n$next");
    statuses($text, '307', "$by: nor behind chunks");
}
for my $by (http2()) {
    my $connection = connection($by);
    my $http2 = $connection->{http2};
    my @fields = ([':method', 'POST'], [':scheme', is_tls($by) ? 'https' : 'http'], [':authority', 'lab.test'], [':path', '/old']);
    my $stream = $http2->send_request([@fields, ['content-length', '1000000']], 'x' x 65_535, 'unfinished');
    my $response = $http2->response($stream);
    is(said($response), '307 https://new.test/n', "$by: an upload that has only begun is answered");
    ok($http2->has_ended($stream), "$by: the answer is whole");
    is($http2->reset_code($stream, 5), 0, "$by: and the rest of the body is declined without an error (RFC 9113, 8.1)");
    my $again = $http2->send_request([[':method', 'GET'], @fields[1, 2], [':path', '/g']]);
    is(said($http2->response($again)), '410', "$by: while the connection goes on");
    my $wrong = $http2->send_request([@fields, ['content-length', '5']], 'longer than that');
    like(said($http2->response($wrong)), qr{^(?:307 https://new\.test/n|RST_STREAM 1)$}, "$by: a body that is longer than it says is a mistake of its stream alone");
    is(said($http2->response($http2->send_request([[':method', 'GET'], @fields[1, 2], [':path', '/g']]))), '410', "$by: and the connection goes on");
    Redir307::Transports::hang_up($connection);
}
stop();
inputs_told();
done_testing();
