#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Requests with a body that a rule answers: however slowly, in whatever pieces and by whatever method it comes, it is read
# to its end, the answer follows, and the connection serves the next request. On HTTP/2 as on HTTP/1: clients that are
# answered while they still send more than the first 64 KiB take it for a failure. Hostile ones: security_bodies.t;
# answers before the body: early_close.t; real clients: clients.t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Httpd;
use Redir307::Response;
use Redir307::Transports;
use Test::More;
use Time::HiRes qw(time sleep);

rules(<<'END');
/old       -> /new
/308       -> /new  permanent
/301       -> /new  moved
/302       -> /new  found
/303       -> /new  see-other
/410       gone
/next      -> /second
END
my $head = "POST /old HTTP/1.1\r\nHost: lab.test\r\n";
my $next = "GET /next HTTP/1.1\r\nHost: lab.test\r\n\r\n";

sub said { my ($response) = @_; return join ' ', $response->status, $response->fields('Location') }

# What came within the time.
sub came_within {
    my ($connection, $seconds) = @_;
    my $end = time + $seconds;
    1 while Redir307::Transports::read_more($connection, $end);
    return $connection->{unread};
}

sub next_answer { my ($connection) = @_; return said(Redir307::Response->new((Redir307::Transports::read_response($connection))[0])) }

sub fields_of {
    my ($by, $target, @more) = @_;
    return [[':method', 'POST'], [':scheme', is_tls($by) ? 'https' : 'http'], [':authority', 'lab.test'], [':path', $target], @more];
}

# The memory that httpd's children have needed at most, in KiB.
sub peak {
    my $sum = 0;
    for my $child (children()) { $sum += $1 if read_file("/proc/$child/status") =~ /^VmHWM:\s+(\d+)/m }
    return $sum;
}

