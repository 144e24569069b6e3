#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# rulec dump over random rule sets: what comes back, compiled again, gives the same answers.
#   REDIR307_SEED=N    another first seed; REDIR307_SETS=N    so many rule sets
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Generate qw(generate_set generate_requests);
use Redir307::RuleText 'rule_files';
use Redir307::Rulec qw(rulec rules run_in folder rulec_path write_bytes);
use Test::More;

my $first = $ENV{REDIR307_SEED} // 1;
my $sets = $ENV{REDIR307_SETS} // 250;
my ($asked, $redirected) = (0, 0);

# Without the rules that contradict others: what is left compiles.
sub compiled_part {
    my ($files, $name) = @_;
    for (1 .. 20) {
        write_bytes(folder() . "/$_", $files->{$_}) for keys %$files;
        my ($status, $said) = rulec('compile', "$name.redir");
        return 1 if $status eq '0';
        my %wrong = map { $_ => 1 } $said =~ /^(\w+\.redir:\d+):\d+: error: [^\n]*\[R307-(?:041|045)\]/mg;
        # A closed set in a host that meets another host of its site is an error of another kind: not our matter.
        return undef if $said =~ /R307-035/;
        if (!%wrong) { diag($said); return 0 }
        for my $name (keys %$files) {
            my $line = 0;
            $files->{$name} = join '', map { $wrong{"$name:" . ++$line} ? "\n" : $_ } $files->{$name} =~ /[^\n]*\n/g;
        }
    }
    return 0;
}

