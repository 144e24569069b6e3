#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Rules that mean harm: whatever they are, rulec keeps to an amount of memory that docs/language.md ("Limits") states for
# their size, and ends. The bound is the process's own limit of memory; time is not judged, but what grew with the square
# of the input would not end before the test does.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Compress::Gzip qw(gzip);
use Redir307::Rulec qw(run_in folder rulec_path read_bytes source_folder write_bytes);
use Test::More;

my $folder = folder();
# Sanitizers take memory of their own, by the terabyte.
my $is_sanitized = read_bytes(rulec_path()) =~ /__asan_init/;

# As docs/language.md states it.
my ($base, $factor) = read_bytes(source_folder() . '/docs/language.md') =~ /no more memory than (\d+) MB and (\d+) bytes for each byte/;
ok($base && $factor, 'the documents state a bound');

# rulec within that bound: its exit status and what it says.
sub within {
    my ($name, $wanted, $text, $says, @files) = @_;
    my $size = length $text;
    write_bytes("$folder/t.redir", $text);
    for (@files) {
        my ($file, $bytes, $unpacked_size) = @$_;
        write_bytes("$folder/$file", $bytes);
        $size += $unpacked_size // length $bytes;
    }
    my $bound = int($base * 1024 + $factor * $size / 1024);
    my $limit = $is_sanitized ? 'unlimited' : $bound;
    my ($status, $said) = run_in($folder, 'sh', '-c', "ulimit -c 0; ulimit -t 300; ulimit -v $limit; exec \"\$0\" compile -o t.r307 t.redir", rulec_path());
    is($status, $wanted, "$name: exit status $wanted within $bound KB");
    ok($said =~ $says, "$name: says what it is") or diag substr $said, 0, 500;
    cmp_ok(length $said, '<', 200_000, "$name: and not for ever");
}

sub lines { my ($count, $line) = @_; return join '', map { $line->($_) } 1 .. $count }

# ---- many of one thing ----
my $written = qr/^t\.r307: \d+ rules?,/m;
within('1,000,000 rules', 0, lines(1_000_000, sub { "/$_[0] gone\n" }), $written);
within('100,000 subtrees', 0, lines(100_000, sub { "/p/$_[0]/* -> /q/*\n" }), $written);
within('50,000 segments with fixed parts', 0, lines(50_000, sub { "/p$_[0]-{x} -> /q/{x}\n" }), $written);
within('50,000 sources with a query', 0, lines(50_000, sub { "/p?k=$_[0] -> /q\n" }), $written);
within('50,000 closed sets', 0, lines(50_000, sub { "/p/$_[0]/{x:a|b|c|d|e|f} -> /q/{x}\n" }), $written);
within('30,000 sites', 0, lines(30_000, sub { "site h$_[0].example { /a -> /b }\n" }), $written);
within('100,000 groups, each with a condition', 0, lines(100_000, sub { "group \"g\" { when header X\n/a$_[0] -> /b }\n" }), $written);
within('100,000 header fields in 100,000 rules', 0, lines(100_000, sub { "/a$_[0] -> /b { header X \"$_[0]\" }\n" }), $written);
within('a chain of 100,000 redirects', 0, lines(100_000, sub { "/a$_[0] -> /a" . ($_[0] + 1) . "\n" }), $written);
within('a chain of 20,000 subtrees', 0, lines(20_000, sub { "/a$_[0]/* -> /a" . ($_[0] + 1) . "/*\n" }), $written);
# Each of these meets the path of all others: what is told of loops is told by the values.
my $handed_on = sub { "/q/{x}?id=$_[0] -> /q/{x}?id=" . ($_[0] + 1) . "\n" };
within('20,000 rules that hand a parameter on', 0, lines(20_000, $handed_on), qr/\A(?!.*R307-207).*^t\.r307: \d+ rules,/ms);
within('... and a circle among them', 1, lines(20_000, $handed_on) . "/q/{x}?id=20001 -> /q/{x}?id=19999\n",
    qr{t\.redir:19999:1: error: redirect "/q/x\?id=19999" leads back to itself over other rules \[R307-041\]});
