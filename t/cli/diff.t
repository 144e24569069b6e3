#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# rulec diff: what changes for those who ask, by source and by the requests of a log.
#   REDIR307_SEED=N    another first seed; REDIR307_SETS=N    so many pairs of rule sets
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use Redir307::Generate qw(generate_set generate_requests);
use Redir307::RuleText 'rule_text';
use Redir307::Rulec qw(rulec rules run_in folder rulec_path write_bytes compiled);
use Test::More;

my $folder = folder();

sub compared {
    my ($old, $new, @options) = @_;
    rules('old', $old);
    rules('new', $new);
    return run_in($folder, rulec_path(), 'diff', @options, 'old.redir', 'new.redir', { separate => 1 });
}

# One line of counts, one of changes and nothing else: what is written here is what is printed.
sub shows {
    my ($old, $new, $want, $name) = @_;
    my ($status, $said, $error) = compared($old, $new);
    is("$error$said", $want, $name);
    is($status, $want =~ /^0 added, 0 removed, 0 changed/ ? 0 : 1, "$name: exit status");
}

shows("/a -> /b\n", "# moved\n\n/a -> /b { note \"x\" }\n", "0 added, 0 removed, 0 changed, 1 alike\n", 'places and notes are no difference');
shows("/a -> /b\n/g gone\n", "/n -> /m\n/a -> /c\n", <<'SAYS', 'added, removed, another target');
site *
~ /a: other target
    - /a -> /b 307
    + /a -> /c 307
- /g 410
+ /n -> /m 307

1 added, 1 removed, 1 changed (1 target), 0 alike
SAYS
shows("/a -> /b\n/p -> /q\n", "/a -> /b permanent\n/p pass\n", <<'SAYS', 'another status');
site *
~ /a: other status
    - /a -> /b 307
    + /a -> /b 308
~ /p: other target, status
    - /p -> /q 307
    + /p pass

0 added, 0 removed, 2 changed (1 target, 2 status), 0 alike
SAYS
shows("/a -> /b { when method POST }\n/a -> /c\n", "/a -> /b { when method PUT }\n/a -> /c\n", <<'SAYS', 'other conditions, and the next rule of the source as it was');
site *
~ /a: other conditions
    - /a -> /b 307 { when method "POST" }
    + /a -> /b 307 { when method "PUT" }

0 added, 0 removed, 1 changed (1 conditions), 1 alike
SAYS
shows("/a -> /b { when flag f }\n/a -> /c { when flag g }\n", "/a -> /c { when flag g }\n/a -> /b { when flag f }\n", <<'SAYS', 'the first of one source answers: the order counts');
site *
~ /a: other order
    - /a -> /c 307 { when flag "g" }
    + /a -> /c 307 { when flag "g" }

0 added, 0 removed, 1 changed (1 order), 1 alike
SAYS
shows("/a -> /b { cache 1h }\n/c -> /d\n", "/a -> /b { cache 2h }\n/c -> /d { case ignore }\n", <<'SAYS', 'other settings');
site *
~ /a: other settings
    - /a -> /b 307 { cache 3600s }
    + /a -> /b 307 { cache 7200s }
~ /c: other settings
    - /c -> /d 307
    + /c -> /d 307 { case ignore }

0 added, 0 removed, 2 changed (2 settings), 0 alike
SAYS
shows("site a.example b.example { /h -> /1 }\nsite **.d.example { /d -> /1 }\n", "site b.example c.example { /h -> /1 }\nsite *.d.example { /d -> /1 }\n", <<'SAYS', 'hosts that went and came');
site c.example
+ /h -> /1 307

site a.example
- /h -> /1 307

site d.example
- /d -> /1 307

1 added, 2 removed, 0 changed, 2 alike
SAYS
shows("site a.example b.example { /h -> /1; /k -> /2 }\n", "site a.example b.example { /h -> /1; /k -> /2 }\nsite b.example { /z -> /3 }\n",
    "site b.example\n+ /z -> /3 307\n\n1 added, 0 removed, 0 changed, 4 alike\n", 'a rule of one host is no difference for the others');
shows("/p/{id:int} -> /q/{id}\n~ \"^/r/(\\d+)\$\" -> /s/{1}\n/a/*.ttl -> /b/*.ttl\n/o -> by language { de /de; otherwise /en }\n",
    "/p/{number:int} -> /q/{number}\n~ \"^/r/(\\d+)\$\" -> /t/{1}\n/a/*.ttl -> /c/*.ttl\n/o -> by language { de /de; otherwise /fr }\n", <<'SAYS', 'patterns, regexes, choices; names of placeholders do not count');
site *
~ /a/{c0...}.ttl: other target
    - /a/{c0...}.ttl -> /b/{c0}.ttl 307
    + /a/{c0...}.ttl -> /c/{c0}.ttl 307
~ /o: other target
    - /o -> by language { "de" /de; otherwise /en } 307
    + /o -> by language { "de" /de; otherwise /fr } 307
