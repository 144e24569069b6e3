# SPDX-License-Identifier: Apache-2.0
# Redir307Counters: each hit counts once, in whatever process, and stays with its rule over swaps and restarts.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use Redir307::Damage;
use Redir307::Httpd;
use Test::More;

my $page = <<'END';
<Location "/status">
    SetHandler redir307-status
</Location>
END

sub status { my ($options) = @_; return decode_json(request('GET', '/status?json' . ($options // ''))->body) }

# Hits of all rules, by file and line.
sub hits { return { map { $_->{rule} => $_->{hits} } map { @{ $_->{top} } } @{ status('&top=1000')->{files} } } }
sub ask { my ($times, $target, @headers) = @_; request('GET', $target, @headers) for 1 .. $times; return }

my $text = <<'END';
/old -> /new
/tree/* -> /t/*
/when -> /a { when header X = "1" }
/when -> /b
/stay pass
/gone gone
~ "^/re/([0-9]+)$" -> /r/$1
site *.many.test a.test { /both -> /x }
END

# ---- every rule by itself ----

rules($text);
serve(conf => $page, children => 2, threads => 4);
is(status()->{counters}{slots}, 65536, 'on unless switched off');
is(status()->{counters}{hits}, 0, 'nothing was asked yet');
is_deeply(hits(), {}, 'no rule answered yet');
ask(3, '/old');
ask(2, '/tree/a');
ask(1, '/tree/b/c?x=y');
ask(4, '/when', X => 1);
ask(5, '/when');
ask(2, '/stay');
ask(1, '/gone');
ask(2, '/re/7');
ask(1, '/both', Host => 'a.test');
ask(2, '/both', Host => 'x.many.test');
ask(7, '/nothing');
my %wanted = ('rules.redir:1' => 3, 'rules.redir:2' => 3, 'rules.redir:3' => 4, 'rules.redir:4' => 5, 'rules.redir:5' => 2, 'rules.redir:6' => 1,
    'rules.redir:7' => 2, 'rules.redir:8' => 3);
is_deeply(hits(), \%wanted, 'each rule has its hits');
is(status()->{counters}{hits}, 23, 'and the sum is theirs');
is(status()->{counters}{other}, 0, 'every rule found its place');
my ($first) = @{ status()->{files}[0]{top} };
is($first->{rule}, 'rules.redir:4', 'most hits first');
my ($year) = $first->{last_used} =~ /^(\d{4})-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
is($year, (gmtime)[5] + 1900, 'with the time of the last one');

# ---- a swap that moves all lines ----

rules("# a new line\n/before -> /x\n~ \"^/another\" -> /y\n" . ($text =~ s{/old -> /new}{/old -> /elsewhere permanent}r) =~ s{^/gone gone\n}{}mr);
ask(1, '/old');
%wanted = ('rules.redir:4' => 4, 'rules.redir:5' => 3, 'rules.redir:6' => 4, 'rules.redir:7' => 5, 'rules.redir:8' => 2, 'rules.redir:9' => 2, 'rules.redir:10' => 3);
is_deeply(hits(), \%wanted, 'hits move with their rules, whatever their target is now');
is(status()->{counters}{hits}, 24, 'a rule that is gone keeps its part of the sum');
rules($text);
is(hits()->{'rules.redir:6'}, 1, 'and finds its hits when it comes back');

# ---- restarts ----

for my $signal (qw(USR1 HUP USR1)) {
    ok(restart($signal), "restart by $signal");
    my $before = hits();
    is($before->{'rules.redir:4'}, 5, "$signal: the hits are still there");
    ask(1, '/old');
    is(hits()->{'rules.redir:1'}, $before->{'rules.redir:1'} + 1, "$signal: and go on");
}
my $sum = status()->{counters}{hits};
put_bytes(folder() . "/rules.r307", "bad");
ok(restart(), 'a restart with a bad file');
ask(2, '/old');
is(status()->{counters}{hits}, $sum + 2, 'the rules of before go on being counted');
is(hits()->{'rules.redir:1'}, 9, 'each as before');
announce(qr/R307-902/);
stop();

# ---- another size, at a restart ----

rules(join '', map { "/r/$_ -> /t/$_\n" } 1 .. 500);
my $more = sub { write_file('more.conf', $_[0]); return };
$more->("Redir307Counters 20\n");
serve(conf => "Include \"@{[folder()]}/more.conf\"\n$page");
is(status()->{counters}{slots}, 32, 'a size is rounded up to a power of two');
ask(1, "/r/$_") for 1 .. 200;
my $counters = status()->{counters};
is($counters->{hits}, 200, 'a table that is too small loses no hit');
cmp_ok($counters->{used}, '<=', 32, 'it holds what fits');
is($counters->{other}, 200 - $counters->{used}, 'the rest is "other"');
my $kept = hits();
is(scalar(keys %$kept), $counters->{used}, 'what fits is told by rule');
$more->("Redir307Counters 4096\n");
ok(restart(), 'a larger table from a restart on');
# Children of before the restart may answer for a moment.
ok(reload_waits(sub { (status()->{counters}{slots} // 0) == 4096 }), 'it is larger');
is_deeply(hits(), $kept, 'the hits were taken over');
is(status()->{counters}{hits}, 200, 'all of them');
ask(1, "/r/$_") for 301 .. 400;
is(status()->{counters}{other}, $counters->{other}, 'now there is room');
$more->("Redir307Counters off\n");
ok(restart(), 'off');
ok(reload_waits(sub { !exists status()->{counters} }), 'holds from then on');
ask(2, '/r/1');
my $off = status();
ok(!exists $off->{counters}, 'nothing is counted, nothing is told');
is_deeply($off->{files}[0]{top}, [], 'of no rule');
$more->("Redir307Counters 64\n");
ok(restart(), 'on again');
ok(reload_waits(sub { exists status()->{counters} }), 'holds from then on');
is(status()->{counters}{hits}, 0, 'counts from nothing');
stop();

# ---- two files with one rule ----

my $other = compile_rules('other', "/same -> /x\n");
rules("/same -> /x\n");
serve(conf => $page . "<VirtualHost *>\nServerName lab.test\n</VirtualHost>\n<VirtualHost *>\nServerName two.test\nRedir307Rules \"$other\"\n</VirtualHost>\n");
ask(2, '/same');
ask(3, '/same', Host => 'two.test');
is_deeply(hits(), { 'rules.redir:1' => 2, 'other.redir:1' => 3 }, 'the same rule in two files is two rules');
# The prefork MPM has no more than one worker here.
announce(qr/AH00161/);
stop();

# ---- swaps, bad files and restarts while requests come ----

rules("/same -> /x\n");
my $same = read_file('rules.r307');
my $moved = read_file(compile_rules('moved', "# one\n# two\n/else -> /y\n/same -> /z\n"));
serve(conf => $page, children => 2, threads => 4, watch => '20ms');
my ($answered, $odd) = (0, '');
for my $round (1 .. 60) {
    put_bytes(folder() . '/rules.r307', ($same, $moved, 'bad')[$round % 3]);
    restart() if $round % 25 == 0;
    for (1 .. 5) {
        my $response = request('GET', '/same');
        $answered++ if $response->status == 307;
        my $page = request('GET', '/status?json');
        $odd .= $page->head if $page->status != 200 || !eval { decode_json($page->body) };
    }
}
is($answered, 300, 'every request is answered');
is($odd, '', 'and so is every question for the status');
is(status()->{counters}{hits}, 300, 'each was counted once');
announce(qr/R307-902/, qr/AH00161/);
stop();
rules("/same -> /x\n");

# ---- many threads, many processes, no hit lost ----

SKIP: {
    my ($wrk) = grep { -x } map { "$_/wrk" } split /:/, $ENV{PATH};
    skip 'no wrk', 2 if !$wrk || $ENV{REDIR307_PRELOAD};
    serve(conf => $page, children => 2, threads => 8, watch => 'off');
    my $said = `$wrk -t1 -c6 -d1 @{[url('/same')]} 2>&1`;
    my ($requests) = $said =~ /(\d+) requests in/;
    my $counted = status()->{counters}{hits};
    # Those under way when wrk ends are answered, too, but not counted by it.
    cmp_ok($counted, '>=', $requests // 0, "$requests requests are counted");
    cmp_ok($counted, '<=', ($requests // 0) + 6, 'and no others');
    announce(qr/AH00161/);
    stop();
}

for my $word ('-1', '0', 'on', '1k', '16777217') {
    my ($status, $said) = configtest(conf => "Redir307Counters $word\n");
    isnt($status, 0, "\"$word\" is refused");
    like($said, qr/Redir307Counters: "\Q$word\E" is no number between 1 and/, 'and told');
}
my ($status, $said) = configtest(conf => "<VirtualHost *>\nRedir307Counters 10\n</VirtualHost>\n");
isnt($status, 0, 'in a virtual host it is refused');
like($said, qr/all servers share one table/, 'and told why');
done_testing();
