# SPDX-License-Identifier: Apache-2.0
# Redir307EarlyClose: above its size an answer does not wait for the body that the client announced. Over TLS and HTTP/2,
# and what becomes of such a body: security_bodies.t; without the directive: bodies.t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use Redir307::Httpd;
use Redir307::Response;
use Test::More;
use Time::HiRes qw(time);

rules("/pay -> https://pay.example/\n/gone gone\n/kept pass\n");

sub connection { return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => port(), Proto => 'tcp', Timeout => 5) // die "no connection: $!" }

# What comes within the time; stops at the end of one answer without a body, or where the server closes.
sub answer {
    my ($socket, $seconds) = @_;
    my ($text, $end, $closed) = ('', time + $seconds, 0);
    while (time < $end) {
        my $ready = '';
        vec($ready, fileno $socket, 1) = 1;
        next if select($ready, undef, undef, 0.05) <= 0;
        if (!sysread $socket, $text, 65536, length $text) { $closed = 1; last }
        my ($length) = $text =~ /^Content-Length: (\d+)\r$/mi;
        last if defined $length && $text =~ /\r\n\r\n(.*)\z/s && length $1 >= $length && $text !~ /^Connection: close/mi;
    }
    return (Redir307::Response->new($text), $closed);
}

sub at_once {
    my ($bytes, $name, $status) = @_;
    my $socket = connection();
    syswrite $socket, $bytes;
    my ($response, $closed) = answer($socket, 5);
    is($response->status, $status // 307, "$name: answered while the body is still to come") or diag($response->head);
    is($response->field('Connection'), 'close', "$name: it says that the connection ends");
    return;
}

# Nothing comes before the body is there; then the answer, and the next request on the same connection.
sub drained {
    my ($head, $body, $name) = @_;
    my $socket = connection();
    syswrite $socket, $head;
    my ($early) = answer($socket, 0.4);
    is($early->text, '', "$name: nothing is sent before the body came");
    syswrite $socket, $body;
    my ($response) = answer($socket, 5);
    is($response->status, 307, "$name: then the answer") or diag($response->head);
    isnt($response->field('Connection') // '', 'close', "$name: the connection is kept");
    syswrite $socket, "GET /gone HTTP/1.1\r\nHost: lab.test\r\n\r\n";
    is((answer($socket, 5))[0]->status, 410, "$name: and serves the next request");
    return;
}

sub post { my ($target, @lines) = @_; return join "\r\n", "POST $target HTTP/1.1", 'Host: lab.test', @lines, '', '' }

for my $note ('on', 'off') {
    serve(children => 3, modules => ['reqtimeout'], conf => "Redir307EarlyClose 1000\nRedir307Note $note\nLimitRequestBody 10000\nRequestReadTimeout body=1\n");
    at_once(post('/pay', 'Content-Length: 1001'), "note $note, one byte above the limit");
    at_once(post('/pay', 'Content-Length: 1073741824') . 'x' x 5000, "note $note, a long upload that has begun");
    at_once(post('/pay', 'Transfer-Encoding: chunked'), "note $note, chunks");
    at_once(post('/pay', 'Transfer-Encoding: chunked') . "5\r\nhello\r\n", "note $note, chunks that have begun");
    at_once(post('/gone', 'Content-Length: 5000'), "note $note, an answer without a target", 410);
    at_once(post('/pay', 'Content-Length: 20000'), "note $note, more than LimitRequestBody, which nobody reads");
    at_once(post('/pay', 'Content-Length: 5000', 'Expect: 100-continue'), "note $note, a client that asks first");
    drained(post('/pay', 'Content-Length: 1000'), 'x' x 1000, "note $note, a body of the limit");
    drained(post('/pay', 'Content-Length: 1'), 'x', "note $note, a short body");

    # What was pipelined behind a body that is not read must not be taken for a request.
    my $socket = connection();
    syswrite $socket, post('/pay', 'Content-Length: 2000') . "GET /gone HTTP/1.1\r\nHost: lab.test\r\n\r\n" x 20;
    my ($response, $closed) = answer($socket, 5);
    is(scalar(() = $response->text =~ /^HTTP\/1\.1 /mg), 1, "note $note: bytes of the body are no requests");
    ok($closed, "note $note: the server closes");
    close $socket;

    $socket = connection();
    syswrite $socket, "GET /pay HTTP/1.1\r\nHost: lab.test\r\n\r\n";
    isnt((answer($socket, 5))[0]->field('Connection') // '', 'close', "note $note: without a body the connection is kept");
    close $socket;

    # curl reads while it sends. Bigger than what fits into the buffers between.
    write_file('upload', 'x' x 30_000_000);
    my @said = Redir307::Httpd::run(qw(curl -sS -o /dev/null --max-time 60 -H Expect: -w %{http_code} --data-binary @upload), url('/pay'));
    is("@said", '0 307', "note $note: a client that sends on gets its answer");
    my $h2 = has_module('http2');
    stop();
    next if !$h2 || ($ENV{REDIR307_MPM} // "") eq "prefork";
    serve(children => 3, conf => "Redir307EarlyClose 0\nRedir307Note $note\nProtocols h2c http/1.1\n", modules => ['http2']);
    $response = h2('POST', '/pay', 'Content-Type' => 'text/plain');
    SKIP: {
        skip 'curl has no HTTP/2', 1 if !$response;
        is($response->status, 307, "note $note: HTTP/2 without a body");
    }
    SKIP: {
        my ($nghttp) = grep { -x } map { "$_/nghttp" } split /:/, $ENV{PATH};
        skip 'no nghttp', 1 if !$nghttp;
        write_file('upload', 'x' x 300_000);
        my $said = `$nghttp -v -t 10 -d @{[folder()]}/upload @{[url('/pay')]} @{[url('/gone')]} 2>&1`;
        is(join(' ', sort $said =~ /:status: (\d+)/g), '307 410', "note $note: on HTTP/2 a long upload ends no other request") or diag($said);
    }
    at_once(post('/pay', 'Content-Length: 1'), "note $note, limit 0");
    stop();
}

serve(children => 3);
drained(post('/pay', 'Content-Length: 100000'), 'x' x 100000, 'off, as it is unless written');
stop();

serve(children => 3, conf => "Redir307EarlyClose 10\n");
my $socket = connection();
syswrite $socket, post('/nothing', 'Content-Length: 100');
is((answer($socket, 0.4))[0]->text, '', 'without a rule httpd waits as ever');
syswrite $socket, 'x' x 100;
my ($left) = answer($socket, 5);
is($left->status, 404, 'and answers by itself');
isnt($left->field('Connection') // '', 'close', 'on a connection that is kept');
close $socket;
$socket = connection();
syswrite $socket, post('/kept', 'Content-Length: 100');
is((answer($socket, 0.4))[0]->text, '', 'nor does a `pass` rule change that');
close $socket;
stop();

for my $word ('-1', '1k', 'on', '99999999999999999999999') {
    my ($status, $said) = configtest(conf => "Redir307EarlyClose \"$word\"\n");
    isnt($status, 0, "\"$word\" is refused");
    like($said, qr/Redir307EarlyClose: "\Q$word\E" is no number of bytes/, "and told");
}
done_testing();