~ ~ "^/r/(\d+)$": other target
    - ~ "^/r/(\d+)$" -> /s/{1} 307
    + ~ "^/r/(\d+)$" -> /t/{1} 307

0 added, 0 removed, 3 changed (3 target), 1 alike
SAYS
shows("site {l:en|de}.x.example { /a -> https://{l}.example/; /b -> https://{l}.example/ }\nsite **.d.example { /d -> /1 }\n",
    "site en.x.example { /a -> https://en.example/; /b -> https://other.example/ }\nsite de.x.example { /a -> https://de.example/; /b -> https://de.example/ }\nsite *.d.example d.example { /d -> /1 }\n",
    <<'SAYS', 'two ways to write the same, but for one host');
site en.x.example
~ /b: other target
    - /b -> https://en.example/ 307
    + /b -> https://other.example/ 307

0 added, 0 removed, 1 changed (1 target), 4 alike
SAYS

my ($status, $said, $error) = compared("/a -> /b\n/c -> /d\n", "/a -> /e\n", '--summary');
is("$status $said", "1 0 added, 1 removed, 1 changed (1 target), 0 alike\n", '--summary: the counts only');
is((compared("/a -> /b\n", "/a -> /e\n", '-q'))[1], '', '--quiet: the exit status only');
($status, $said) = compared("/a -> /b\n/c -> /d\n", "/a -> /e\n", '--json');
my $json = decode_json($said);
is_deeply([sort keys %$json], [qw(changes counts)], '--json');
is_deeply($json->{changes}[0], { site => '*', override => JSON::PP::false, source => '/a', kind => 'changed', differs => ['target'],
    old => { rule => '/a -> /b 307', file => 'old.redir', line => 1 }, new => { rule => '/a -> /e 307', file => 'new.redir', line => 1 } }, '... a change');
is_deeply($json->{counts}, { added => 0, removed => 1, changed => 1, alike => 0,
    differs => { target => 1, status => 0, conditions => 0, settings => 0, order => 0 } }, '... the counts');
is_deeply(decode_json((compared("/a -> /b\n", "/a -> /b\n", '--json'))[1])->{changes}, [], '... of what is alike');

# Rule files, and what is none.
compiled('one', "/a -> /b\n");
($status, $said) = rulec('diff', 'one.r307', 'new.redir');
is("$status $said", "0 0 added, 0 removed, 0 changed, 1 alike\n", 'a rule file and a source');
is((rulec('diff', 'one.r307', 'missing.r307'))[0], 3, 'a missing file: exit status 3');
write_bytes("$folder/foreign.r307", 'x' x 5000);
($status, $said) = rulec('diff', 'one.r307', 'foreign.r307');
is($status, 1, 'no rule file: exit status 1');
like($said, qr/^rulec diff: foreign\.r307: /, '... and it is said');
is((rulec('diff', '-', '-'))[0], 2, 'two times standard input: exit status 2');
is((rulec('diff', 'one.r307', 'one.r307', '--top', 'many'))[0], 2, 'a number that is none');

# A log.
write_bytes("$folder/log", <<'LOG');
192.0.2.7 - - [20/Nov/2026:22:00:00 +0000] "GET /t?x=\"1\" HTTP/1.1" 200 12 "-" "UA \"x\""
192.0.2.7 - frank [20/Nov/2026:22:00:00 +0000] "GET /t HTTP/1.1" 200 12
192.0.2.7 - - [20/Nov/2026:22:00:00 +0000] "GET /t HTTP/1.1" 200 12
shop.example:443 192.0.2.7 - - [20/Nov/2026:22:00:00 +0000] "GET /h HTTP/1.1" 200 12 "-" "UA"
GET https://shop.example/h
POST /same
GET /gone HTTP/1.1
10.1.2.3 - - [20/Nov/2026:22:00:00 +0000] "GET /c HTTP/1.1" 200 12
192.0.2.7 - - [20/Nov/2026:22:00:00 +0000] "-" 408 0

what is this
LOG
my @log = ("/same -> /s\n/gone -> /g\n/t -> /t1\n/c -> /c1 { when client 10.0.0.0/8 }\nsite shop.example { /h -> /h1 { when scheme https } }\n",
    "/same -> /s\n/t -> /t2\n/c -> /c2 { when client 10.0.0.0/8 }\nsite shop.example { /h -> /h2 { when scheme https } }\n");
($status, $said) = compared(@log, '--summary', '--log', 'log');
is("$status $said", <<'SAYS', 'a log: common, combined, vhost_combined, request lines, URLs');
1 0 added, 1 removed, 3 changed (3 target), 1 alike
7 of 8 requests change (87.50 %), 2 lines hold no request
       2 GET /t: 307 /t1, then 307 /t2
       2 GET https://shop.example/h: 307 /h1, then 307 /h2
       1 GET /c: 307 /c1, then 307 /c2
       1 GET /gone: 307 /g, then pass
       1 GET /t?x="1": 307 /t1?x=%221%22, then 307 /t2?x=%221%22