my @failed;
for my $seed ($first .. $first + $sets - 1) {
    srand $seed;
    my $set = generate_set();
    my $compiles = compiled_part(rule_files($set), 'set');
    next if !defined $compiles;
    if (!$compiles) { push @failed, "seed $seed does not compile"; next }
    my ($status, $text) = rulec('dump', 'set.r307');
    if ($status ne '0') { push @failed, "seed $seed: $text"; next }
    my ($again, $said) = rulec('compile', '-q', rules('again', $text));
    if ($again ne '0') { push @failed, "seed $seed: the dump does not compile: $said"; next }
    my $requests = generate_requests($set, 300);
    my $input = join '', map { "$_\n" } @$requests;
    my @answers = map { [split /\n/, (run_in(folder(), rulec_path(), 'answer', $_, '-', { input => $input }))[1]] } qw(set.r307 again.r307);
    for my $i (0 .. $#$requests) {
        $asked++;
        $redirected++ if $answers[0][$i] !~ /^pass/;
        next if $answers[0][$i] eq ($answers[1][$i] // '');
        push @failed, "seed $seed: $requests->[$i]: $answers[0][$i], after the dump $answers[1][$i]";
        last;
    }
}
is(scalar(@failed), 0, "$sets rule sets come back: $asked requests are answered alike, $redirected of them by a rule")
    or diag(join "\n", @failed[0 .. ($#failed < 9 ? $#failed : 9)]);
cmp_ok($redirected, '>', $asked / 5, 'enough requests meet a rule');

# ---- hosts of several sites ----
# True where the file, dumped and compiled again as NAME-2, answers the requests alike.
sub comes_back {
    my ($name, $says, $text, $lines, @options) = @_;
    my ($exit, $said) = rulec('compile', '-q', rules($name, $text));
    ($exit, $said) = rulec('dump', "$name.r307") if $exit eq '0';
    ($exit, $said) = rulec('compile', '-q', rules("$name-2", $said)) if $exit eq '0';
    return is($exit, 0, $says) || diag($said) if $exit ne '0';
    my @both = map { (run_in(folder(), rulec_path(), 'answer', '--chance', '50%', @options, $_, '-', { input => $lines }))[1] } "$name.r307", "$name-2.r307";
    return is($both[1], $both[0], $says);
}
my $hosts = join '', map { my $host = $_; map { "GET http://$host$_\n" } qw(/ /e /x /7 /7/a /m /m2 /q /q?a=1&b=2 /k/1/v /r1x) }
    qw(d.x d.x:81 a.d.x a.d.x:81 b.a.d.x a.x b.x en.l.x de.l.x other);

comes_back('split', 'the domain of a `**.` that answers otherwise than the hosts below and than its name', <<'REDIR', $hosts);
site **.d.x a.x **.d.x:81 {
    /{x} -> /1/{x}
    /e   -> /f
    /q   -> by method { GET /q1; otherwise /q2 }
}
site *.d.x b.x {
    /{y}       -> /2/{y}
    /e         -> /g
    /{x:int}/* gone
    /q?b=2&a=1 -> /q3
}
site **.d.x {
    /{z}       -> /4/{z}
    /{z:int}   -> /5/{z}
    /q?a=1&b=2 -> /q4
}
site d.x b.x {
    /e   -> /h { when flag q }
    /{y} -> /3/{y} { when flag q }
}
site **.d.x { override; /m 503 }
site *.d.x  { override; /m2 503; /m 410 }
site d.x    { override; /m2 403 }
REDIR
comes_back('meet', 'rules that have one source on hosts of several sites', <<'REDIR', $hosts);
site a.x b.x {
    /q         -> by method { POST /1; otherwise /2 }
    /q?a=1&b=2 -> /1
    /k/{}/v    -> /1
    ~ "^/r(.*)x$" -> /1
    /m         -> by method { POST /1 }
}
site a.x {
    /q         -> /3
    /q?b=2&a=1 -> /2
    /k/{x}/v   -> /2/{x}
    ~ "^/r(.*)x$" -> /2
    /m         -> /2
}
REDIR
comes_back('sets', 'a closed set beside a domain', "site {l:en|de}.l.x **.d.x { /e -> /f }\nsite en.l.x { /x -> /y }\n", $hosts);

# Random sites with hosts of one domain, which meet each other in every way.
sub random_sites {
    my @hosts = qw(d.x **.d.x *.d.x a.d.x **.a.d.x *.a.d.x **.d.x:81 d.x:81 *.d.x:81 * {l:p|q}.d.x b.x);
    my @sources = qw(/{x} /{y} /{x:int} /a /a/ /a/* /{x}?k=1 /a?k=1&j=2 /a?j=2&k=1 /{} /x/{z});
    my ($text, $number) = ('', 0);
    for (1 .. 2 + rand 4) {
        my %of = map { $hosts[rand @hosts] => 1 } 1 .. 1 + rand 3;
        $text .= join(' ', 'site', sort keys %of) . " {\n" . (rand() < .25 ? "override\n" : '');
        for (1 .. 1 + rand 4) {
            my $source = $sources[rand @sources];
            my $target = '/z/r' . ++$number;
            my $clauses = rand() < .3 ? ' { when method POST }' : rand() < .2 ? ' { case ignore }' : '';
            my $otherwise = rand() < .5 ? 'otherwise' : 'POST';
            $text .= rand() < .15 ? "$source pass$clauses\n" : rand() < .2 ? "$source -> by method { PUT $target; $otherwise $target/o }$clauses\n" : "$source -> $target$clauses\n";
        }
        $text .= "}\n";
    }
    return $text;
}
{
    my $requests = join '', map { my $host = $_; map { my $path = $_; map { "$_ http://$host$path\n" } qw(GET POST PUT) } qw(/ /a /A /a/ /a/b /7 /b /b?k=1 /a?k=1&j=2 /x/c) }
        qw(d.x d.x:81 a.d.x a.d.x:81 c.d.x b.a.d.x p.d.x b.x other.x);
    my ($split, $left_out, $kept, @unlike) = (0, 0, 0);
    for my $seed ($first .. $first + int($sets / 4)) {
        srand $seed;
        my $files = { 'met.redir' => random_sites() };
        if (!compiled_part($files, 'met')) { push @unlike, "seed $seed does not compile"; next }
        $kept++;
        my (undef, $dumped) = rulec('dump', 'met.r307');
        $split++ if $dumped =~ /^site \*\*\.(\S+) .*^site \*\.\g1 /ms;
        $left_out++ if $dumped =~ /are left out/;
        my ($exit, $said) = rulec('compile', '-q', rules('met-2', $dumped));
        my @both = map { (run_in(folder(), rulec_path(), 'answer', $_, '-', { input => $requests }))[1] } 'met.r307', 'met-2.r307';
        push @unlike, "seed $seed: " . ($exit ne '0' ? $said : 'other answers') if $exit ne '0' || $both[0] ne $both[1];
    }
    is(join("\n", @unlike), '', "$kept sets of sites that meet come back");
    cmp_ok($_->[1], '>', 0, "among them some $_->[0]") for ['whose domain answers unlike the hosts below', $split], ['with rules that are left out', $left_out];
}

# ---- every clause and condition, asked for with what they ask for ----
rules('words', <<'REDIR');
timezone Europe/Berlin
/h1 -> /i { when header X-A }
/h2 -> /i { when header X-A = "a" "b c" "q\"x\\" }
/h3 -> /i { unless header X-A ~ "^a\"?\\\d+[\"x]$" }
/k1 -> /i { when cookie beta }
/k2 -> /i { unless cookie beta = "1" "2" }
/ac -> /i { when accept text/turtle application/json }
/la -> /i { unless language de de-CH }
/qu -> /i { when query "a b" = "c&d" "e" }
/cl -> /i { when client 10.0.0.0/8 2001:db8::/32 192.0.2.1 }
/en -> /i { when env COUNTRY = DE; unless env BOT }
/fl -> /i { when flag maintenance other }
/ch -> /i { when chance 12.5% }
/ch2 -> /i { unless chance 0.01% }
/bu -> /i { when busy 80% }
/fr -> /i { from 2026-01-01T00:00Z; until 2027-01-01T12:00:30+01:00 }
/fd -> /i { until 2026-12-31 }
/da -> /i { daily 22:00-04:00 }
/we -> /i { weekly sat,sun }
/dw -> /i { daily 08:00-18:30; weekly mon,tue,wed,thu,fri; timezone America/New_York }
group g {
    daily 00:00-12:00
    group h { weekly mon; /nest -> /i { daily 06:00-20:00 } }
}
~ "^/x/(?<id>\d+)/(\w+)$" -> /y/{id}/{2}
~ "^/q/([a-z]+)\"?$" -> /z?v={1} { case ignore }
~ "^/s/(?<star>.)(?<c0>.)$" -> /s/{star}/{c0}
/{x:/[a-z]{2}/}/z -> /{x}
/p-{x:/[0-9]{2,3}/}/ -> /p/{x} permanent { slash exact }
/pf -> /i { preflight redirect; vary X-B X-C }
/maint pass { override }
/onto -> by accept {
    text/turtle application/n-triples              /onto.ttl
    text/html application/xhtml+xml otherwise      /onto.html  found
} see-other
/acc -> by accept { text/turtle /a.ttl; otherwise 406 }
/download/* -> by client { 70 https://eu.example/*; 30 https://us.example/* }
/by-l -> by language { de /de/; fr fr-CA /fr/; otherwise /en/ } found
/by-l2 -> by language { de /de/; fr /fr/ permanent auto }
/hd -> by header X-A { a "b c" "/t" /x; z 'y' otherwise 404; "otherwise" "/y;" }
/ck/{x} -> by cookie beta { "1" /v1/{x}; "2" "3" /v2/{x|lower} }
/me -> by method { GET /g; POST PUT /p see-other } { note "n" }
/by-ch -> by chance { 1 /one; 2 /two; 1 gone }
site {l:en|de}.h.example { /b -> by method { GET https://{l}.x.example/; otherwise 403 } }
site o.example { override; /maint2 503 { retry-after 1h }; /a/* 503 }
REDIR
my ($exit, $text) = rulec('compile', '-q', 'words.redir');
is($exit, 0, 'every clause and condition') or diag($text);
($exit, $text) = rulec('dump', 'words.r307');
is($exit, 0, '... comes back') or diag($text);
($exit) = rulec('compile', '-q', rules('words2', $text));
is($exit, 0, '... and compiles again') or diag($text);
is((rulec('dump', 'words2.r307'))[1] =~ s/\A#.*\n//r, $text =~ s/\A#.*\n//r, '... to the same');
my @paths = (map { "/$_" } qw(h1 h2 h3 k1 k2 ac la qu qu?a+b=c%26d qu?a%20b=x cl en fl ch ch2 bu fr fd da we dw nest x/12/ab x/y/z q/AB s/ab en/z p-12/ p-12
    pf maint maint2 a/b onto acc download/x by-l by-l2 hd ck/X me by-ch b));
my $lines = join '', map { ("GET $_\n", "OPTIONS $_\n", "GET http://o.example$_\n", "POST http://de.h.example$_\n", "GET http://en.h.example$_\n") } @paths;
my ($same, $answered) = (0, 0);
my @asked_with = (
    [], ['-H', 'X-A: a'], ['-H', 'X-A: b c', '-H', 'Cookie: beta=2'], ['-H', 'X-A: a"\\12x'], ['-H', 'Cookie: a=1; beta=3'],
    ['-H', 'Accept: application/*', '-H', 'Accept-Language: de'], ['--client', '10.1.2.3'], ['--client', '2001:db8::5', '--flag', 'other'],
    ['-H', 'X-A: otherwise', '-H', 'Accept: text/turtle;q=0.5, text/html'], ['-H', 'Cookie: beta="3"', '-H', 'Accept-Language: fr-CA, de;q=0.5'],
    ['--env', 'COUNTRY=DE'], ['--env', 'COUNTRY=DE', '--env', 'BOT=1', '--flag', 'maintenance'], ['--chance', '12.4999%', '--busy', '80%'],
    ['--chance', '12.5%', '--busy', '79%'], ['--chance', '0%'], ['--chance', '0.01%'], ['-H', 'Origin: https://a', '-H', 'Access-Control-Request-Method: PUT'],
    map { ['--at', $_] } qw(2025-12-31T23:59:59Z 2026-01-01T00:00Z 2026-12-31T22:59:59Z 2026-12-31T23:00:00Z 2027-01-01T11:00:29Z 2027-01-01T11:00:30Z
        2026-03-29T00:30Z 2026-03-29T02:30Z 2026-06-06T21:00Z 2026-06-07T02:30Z 2026-06-08T05:00Z 2026-06-08T22:30Z 2026-06-08T12:00Z),
);
for my $options (@asked_with) {
    my @both = map { (run_in(folder(), rulec_path(), 'answer', '--chance', '50%', @$options, $_, '-', { input => $lines }))[1] } qw(words.r307 words2.r307);
    $same++ if $both[0] eq $both[1];
    $answered += () = $both[0] =~ /^\d/mg;
    is($both[1], $both[0], "... with @$options") if $both[0] ne $both[1];
}
is($same, scalar @asked_with, "... and answers alike: $answered answers to requests of all kinds");
cmp_ok($answered, '>', 500, '... by a rule');
done_testing();
