#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# rulec compile --flatten: a chain becomes one redirect where every client would come to the same end with the same
# meaning, and stays where not; what was changed is said.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Rulec qw(run_in folder rulec_path rules);
use Test::More;

my $folder = folder();

sub run_rulec { return run_in($folder, rulec_path(), @_, { separate => 1 }) }

my $text = <<'END';
/a -> /b
/b -> /c
/c -> /d#end
/d -> https://elsewhere.example/x found
/m -> /n moved
/n -> /o moved
/p -> /q moved
/q -> /r found
/s -> /t found
/t -> /u moved
/v -> /w { query drop }
/w -> /x { query only y }
/y -> /z
/z -> /zz { query drop }
/f -> /g#here
/g -> /h
/c1 -> /c2
/c2 -> /c3 { when method GET }
/q1 -> /q2
/q2 -> /q3
/q2?k -> /q4
/h1 -> /h2
/h2 -> /h3 { header X-A "1" }
/t1 -> /t2/a
/t2/{x} -> /t3/{x}
/when -> /b { when cookie x }
END
my @wanted = (
    ['/a', '307 /d#end', 'three hops are one'],
    ['/a?k=1', '307 /d?k=1#end', '... with the query of the request'],
    ['/b', '307 /d#end', 'a chain within a chain'],
    ['/c', '307 /d#end', 'not over another status: 302 may turn a POST into a GET'],
    ['/m', '301 /o', 'both are permanent'],
    ['/p', '301 /q', 'a permanent answer does not take over what is temporary'],
    ['/s', '302 /u', 'a temporary one takes over what is permanent, and stays temporary'],
    ['/v?q=1&y=2', '307 /x', 'a query that is dropped at once is no matter'],
    ['/y?q=1', '307 /z?q=1', 'a query that is dropped later is'],
    ['/f', '307 /h#here', 'the fragment of the first stays, as in a browser'],
    ['/c1', '307 /c2', 'not over a condition'],
    ['/q1?k', '307 /q2?k', 'not where another rule looks at the query'],
    ['/h1', '307 /h2', 'not where a field would get lost'],
    ['/t1', '307 /t3/a', 'over a rule with placeholders'],
);
rules('chains', $text);
my ($status, $said, $error) = run_rulec('compile', '--flatten', '-o', 'flat.r307', 'chains.redir');
is($status, 0, 'compiled') or diag($error);
like($said, qr/^chains\.redir:1: 3 hops are one now: \/d#end \(it was \/b\)$/m, 'what was changed is said');
like($said, qr/^8 targets changed by --flatten$/m, '... and how many');
run_rulec('compile', '-o', 'plain.r307', 'chains.redir');
for (@wanted) {
    my ($path, $answer, $why) = @$_;
    is((run_rulec('answer', 'flat.r307', 'GET', "http://h.example$path"))[1], "$answer\n", "$path: $why");
}
is((run_rulec('answer', 'plain.r307', 'GET', 'http://h.example/a'))[1], "307 /b\n", 'without --flatten all stays as written');

# To the end, both files lead to the same URL.
sub end_of {
    my ($file, $url) = @_;
    for (1 .. 10) {
        my $answer = (run_rulec('answer', $file, 'GET', $url =~ s/#.*//r))[1];
        my ($to) = $answer =~ /^30\d (\S+)$/m or return $url;
        my ($fragment) = $url =~ /(#.*)/;
        $to = "http://h.example$to" if $to =~ m{^/};
        $url = $to =~ /#/ ? $to : $to . ($fragment // '');
    }
    return 'on and on';
}
for my $path (map { $_->[0] } @wanted) {
    is(end_of('flat.r307', "http://h.example$path"), end_of('plain.r307', "http://h.example$path"), "$path: the same end");
}

# Hosts: the step from http to https stays, a path on another host becomes a URL.
rules('hosts', <<'END');
site secure.example www.secure.example {
    /old -> /new
    /new -> https: { when scheme http }
    /x -> http://secure.example/y
    /y -> https://secure.example/z { when scheme http }
    /p -> /p2
    /p2 -> /p3
    /up -> /up2
    /up2 -> https://www.secure.example/up3
    /away -> http://other.example/a
}
site other.example {
    /a -> /b
    /b -> https://other.example/c
}
site *.wild.example {
    /w -> /w2
    /w2 -> /w3
}
site one.wild.example {
    /w2 -> /mine
}
END
run_rulec('compile', '--flatten', '-o', 'hosts.r307', 'hosts.redir');
for (['http://secure.example/old', '/new'], ['http://secure.example/x', 'http://secure.example/y'],
    ['http://www.secure.example/p', '/p3'], ['http://www.secure.example/up', '/up2'],
    ['http://secure.example/away', 'http://other.example/b'], ['http://other.example/a', '/b'],
    ['http://any.wild.example/w', '/w2']) {
    is((run_rulec('answer', 'hosts.r307', 'GET', $_->[0]))[1], "307 $_->[1]\n", "$_->[0] -> $_->[1]");
}
# Placeholders: where one rule takes all that a template can become, and nothing else takes a part of it.
rules('patterns', <<'END');
/a/* -> /b/*
/b/* -> /c/*
/p/{id} -> /q/{id}
/q/{x} -> /r/{x}
/q/7 -> /seven
/s/{id:int} -> /t/{id}/view
/t/{x}/{y} -> /u/{y}/{x}.html
/v/{x...} -> /w/1/{x}
/w/{y}/* -> /x/{y}/* moved
/i/{x} -> /j/{x} moved
/j/{y} -> /k/{y} permanent
/k/{x} -> /l/{x}?own=1
/m/{x} -> /k/{x}
/d/* -> /e/*/f
/e/* -> /g/*
END
($status, $said, $error) = run_rulec('compile', '--flatten', '-o', 'patterns.r307', 'patterns.redir');
is($status, 0, 'compiled') or diag($error);
like($said, qr{^patterns\.redir:6: 2 hops are one now: /u/view/\{id\}\.html \(it was /t/\{id\}/view\)$}m, 'templates are told as they are written');
for (['/a', '307 /c', 'a subtree'], ['/a/', '307 /c/', '... with its slash'], ['/a/x/y/?k=1', '307 /c/x/y/?k=1', '... and what is below'],
    ['/p/1', '307 /q/1', 'not where another rule takes a part'], ['/s/12', '307 /u/view/12.html', 'segments change places'],
    ['/v/x/y', '307 /w/1/x/y', 'not over another status'], ['/i/x', '301 /j/x', 'nor from 301 to 308'],
    ['/m/x?own=2&k=1', '307 /l/x?own=1&k=1', 'a parameter of the end'], ['/d/x', '307 /e/x/f', 'not where two slashes could meet']) {
    is((run_rulec('answer', 'patterns.r307', 'GET', "http://h.example$_->[0]"))[1], "$_->[1]\n", "$_->[0]: $_->[2]");
}

# Ports: a site with one is a site like others, but for the hosts that it shares.
rules('ports', <<'END');
site one.example:8080 {
    /a -> /b
    /b -> /c
    /x/* -> /y/*
    /y/* -> /z/*
}
site two.example {
    /a -> /b
    /b -> /c
}
site two.example:8443 {
    /b -> /other
}
site three.example {
    /a -> http://one.example:8080/a
}
END
run_rulec('compile', '--flatten', '-o', 'ports.r307', 'ports.redir');
for (['http://one.example:8080/a', '/c'], ['http://one.example:8080/x/1', '/z/1'], ['http://two.example/a', '/b'],
    ['http://two.example:8443/a', '/b'], ['http://three.example/a', 'http://one.example:8080/c']) {
    is((run_rulec('answer', 'ports.r307', 'GET', $_->[0]))[1], "307 $_->[1]\n", "$_->[0] -> $_->[1]");
}
done_testing();