SAYS
($status, $said) = compared(@log, '--summary', '--log', 'log', '--top', '1', '--client', '192.0.2.1');
like($said, qr/^6 of 8 .*\n       2 GET \/t: [^\n]*\n         and 3 more URLs\n\z/m, '--top, and --client instead of the log\'s');
like((compared(@log, '--summary', '--log', 'log', '--base', 'https://shop.example'))[1], qr/GET https:\/\/shop\.example\/t: /, '--base is the host of requests without one');
system('gzip', '-k', "$folder/log") == 0 or die 'gzip';
my $zipped = (compared(@log, '--json', '--log', 'log.gz'))[1];
is_deeply([@{ decode_json($zipped)->{log} }{qw(requests changed unread)}], [8, 7, 2], 'a packed log, as JSON');
is_deeply(decode_json($zipped)->{log}{urls}[0], { request => 'GET /t', count => 2, old => '307 /t1', new => '307 /t2' }, '... its URLs');
is((compared(@log, '--log', 'missing'))[0], 3, 'a missing log: exit status 3');
# More URLs than are kept apart: those that come often stay.
write_bytes("$folder/many", join '', map { "GET /x/$_\n" . ($_ % 3 ? '' : "GET /x/often\n") } 1 .. 140_000);
($status, $said) = compared("/x/* -> /y/*\n", "/x/* -> /z/*\n", '--summary', '--log', 'many', '--top', '1');
like($said, qr/^186666 of 186666 requests change/m, 'a log of many URLs');
like($said, qr/^   46666 GET \/x\/often: .*\n         and at least \d+ more URLs\n\z/m, '... the frequent one is counted whole, and what is not exact says so');

# Random rule sets, some of whose rules are changed: a difference in an answer is a difference that is told.
my $first = $ENV{REDIR307_SEED} // 1;
my $sets = $ENV{REDIR307_SETS} // 40;
my ($asked, $differ, $tried, $dumped, @failed) = (0, 0, 0, 0);
for my $seed ($first .. $first + $sets - 1) {
    srand $seed;
    my $set = generate_set();
    my $text = rule_text($set);
    next if (rulec('compile', '-q', rules('base', $text)))[0] ne '0';
    # What dump writes is another way to write the same.
    if ((run_in($folder, rulec_path(), 'dump', 'base.r307', { stdout => "$folder/dump.redir" }))[0] eq '0'
        && (rulec('compile', '-q', 'dump.redir'))[0] eq '0') {
        my ($exit, $differs) = rulec('diff', 'base.r307', 'dump.r307');
        push @failed, "seed $seed: its dump is not alike: $differs" if $exit ne '0';
        $dumped++;
    }
    unlink "$folder/dump.redir";
    my $edited = join '', map { /->|gone/ && rand() < .1 ? "\n" : s/ -> \/(?=\S)/ -> \/zz/r =~ s/zz/rand() < .1 ? 'zz' : ''/er } $text =~ /[^\n]*\n/g;
    next if (rulec('compile', '-q', rules('edit', $edited)))[0] ne '0';
    $tried++;
    push @failed, "seed $seed: not alike itself" if (rulec('diff', '-q', 'base.r307', 'base.redir'))[0] ne '0';
    my $requests = generate_requests($set, 200);
    my $input = join '', map { "$_\n" } @$requests;
    my ($exit, $said_too) = run_in($folder, rulec_path(), 'diff', '--json', '--chance', '0', '--log', '-', 'base.r307', 'edit.r307', { input => $input });
    my $found = decode_json($said_too);
    my @answers = map { [split /\n/, (run_in($folder, rulec_path(), 'answer', '--chance', '0', $_, '-', { input => $input }))[1]] } qw(base.r307 edit.r307);
    my $count = grep { $answers[0][$_] ne $answers[1][$_] } 0 .. $#$requests;
    push @failed, "seed $seed: $count answers differ, $found->{log}{changed} are told" if $count != $found->{log}{changed};
    push @failed, "seed $seed: answers differ, rules do not" if $count && !@{ $found->{changes} };
    push @failed, "seed $seed: exit status $exit" if $exit ne (@{ $found->{changes} } ? '1' : '0');
    my %backwards = (added => 'removed', removed => 'added', changed => 'changed', alike => 'alike');
    my $back = decode_json((rulec('diff', '--json', 'edit.r307', 'base.r307'))[1]);
    push @failed, "seed $seed: the other way round it is something else" if grep { $found->{counts}{$_} != $back->{counts}{ $backwards{$_} } } keys %backwards;
    $asked += @$requests;
    $differ += $count;
}
is(scalar(@failed), 0, "$tried pairs of rule sets: $differ of $asked answers differ, and that is told") or diag(join "\n", @failed[0 .. ($#failed < 9 ? $#failed : 9)]);
cmp_ok($dumped, '>', $tried / 2, "$dumped of their dumps are alike to them");
cmp_ok($differ, '>', $asked / 50, '... enough of them differ');
done_testing();
