#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# rulec answer: one request, and a log replayed line by line.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Rulec qw(rulec rules compiled run_in folder rulec_path write_bytes);
use IPC::Open2;
use JSON::PP;
use Test::More;

my $file = compiled('shop', <<'REDIR');
/any -> /anywhere
site shop.example {
    /cart -> /basket permanent
    /old gone
    /feed pass
    /p/* -> https://p.example/*
    /form -> /form-v2 { when method POST }
    /secure -> https: { when scheme http }
    /both -> /one temporary auto
}
site shop.example:8080 { /cart -> /test-basket }
REDIR

sub answers {
    my ($request, $wanted, $name) = @_;
    my ($status, $output) = rulec('answer', $file, split ' ', $request);
    is($output, "$wanted\n", $name);
    is($status, 0, "$name: exit status 0");
}
answers('GET https://shop.example/cart', '308 /basket', 'status and target');
answers('GET https://shop.example/old', '410', 'a status without target');
answers('GET https://shop.example/feed', 'pass', 'a pass');
answers('GET https://shop.example/none', 'pass', 'no rule');
answers('GET //shop.example/cart', '308 /basket', 'a URL without a scheme');
answers('GET https://SHOP.example./cart#there', '308 /basket', 'a host as people write it; a fragment is not sent');
answers('GET https://shop.example:8080/cart', '307 /test-basket', 'a port');
answers('GET http://shop.example/secure', '307 https://shop.example/secure', 'a scheme');
answers('GET https://shop.example/secure', 'pass', 'the other scheme');
answers('POST https://shop.example/form', '307 /form-v2', 'a method');
answers('GET https://shop.example/form', 'pass', 'another method');
answers('HEAD https://shop.example/both', '302 /one', 'a status that depends on the method');
answers('PUT https://shop.example/both', '307 /one', '... and for other methods');
answers('GET /any?x=1&y', '307 /anywhere?x=1&y', 'a path alone, with a query');
answers('GET https://shop.example', 'pass', 'a URL without a path');
is((rulec('answer', '--base', 'https://shop.example', $file, 'GET', '/cart'))[1], "308 /basket\n", '--base gives the host');
is((rulec('answer', '--base', 'shop.example:8080', $file, 'GET', '/cart'))[1], "307 /test-basket\n", '--base with a port');
is((rulec('answer', 'shop.redir', 'GET', 'https://shop.example/cart'))[1], "308 /basket\n", 'the rules as text');

sub refused {
    my ($words, $says, $name) = @_;
    my ($status, $output) = rulec('answer', @$words);
    is($status, 2, "$name: exit status 2");
    like($output, $says, "$name: says so");
}
refused([$file, 'GET', 'cart'], qr/"cart" is no request: a URL starts with/, 'a path without its slash');
refused([$file, 'GET', 'ftp://x/'], qr/neither http nor https/, 'another scheme');
refused([$file, 'GET', 'http://a_b:x/'], qr/port is not valid/, 'a bad port');
refused([$file, 'GET', 'http://a b/'], qr/host is not valid/, 'a bad host');
refused([$file, 'GET', 'http:/x'], qr/needs "\/\/"/, 'a scheme without a host');
refused([$file, 'GET'], qr/RULES METHOD URL, or RULES -/, 'a word too few');
refused(['-', '-'], qr/cannot both come from standard input/, 'rules and requests from one input');
refused(['--base', 'ftp://x', $file, 'GET', '/'], qr/--base "ftp:\/\/x": its scheme/, 'a bad --base');
refused(['--base', 'http://x/path', $file, 'GET', '/'], qr/a scheme, a host and a port only/, 'a --base with a path');
refused(['-H', 'nonsense', $file, 'GET', '/'], qr/-H "nonsense": a field is written/, 'a field without a colon');
refused(['-H', 'Host: a b', $file, 'GET', '/'], qr/-H "Host: a b": its host is not valid/, 'a bad Host field');
refused(['--at', 'noon', $file, 'GET', '/'], qr/--at "noon": a time is written/, 'a bad time');
refused(['--at', '2026-02-29', $file, 'GET', '/'], qr/--at "2026-02-29"/, 'a day that is none');
refused(['--at', '2026-12-01T00:00', $file, 'GET', '/'], qr/--at "2026-12-01T00:00"/, 'a time of no zone');
refused(['--client', '1.2.3', $file, 'GET', '/'], qr/no IPv4 or IPv6 address/, 'a bad address');
refused(['--env', '=x', $file, 'GET', '/'], qr/NAME=VALUE/, 'a variable without a name');
refused(['--chance', '101%', $file, 'GET', '/'], qr/from 0% to 100%, not "101%"/, 'a bad draw');
refused(['--busy', 'very', $file, 'GET', '/'], qr/from 0% to 100%, not "very"/, 'a bad load');
is((rulec('answer', '-H', 'host: shop.example', '--at', '2024-02-29T23:59:59-11:30', '--client', '::ffff:192.0.2.7', '--flag', 'f', '--env', 'E=1',
    '--chance', '0%', '--busy', '100', $file, 'GET', '/cart'))[1], "308 /basket\n", 'all that may be said of a request; a Host field gives the host');

# ---- lines ----
sub lines {
    my ($input, @options) = @_;
    return run_in(folder(), rulec_path(), 'answer', @options, $file, '-', { input => $input, separate => 1 });
}
my ($status, $output, $error) = lines("GET //shop.example/cart\r\n POST \t//shop.example/form \nGET /nothing\nGET //shop.example/old");
is($output, "308 /basket\n307 /form-v2\npass\n410\n", 'a line each: CRLF, blanks, no line end at the end');
is("$status $error", '0 ', '... and nothing else is said');
is((lines(''))[1], '', 'no line at all');

# A request line out of a log: "//" is the start of a path there, not a host.
($status, $output) = lines("GET /cart HTTP/1.1\nGET //shop.example/cart HTTP/1.0\nGET https://shop.example/old HTTP/2.0\n", '--base', 'https://shop.example');
is("$status $output", "0 308 /basket\npass\n410\n", 'request lines of a log');

($status, $output, $error) = lines("GET //shop.example/cart\n\nGET\nGET cart\nGET /a b c\nGET //shop.example/old\n");
is($output, "308 /basket\ninvalid\ninvalid\ninvalid\ninvalid\n410\n", 'what is no request is answered, too: lines stay beside each other');
is($status, 2, '... exit status 2');
like($error, qr/4 of 6 lines are no requests; the first is line 2: the method is missing/, '... and the first one is named');

# ---- lines of JSON ----
rules('facts', <<'REDIR');
/header -> /y { when header X-Beta = "on" }
/cookie -> /y { when cookie beta = "1" }
/client -> /y { when client 10.0.0.0/8 }
/env    -> /y { when env E = "1" }
/empty  -> /y { when env E = "" }
/flag   -> /y { when flag one; when flag two }
/chance -> /y { when chance 5% }
/busy   -> /y { when busy 80% }
/time   -> /y { from 2030-01-01T00:00Z; until 2030-01-02T00:00Z }
site h.example { /host pass }
REDIR
my @facts = (
    ['{"method":"GET","url":"/header","headers":[{"name":"x-beta","value":" on\t"}]}', 'send 307 Location: /y|Cache-Control: no-cache|Vary: X-Beta', 'a field; blanks around do not count'],
    ['{"method":"GET","url":"/header","headers":[{"name":"X-Beta","value":"on"},{"name":"X-Beta","value":"on"}]}', 'none Vary: X-Beta', 'two lines of a field are one value'],
    ['{"method":"GET","url":"/cookie","headers":[{"name":"Cookie","value":"a=2; beta=1"}]}', 'send 307 Location: /y|Cache-Control: no-cache|Vary: Cookie', 'a cookie'],
    ['{"method":"GET","url":"/client","client":"10.9.9.9"}', 'send 307 Location: /y|Cache-Control: no-store', 'a client'],
    ['{"method":"GET","url":"/client"}', 'none', 'and the client that an option names'],
    ['{"method":"GET","url":"/env","env":{"X":"2","E":"1"}}', 'send 307 Location: /y|Cache-Control: no-store', 'the environment'],
    ['{"method":"GET","url":"/empty","env":{"E":""}}', 'send 307 Location: /y|Cache-Control: no-store', 'an empty variable'],
    ['{"method":"GET","url":"/empty"}', 'none', 'is not one that is absent'],
    ['{"method":"GET","url":"/flag","flags":["two","one"]}', 'send 307 Location: /y|Cache-Control: no-store', 'flags'],
    ['{"method":"GET","url":"/flag","flags":["two"]}', 'none', 'one of two flags'],
    ['{"method":"GET","url":"/chance","chance":4.9}', 'send 307 Location: /y|Cache-Control: no-store', 'a draw'],
    ['{"method":"GET","url":"/chance","chance":5}', 'none', 'a draw at the border'],
    ['{"method":"GET","url":"/busy","busy":80}', 'send 307 Location: /y|Cache-Control: no-store', 'load'],
    ['{"method":"GET","url":"/time","at":"2030-01-01T12:00Z"}', 'send 307 Location: /y|Cache-Control: no-cache', 'a time'],
    ['{"method":"GET","url":"/time","at":"2030-01-02T00:00Z"}', 'none', 'another time'],
    ['{"method":"GET","url":"/host","headers":[{"name":"Host","value":"h.example"}]}', 'pass', 'a Host field'],
    ['GET /client', 'pass', 'other lines between them'],
    ['{"method":"GET","url":"/client","clients":"10.9.9.9"}', 'invalid', 'a name with a slip in it'],
    ['{"method":"GET","url":"/client","client":"10.9.9"}', 'invalid', 'a bad address'],
    ['{"method":"GET","url":"/client","at":"noon"}', 'invalid', 'a bad time'],
    ['{"method":"GET","url":"/client","chance":101}', 'invalid', 'a bad draw'],
    ['{"method":"GET","url":"/client","busy":"80"}', 'invalid', 'a bad load'],
    ['{"method":"GET","url":"/client","flags":{}}', 'invalid', 'bad flags'],
    ['{"method":"GET","url":"/client","env":{"E":1}}', 'invalid', 'bad variables'],
    ['{"method":"GET","url":"/client","headers":[{"name":"X"}]}', 'invalid', 'a bad field'],
    ['{"method":"GET","url":"/client","headers":[{"name":"Host","value":"a b"}]}', 'invalid', 'a bad host'],
    ['{"method":"GET","url":"client"}', 'invalid', 'a bad URL'],
    ['{"method":"GET","method":"PUT","url":"/client"}', 'invalid', 'a member that comes twice'],
    ['{"url":"/client"}', 'invalid', 'no method'],
    ['{"method":"GET","url":"/client"', 'invalid', 'no JSON'],
);
($status, $output, $error) = run_in(folder(), rulec_path(), 'answer', 'facts.redir', '-', { input => join('', map { "$_->[0]\n" } @facts), separate => 1 });
my @said = split /\n/, $output;
is(scalar @said, scalar @facts, 'a line of JSON has a line for an answer');
is($status, 2, '... exit status 2 where some are none');
for my $number (0 .. $#facts) {
    my ($asked, $wanted, $name) = @{ $facts[$number] };
    my $got = $said[$number];
    if ($got =~ /^\{/) {
        my $answer = decode_json($got);
        $got = join ' ', $answer->{outcome}, $answer->{status} // (), (join '|', map { "$_->{name}: $_->{value}" } @{ $answer->{headers} }) || ();
    }
    $got = 'pass' if $wanted eq 'pass' && $got =~ /^pass/;
    is($got, $wanted, "JSON: $name") or diag($asked);
}

# More than one block of input, lines across its borders, and one line that is longer than a block.
my $many = join '', map { $_ % 3 ? "GET https://shop.example/p/$_\n" : "GET https://shop.example/old?" . 'x' x ($_ % 900) . "\n" } 1 .. 40000;
my $wanted = join '', map { $_ % 3 ? "307 https://p.example/$_\n" : "410\n" } 1 .. 40000;
($status, $output) = lines($many);
ok($output eq $wanted, '40,000 lines, in order') or diag(substr $output, 0, 300);
($status, $output) = lines("GET //shop.example/old\nGET /" . 'x' x 3_000_000 . "\nGET //shop.example/cart\n");
is("$status $output", "2 410\ninvalid\n308 /basket\n", 'a line of 3 MB does not disturb its neighbours');
($status, $output) = lines('GET //shop.example/p/' . 'y' x 9000 . "\nGET //shop.example/p/" . '%0a' x 2700 . "\n");
like($output, qr/\A(414|pass)\n(414|307 \S+)\n\z/, 'long paths are answered or passed, never cut');

# Whoever asks one line at a time gets each answer at once.
my $pid = open2(my $from, my $to, rulec_path(), 'answer', folder() . "/$file", '-');
for my $i (1 .. 3) {
    print {$to} "GET https://shop.example/p/$i\n";
    $to->flush;
    my $line = do { local $SIG{ALRM} = sub { die "no answer\n" }; alarm 10; my $got = <$from>; alarm 0; $got };
    is($line, "307 https://p.example/$i\n", "question $i is answered before the next one");
}
close $to;
waitpid $pid, 0;
is($? >> 8, 0, 'the end of the input is the end');
SKIP: {
    skip 'no /dev/full', 2 unless -c '/dev/full';
    my ($exit, undef, $said) = run_in(folder(), rulec_path(), 'answer', $file, '-', { input => "GET /\n", stdout => '/dev/full' });
    is($exit, 3, 'a full disk: exit status 3');
    like($said, qr/standard output: No space left/, '... with the reason');
}
done_testing();
