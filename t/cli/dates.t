#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Dates in the rules: what is due or over is told by the clock or by --now, and never changes the file. Local times are
# read through the system's zone data, which TZDIR may name.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Rulec qw(rulec rules folder read_bytes write_bytes);
use Test::More;

my $folder = folder();
my ($status, $said);

# ---- review and until ----
rules('dates', <<'REDIR');
/a -> /b { review 2097-12-01 }
/c -> /d { until 2097-12-31T00:00Z }
REDIR
($status, $said) = rulec('check', 'dates.redir');
is($status, 0, 'by the clock of today');
unlike($said, qr/R307-10[03]/, '... nothing is due');
($status, $said) = rulec('check', '--now', '2097-12-01', 'dates.redir');
is($status, 0, 'a review that is due is a warning');
like($said, qr/^dates\.redir:1:12: warning: .*R307-100/m, '... from the start of its day');
unlike($said, qr/R307-103/, '... when the window is still open');
like((rulec('check', '--now', '2097-12-31T01:00+01:00', 'dates.redir'))[1], qr/^dates\.redir:2:12: warning: .*R307-103/m,
    'a window is over from its end on');
($status, $said) = rulec('check', '--strict', '--now', '2097-12-01', 'dates.redir');
is($status, 1, '--strict makes a review that is due an error');
like($said, qr/error: .*R307-100/, '... and says so');
is((rulec('compile', '-q', 'dates.redir', '-o', 'today.r307'))[0], 0, 'a file of today');
is((rulec('compile', '-q', '--now', '2099-01-01', 'dates.redir', '-o', 'later.r307'))[0], 0, 'a file of later');
ok(read_bytes("$folder/today.r307") eq read_bytes("$folder/later.r307"), '... are the same bytes');
($status, $said) = rulec('compile', '--now', 'tomorrow', 'dates.redir');
is($status, 2, 'what is no time is a mistake of the command line');
like($said, qr/"tomorrow" is no time/, '... which is named');

# ---- open ends ----
rules('open', <<'REDIR');
/a -> /b
/c -> /d permanent
/e -> /f { until 2097-12-31T00:00Z }
group "works" { review 2097-12-31; /g -> /h found }
/i pass
/j gone
REDIR
unlike((rulec('check', 'open.redir'))[1], qr/R307-208/, 'temporary redirects without an end are not told of themselves');
($status, $said) = rulec('check', '--strict', '--now', '2026-12-01', 'open.redir');
is($status, 0, '--strict tells them as warnings');
is(() = $said =~ /R307-208/g, 1, '... those that have neither an end nor a day to be looked at');
like($said, qr/^open\.redir:1:1: warning: .*until when.*R307-208/m, '... at their line');

# ---- zone data ----
rules('zone', "timezone Some/Where\n/a -> /b { daily 22:00-04:00 }\n");
{
    local $ENV{TZDIR} = "$folder/zones";
    ($status, $said) = rulec('check', 'zone.redir');
    is($status, 1, 'no zone data at all');
    like($said, qr/no zone data on this system \[R307-058\].*tzdata/s, '... is said, with what brings it');
    mkdir $_ for "$folder/zones", "$folder/zones/Some";
    like((rulec('check', 'zone.redir'))[1], qr/has no "Some\/Where" \[R307-058\]/, 'a zone that is not there');
    # Version 2, an empty first block, one type, no transition, UTC+2.
    my $head = 'TZif2' . "\0" x 15;
    my $file = $head . pack('N6', (0) x 6) . $head . pack('N6', 0, 0, 0, 0, 1, 4) . pack('Ncc', 7200, 0, 0)
        . "SST\0" . "\nSST-2\n";
    write_bytes("$folder/zones/Some/Where", $file);
    ($status, $said) = rulec('compile', '-q', 'zone.redir', '-o', 'zone.r307');
    is($status, 0, 'a zone that is there') or diag($said);
    for my $size (0, 43, 44, 87, 100, length($file) - 2) {
        write_bytes("$folder/zones/Some/Where", substr $file, 0, $size);
        ($status, $said) = rulec('check', 'zone.redir');
        is($status, 1, "cut off after $size bytes it is refused");
        like($said, qr/of "Some\/Where" cannot be used: /, '... with a reason');
    }
}
# The rule file carries its zone: nobody has that data any more.
for ('2026-06-01T19:59:59Z pass', '2026-06-01T20:00Z 307 /b', '2026-06-02T01:59:59Z 307 /b', '2026-06-02T02:00Z pass') {
    my ($at, $want) = split / /, $_, 2;
    is((rulec('answer', '--at', $at, 'zone.r307', 'GET', 'http://h.example/a'))[1], "$want\n", "at $at: $want");
}

done_testing();