within('100,000 tests', 0, "/a -> /b\n" . lines(100_000, sub { "expect GET http://h.example/a?$_[0] -> 307 /b?$_[0]\n" }), $written);
within('100,000 rows of a table', 0, "table \"t.csv\"\n", $written, ['t.csv', "from,to\n" . lines(100_000, sub { "\"/a$_[0]\",\"/b\"\n" })]);
within('100,000 notes', 0, lines(100_000, sub { "/a$_[0] -> /b { note \"n$_[0]\" }\n" }), $written);

# ---- past a limit: refused, soon ----
within('100,000 rules with one source', 1, lines(100_000, sub { "/a -> /b { when header X = \"$_[0]\" }\n" }), qr/R307-082/);
within('50,000 patterns with one key', 1, lines(50_000, sub { "/a/{x} -> /b { when header X = \"$_[0]\" }\n" }), qr/R307-082/);
within('100,000 nested groups', 1, "group \"g\" {\n" x 100_000 . "/a -> /b\n" . "}\n" x 100_000, qr/R307-008/);
within('100,000 conditions of one rule', 1, '/a -> /b { ' . join('; ', map { "when header X-$_" } 1 .. 100_000) . " }\n", qr/R307-081/);
within('100,000 header fields of one rule', 1, '/a -> /b { ' . join('; ', map { "header X-$_ v" } 1 .. 100_000) . " }\n", qr/R307-081/);
within('100,000 lines of one choice', 1, "/a -> by header X {\n" . lines(100_000, sub { " v$_[0] /b\n" }) . "}\n", qr/R307-081/);
within('100,000 keys of one line', 1, "/a -> by header X {\n" . join(' ', 1 .. 100_000) . " /b\n}\n", qr/R307-081/);
within('100,000 constants', 1, lines(100_000, sub { "let n$_[0] \"/v\"\n" }) . "/a -> {n1}\n", qr/R307-081/);
within('100,000 hosts of one site', 1, 'site ' . join(' ', map { "h$_.example" } 1 .. 100_000) . " { /a -> /b }\n", qr/R307-081/);
within('100,000 shapes', 1, lines(100_000, sub { my $i = $_[0]; '/' . join('/', map { $i >> $_ & 1 ? 'a' : '{}' } 0 .. 16) . " -> /b\n" }), qr/R307-080/);
within('100,000 regexes', 1, lines(100_000, sub { "~ \"^/p$_[0]/(.*)\$\" -> /q/{1}\n" }), qr/\d+ are the limit/);
within('a word of 10 MB', 1, '/' . 'x' x 10_000_000 . " -> /b\n", qr/R307-007/);
within('a string of 10 MB', 1, '/a -> /b { note "' . 'x' x 10_000_000 . "\" }\n", qr/R307-007/);
within('a cell of 10 MB', 1, "table \"t.csv\"\n", qr/error: /, ['t.csv', "from,to\n/a,/" . 'x' x 10_000_000 . "\n"]);
within('a row of 1,000,000 cells', 1, "table \"t.csv\"\n", qr/more than 64 cells/, ['t.csv', "from,to\n/a" . ',x' x 1_000_000 . "\n"]);
within('a quote in each row that is not closed', 1, "table \"t.csv\"\n", qr/R307-072/, ['t.csv', "from,to\n" . "\"a,b\n" x 100_000]);
within('1,000,000 mistakes', 1, "/a oops\n" x 1_000_000, qr/: 1000000 errors/);
within('files that include the next one twice', 1, "include \"i1.redir\"\n", qr/R307-019/,
    map({ ["i$_.redir", 'include "i' . ($_ + 1) . ".redir\"\n" . 'include "i' . ($_ + 1) . ".redir\"\n"] } 1 .. 14), ['i15.redir', "/a -> /b\n"]);

# ---- what is packed ----
my $bomb;
{
    my $zeros = "\n" x 200_000_000;
    gzip(\$zeros, \$bomb, -Level => 9) or die 'gzip';
}
within('200 MB in 200 KB', 1, "table \"t.csv.gz\"\n", qr/t\.csv\.gz": it unpacks to more than 100 times its size/, ['t.csv.gz', $bomb, 100 * length $bomb]);
my ($rows, $packed) = ("from,to\n" . lines(100_000, sub { "/a$_[0],/b\n" }));
gzip(\$rows, \$packed) or die 'gzip';
within('an honest list', 0, "table \"t.csv.gz\"\n", $written, ['t.csv.gz', $packed, length $rows]);
done_testing();
