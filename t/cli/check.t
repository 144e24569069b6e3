#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# rulec check: what is found goes to standard output, as text or for programs. The messages themselves: t/lang.t; all
# of them in every format: formats.t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use Redir307::Rulec qw(rulec rules run_in folder rulec_path write_bytes);
use Test::More;

my $folder = folder();
my $check = sub { return run_in($folder, rulec_path(), 'check', @_, { separate => 1 }) };

rules('good', "# two rules\n/a -> /b\n/c gone\nexpect GET /a -> 307 /b\n");
my ($status, $said, $error) = $check->('good.redir');
is("$status $error", '0 ', 'good rules');
is($said, "2 rules, 1 test holds, 0 warnings\n4 lines in 1 file: 2 of rules, 0 table rows, 1 comments and headings, 0 blank, 1 others\n",
    'what was read is summed up');
is(($check->('-q', 'good.redir'))[1], '', '--quiet: nothing is wrong, nothing is said');
($status, $said) = $check->('--format', 'json', 'good.redir');
is_deeply([$status, decode_json($said)], [0, { diagnostics => [], errors => 0, warnings => 0, rules => 2 }], 'the same as JSON');

rules('wrong', "/a -> /b\n/a -> /c\n/d -> /e\n/d -> /f\n");
($status, $said, $error) = $check->('wrong.redir');
is($status, 1, 'mistakes: exit status 1');
is($error, '', '... standard error stays empty');
like($said, qr/^wrong\.redir:2:1: error: .*\[R307-045\]$/m, '... place, severity, message, code');
like($said, qr/^\d+ errors, 0 warnings\n\z/m, '... and their count');
($status, $said) = $check->('--format=json', 'wrong.redir');
is($status, 1, 'mistakes as JSON: exit status 1');
my $found = decode_json($said);
my ($conflict) = grep { $_->{code} eq 'R307-045' } @{ $found->{diagnostics} };
is_deeply({ map { $_ => $conflict->{$_} } qw(file line column severity name) },
    { file => 'wrong.redir', line => 2, column => 1, severity => 'error', name => 'conflict' }, 'a diagnostic in JSON');
is($conflict->{end_line}, 2, '... where it ends');
ok($conflict->{message} && (grep { $_->{kind} eq 'note' && $_->{line} == 1 } @{ $conflict->{notes} }), '... and its note points at the other rule');
is(scalar(@{ $found->{diagnostics} }), $found->{errors} + $found->{warnings}, 'the counts are those of the list');

# Bytes that are no UTF-8 come out as JSON all the same.
write_bytes("$folder/bytes.redir", "/a\xff -> /b\n/c -> /d\n");
($status, $said) = $check->('--format', 'json', 'bytes.redir');
is($status, 1, 'bytes that are no UTF-8: exit status 1');
is(eval { decode_json($said)->{diagnostics}[0]{code} }, 'R307-001', '... and still JSON') or diag($said);

($status, undef, $error) = $check->('missing.redir');
is($status, 3, 'a missing file: exit status 3');
like($error, qr/^rulec check: missing\.redir: No such file or directory$/, '... with the reason');
($status, $said) = $check->('--format', 'github', 'wrong.redir');
is($status, 1, 'github: exit status 1');
like($said, qr/^::error file=wrong\.redir,line=2,col=1,title=R307-045 conflict::[^\n]*%0Anote: [^\n]* \(wrong\.redir:1\)/m, '... annotations with their notes');
is(scalar(grep { !/^::(error|warning) / } split /\n/, $said), 0, '... and nothing else');
mkdir "$folder/a,b:c";
write_bytes("$folder/a,b:c/100%.redir", "/a -> /b oops\n");
like(($check->('--format', 'github', 'a,b:c/100%.redir'))[1], qr/^::error file=a%2Cb%3Ac\/100%25\.redir,line=1,/, '... with names that would end a property');
is(($check->('--format', 'github', 'good.redir'))[1], '', '... of good rules there are none');

($status, $said) = $check->('--format', 'sarif', 'wrong.redir');
is($status, 1, 'sarif: exit status 1');
my $sarif = decode_json($said);
my $run = $sarif->{runs}[0];
is("$sarif->{version} $run->{tool}{driver}{name}", '2.1.0 rulec', '... version and tool');
my ($result) = grep { $_->{ruleId} eq 'R307-045' } @{ $run->{results} };
is($result->{level}, 'error', '... a result');
is_deeply($result->{locations}[0]{physicalLocation}{artifactLocation}, { uri => 'wrong.redir' }, '... its file');
is($result->{locations}[0]{physicalLocation}{region}{startLine}, 2, '... its line');
is($result->{relatedLocations}[0]{physicalLocation}{region}{startLine}, 1, '... the line that its note points at');
my %known = map { $_->{id} => 1 } @{ $run->{tool}{driver}{rules} };
is(scalar(grep { !$known{ $_->{ruleId} } } @{ $run->{results} }), 0, '... each code is among the rules of the tool');
is(decode_json(($check->('--format', 'sarif', 'a,b:c/100%.redir'))[1])->{runs}[0]{results}[0]{locations}[0]{physicalLocation}{artifactLocation}{uri},
    'a,b%3Ac/100%25.redir', '... names are references');
is(($check->('--format', 'xml', 'good.redir'))[0], 2, 'an unknown format: exit status 2');

# Rules from standard input, and several files as one set.
($status, $said) = run_in($folder, rulec_path(), 'check', '-', { input => "/a -> /b oops\n" });
is($status, 1, 'rules from standard input');
like($said, qr/^-:1:\d+: error: |^[^\n]*standard input[^\n]*:1:\d+: error: /, '... with their place');
rules('also', "/a -> /z\n");
($status, $said) = $check->('good.redir', 'also.redir');
is($status, 1, 'two files are one set: what contradicts is found');
like($said, qr/^also\.redir:1:1: error: .*\n(.*\n)*good\.redir:2:1: note: /m, '... with both places');

# What hides a rule is found among thousands at one place, by what stands behind the placeholder.
rules('many', join('', map { "/p/{x}/k$_ -> /q/{x}/$_\n" } 1 .. 2_000) . "/p/{x}/k1999 -> /r/{x} { when cookie c }\n");
($status, $said) = $check->('many.redir');
like($said, qr/^many\.redir:2001:1: warning: this rule can never fire [^\n]*\n(?:.*\n){2}many\.redir:1999:1: note: /m, 'a rule hidden by one of 2,000 at one place')
    or diag substr $said, 0, 500;

# Circles of many rules: one that needs a text of each of them, and one that is longer than any walk over placeholders.
my @places = 0 .. 11;
rules('texts', join '', map { my $own = $_; my @path = map { $_ == $own ? "text$_" : "{p$_}" } @places;
    join('/', "/r$own", @path) . ' -> ' . join('/', '/r' . ($own + 1) % @places, @path) . "\n" } @places);
($status, $said) = $check->('texts.redir');
is($status, 1, 'a circle of twelve rules');
like($said, qr{error: redirect "/r\d+/text0/text1/[^"]*/text11" leads back to itself over other rules}, '... that goes round for one text of each')
    or diag substr $said, 0, 500;
rules('ring', join '', map { "/r$_/{x}/* -> /r" . ($_ + 1) % 300 . "/{x}/*\n" } 0 .. 299);
($status, $said) = $check->('ring.redir');
is($status, 1, 'a circle of 300 rules, and not a path that grows');
like($said, qr{error: redirect "/r\d/x/x" leads back to itself over other rules}, '... is said so') or diag substr $said, 0, 500;
done_testing();