for my $note ('on', 'off') {
    serve_all(modules => ['reqtimeout'], conf => "Redir307Note $note\nTimeout 1\nRequestReadTimeout body=2\nLimitRequestBody 100000\nTraceEnable off\n");

    # ---- slowly, and in pieces ----

    for my $by (http1()) {
        my $what = "$by, note $note";
        my $connection = connection($by);
        local $SIG{PIPE} = 'IGNORE';
        syswrite $connection->{out}, "${head}Content-Length: 50\r\n\r\n";
        for (1 .. 5) {
            is(came_within($connection, 0.08), '', "$what: nothing is said while a slow body comes") if $_ == 1 || $_ == 5;
            syswrite $connection->{out}, 'GET / HTTP';
        }
        is(next_answer($connection), '307 /new', "$what: then the answer");
        syswrite $connection->{out}, "${head}Transfer-Encoding: chunked\r\n\r\n";
        for my $piece ("5\r", "\nhel", "lo\r\n", '1', "0\r\n0123456789abc", "def\r\n0", "\r\nX: y\r\n\r", "\n") {
            sleep 0.02;
            syswrite $connection->{out}, $piece;
        }
        is(next_answer($connection), '307 /new', "$what: chunks cut anywhere");
        my $three = "${head}Content-Length: 5\r\n\r\nhello" . "${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" . $next;
        syswrite $connection->{out}, $_ for split //, $three;
        is(join(', ', map { next_answer($connection) } 1 .. 3), '307 /new, 307 /new, 307 /second', "$what: three requests, byte by byte");
        Redir307::Transports::hang_up($connection);
    }

    # ---- by every status and method ----

    for my $by (transports()) {
        my @wrong;
        my $body = 'x' x 20_000;
        for my $status (301, 302, 303, 308, 410) {
            my $said = said(ask($by, 'POST', "/$status", body => $body));
            push @wrong, "POST /$status: $said" if $said ne ($status == 410 ? '410' : "$status /new");
        }
        for my $method (qw(GET PUT PATCH DELETE OPTIONS PROPFIND FOO)) {
            my $said = said(ask($by, $method, '/old', body => $body));
            push @wrong, "$method: $said" if $said ne '307 /new';
        }
        push @wrong, 'an empty body' if said(ask($by, 'POST', '/old', 'Content-Length' => 0)) ne '307 /new';
        is(join("\n", @wrong), '', "$by, note $note: every status and method with a body, on one connection");
    }

    # ---- who leaves ----

    for my $by (http1()) {
        for my $part ("Content-Length: 5000\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", "Content-Length: 5000\r\n") {
            my $connection = connection($by);
            syswrite $connection->{out}, "$head$part";
            Redir307::Transports::hang_up($connection);
        }
        is(said(ask($by, 'POST', '/old', body => 'x')), '307 /new', "$by, note $note: clients that left with half a body behind them do no harm");
    }

    # ---- HTTP/2 ----

    for my $by (http2()) {
        my $what = "$by, note $note";
        my $connection = connection($by);
        my $http2 = $connection->{http2};
        my $slow = $http2->send_request(fields_of($by, '/old'), 'hello', 'unfinished');
        my $waits = $http2->send_request(fields_of($by, '/old', ['content-length', 9], ['expect', '100-continue']), '', 'unfinished');
        my $other = $http2->send_request(fields_of($by, '/308'), 'x' x 1000);
        my $much = $http2->send_request(fields_of($by, '/303', ['content-length', 100_001]), 'hello', 'unfinished');
        is(said($http2->response($other)), '308 /new', "$what: an upload does not hold up another");
        my $response = $http2->response($waits);
        is(said($response), '307 /new', "$what: who asks before sending is answered");
        is(scalar($response->interim), 0, "$what: and not told to send");
        my $refused = $http2->response($much);
        is(said($refused), '413', "$what: a body over LimitRequestBody is refused, as on HTTP/1");
        unlike($refused->body, qr/See Other|\/new/, "$what: and nothing else said");
        ok(!$http2->has_ended($slow), "$what: a slow body is waited for");
        for (1 .. 3) { $http2->send_more($slow, 'more', $_ < 3); sleep 0.05 }
        is(said($http2->response($slow)), '307 /new', "$what: and answered");
        is($http2->reset_code($slow, 0.1), undef, "$what: without a reset");

        my $began = time;
        my $never = $http2->send_request(fields_of($by, '/old'), 'hello', 'unfinished');
        is(said($http2->response($never)), '307 /new', "$what: one that never comes is answered all the same");
        cmp_ok(time - $began, '>', 0.5, "$what: when Timeout is over");
        is($http2->reset_code($never, 5), 0, "$what: the rest of it is declined without an error (RFC 9113, 8.1)");
        $never = $http2->send_request(fields_of($by, '/old'), 'x' x 30_000, 'unfinished');
        my @many = map { $http2->send_request(fields_of($by, '/old'), 'hello', 'unfinished') } 1 .. 20;
        for my $stream (@many) { $http2->send_more($stream, ' world') }
        is(join(' ', map { said($http2->response($_)) } @many), join(' ', ('307 /new') x 20), "$what: twenty uploads at once");
        Redir307::Transports::hang_up($connection);
        is(said(ask($by, 'POST', '/old', body => 'x')), '307 /new', "$what: a connection that ends amid an upload does no harm");
    }
    # A client that leaves is no mistake of ours.
    stop();
}

# ---- much of it ----

serve_all();
my $size = 50_000_000;
write_file('large', 'x' x $size);
my $before = peak();
my @curl = (qw(curl -sS -k -o /dev/null --max-time 100), '-w', '%{http_code}', '-H', 'Expect:', '--data-binary', '@large');
for my $row (
    ['HTTP/1.1', '--http1.1', url('/old')], ['HTTP/1.1 in chunks', '--http1.1', '-H', 'Transfer-Encoding: chunked', url('/old')],
    http2() ? ['HTTP/2', '--http2-prior-knowledge', url('/old')] : (),
    (grep { /TLS/ } http2()) ? ['HTTP/2 over TLS', '--http2', "https://127.0.0.1:@{[tls_port()]}/old"] : ()
    ) {
    my ($what, @arguments) = @$row;
    my ($status, $said) = Redir307::Httpd::run(@curl, @arguments);
    is("$status: $said", "0: 307", "$what: 50 MB are taken in and thrown away");
}
SKIP: {
    skip 'a sanitizer keeps memory', 1 if $ENV{REDIR307_PRELOAD};
    my $grown = peak() - $before;
    cmp_ok($grown, '<', 20_000, "they need $grown KiB of memory at most");
}
unlink folder() . '/large';
stop();
done_testing();
