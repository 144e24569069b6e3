#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Rules as they should not be: each gets a message with its place, an exit status, and soon.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use Redir307::Rulec qw(run_in folder rulec_path write_bytes);
use Test::More;
use Time::HiRes qw(time);

my $folder = folder();

sub says {
    my ($name, $wanted, $bytes, $says) = @_;
    write_bytes("$folder/t.redir", $bytes) if defined $bytes;
    write_bytes("$folder/t.r307", 'the old file');
    my $start = time;
    local $SIG{ALRM} = sub { die "rulec hangs: $name\n" };
    alarm 60;
    my ($status, $said) = run_in($folder, rulec_path(), 'compile', 't.redir');
    alarm 0;
    is($status, $wanted, "$name: exit status $wanted");
    like($said, $says, "$name: says what and where");
    cmp_ok(length $said, '<', 100_000, "$name: and not for ever");
    cmp_ok(time - $start, '<', 20, "$name: soon");
    is(Redir307::Rulec::read_bytes("$folder/t.r307"), 'the old file', "$name: the old file stays");
}

says('invalid UTF-8', 1, "/ok -> /b\n/\xff -> /c\n", qr/^t\.redir:2:2: error: .*R307-001/m);
says('a NUL', 1, "/ok -> /b\n/a\0b -> /c\n", qr/^t\.redir:2:3: error: .*R307-002/m);
says('UTF-16', 1, "\xff\xfe/\0a\0 \0", qr/^t\.redir:1:1: error: /m);
says('UTF-16 without its mark', 1, "/\0a\0 \0-\0>\0", qr/^t\.redir:1:1: error: this file is UTF-16/m);
says('UTF-16 of the other kind', 1, "\0/\0a\0 \0-\0>", qr/^t\.redir:1:1: error: this file is UTF-16/m);
says('an archive', 1, "PK\3\4\x14\0\0\0" . "a spreadsheet " x 9 . "\n/a -> b oops\n", qr/^t\.redir:1:1: error: this file is no text \[R307-002\]\n[^\n]*\n[^\n]*\nhelp: .*rulec dump[^\n]*\nrulec compile: 1 error/m);
says('a line of 1 MB', 1, '/' . 'x' x 1_000_000 . " -> /b\n/c -> /d oops\n", qr/^t\.redir:1:1: error: .*R307-007.*^t\.redir:2:10: error: /ms);
says('a string without end', 1, "/a -> \"/b\n/c -> /d\n", qr/^t\.redir:1:7: error: .*R307-004/m);
says('100,000 nested blocks', 1, "group \"g\" {\n" x 100_000 . "/a -> /b\n" . "}\n" x 100_000, qr/^t\.redir:65:\d+: error: .*R307-008/m);
says('100,000 closing braces', 1, "}\n" x 100_000, qr/^t\.redir:1:1: error: .*R307-013/m);
says('a million mistakes', 1, "/a oops\n" x 1_000_000, qr/^t\.redir:1:4: error: /m);
says('an include of itself', 1, "include \"t.redir\"\n", qr/^t\.redir:1:9: error: .*circle \[R307-015\]/m);
says('an include of nothing', 1, "/a -> /b\ninclude \"gone.redir\"\n", qr/^t\.redir:2:9: error: .*No such file.*R307-014/m);
says('a table of nothing', 1, "table \"gone.csv\"\n", qr/^t\.redir:1:7: error: .*No such file.*R307-018/m);
write_bytes("$folder/quote.csv", "from,to\n/ok,/b\n\"/a,/c\n/d,/e\n");
says('a broken quote in a table', 1, "table \"quote.csv\"\n", qr/^quote\.csv:3:1: error: .*R307-072/m);
write_bytes("$folder/cut.csv.gz", "\x1f\x8b\x08\0\0\0\0\0\0\x03 cut off");
says('a table that is no gzip file', 1, "table \"cut.csv.gz\"\n", qr/^t\.redir:1:7: error: .*R307-018/m);
says('ten thousand placeholders', 1, '/a' . '/{x}' x 10_000 . " -> /b\n", qr/^t\.redir:1:\d+: error: /m);
says('a set of ten thousand hosts', 1, 'site {h:' . join('|', 1 .. 10_000) . "}.example { /a -> /b }\n", qr/^t\.redir:1:\d+: error: /m);

unlink "$folder/t.redir";
mkdir "$folder/t.redir";
says('a folder', 3, undef, qr/^rulec compile: t\.redir: it is a directory/m);
rmdir "$folder/t.redir";
POSIX::mkfifo("$folder/t.redir", 0600);
says('a FIFO', 3, undef, qr/^rulec compile: t\.redir: it is a FIFO/m);
unlink "$folder/t.redir";
symlink 't.redir', "$folder/t.redir";
says('a link to itself', 3, undef, qr/^rulec compile: t\.redir: .*symbolic links/m);
unlink "$folder/t.redir";
says('nothing', 3, undef, qr/^rulec compile: t\.redir: No such file/m);
done_testing();
