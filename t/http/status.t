# SPDX-License-Identifier: Apache-2.0
# SetHandler redir307-status: what it tells in three formats, that it tells no more, and that nothing takes it away.
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

sub json { return decode_json(request('GET', '/status?json')->body) }

# What is not well-formed, if anything: tags nest, attributes are quoted, "&" and "<" are escaped.
sub malformed {
    my ($html) = @_;
    my @open;
    return 'no doctype' if $html !~ s/\A<!DOCTYPE html>\n//;
    $html =~ s{(<style>)[^<]*(</style>)}{$1$2};
    while ($html =~ /\G(?:([^<&>]+)|&(?:[a-z]+|#\d+);|<(\/?)([a-z][a-z0-9]*)((?: [a-z]+="[^"<>]*")*)>)/gc) {
        next if !defined $3;
        next if $3 eq 'meta';
        if (!$2) { push @open, $3; next }
        my $last = pop @open // 'nothing';
        return "</$3> closes <$last>" if $last ne $3;
    }
    return 'at: ' . substr($html, pos($html) // 0, 60) if (pos($html) // 0) < length $html;
    return @open ? "open: @open" : '';
}

my $hostile = q{<script>alert("x")</script> & 'q' \\ back};
(my $quoted = $hostile) =~ s/(["\\])/\\$1/g;
rules(<<"END");
/old -> https://secret-target.example/ { note "$quoted"; owner "web\@lab <team>" }
/status -> /stolen
/* -> /everything/*
END
my $good = read_file('rules.r307');

serve(conf => $page);
redirects('GET', '/other', 307, '/everything/other', 'rules for everything answer');
redirects('GET', '/old', 307, 'https://secret-target.example/', 'and others') for 1 .. 3;

# ---- HTML ----

my $html = request('GET', '/status');
is($html->status, 200, 'no rule redirects the status page away');
is($html->field('Content-Type'), 'text/html; charset=utf-8', 'HTML unless asked otherwise');
is($html->field('Cache-Control'), 'no-store', 'never from a cache');
is($html->field('Vary'), 'Accept', 'and it hangs on Accept');
is(malformed($html->body), '', 'it is well-formed');
like($html->body, qr{<td>3</td><td>[^<]+</td><td>rules\.redir:1</td><td>&lt;script&gt;alert\(}, 'a note is escaped');
unlike($html->body, qr/<script|secret-target/, 'no markup of others gets in, and no target');
like($html->body, qr{<th scope="row">rules</th><td>3</td>}, 'it tells the number of rules');
like($html->body, qr{<th scope="row">state</th><td>the rules answer</td>}, 'and that they answer');

# ---- JSON ----

my $response = request('GET', '/status?json');
is($response->field('Content-Type'), 'application/json', 'JSON');
my $status = decode_json($response->body);
my ($file) = @{ $status->{files} };
is($file->{path}, folder() . '/rules.r307', 'the file');
is($file->{rules}, 3, 'its rules');
is($file->{bytes}, length $good, 'its size');
like($file->{id}, qr/^[0-9a-f]{32}$/, 'its id');
is($file->{state}, 'good', 'its state');
is($file->{held_as}, 'mapping', 'how it is held');
is("$file->{loads} $file->{failures} $file->{serial}", '1 0 1', 'loads, failures and serial');
ok(!exists $file->{last_error}, 'no error yet');
like($file->{loaded_at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'since when');
ok((grep { $_ == $status->{pid} } children()), 'which process answers');
is_deeply([map { [@$_{qw(rule hits note owner)}] } @{ $file->{top} }],
    [['rules.redir:1', 3, $hostile, 'web@lab <team>'], ['rules.redir:3', 1, undef, undef]], 'the rules by hits, with note and owner as written');
unlike($response->body, qr/secret-target/, 'no target');
is(scalar @{ decode_json(request('GET', '/status?top=1&json')->body)->{files}[0]{top} }, 1, 'top=1 shows one rule');
is(scalar @{ decode_json(request('GET', '/status?json&top=-5')->body)->{files}[0]{top} }, 0, 'top=-5 none');
is(decode_json(request('GET', '/status', Accept => 'application/json')->body)->{files}[0]{rules}, 3, 'JSON by Accept');
is(request('GET', '/status', Accept => 'text/html,application/json;q=0.5')->field('Content-Type'), 'text/html; charset=utf-8', 'a browser gets HTML');

# ---- Prometheus ----

for (['/status?prometheus'], ['/status', Accept => 'text/plain;version=0.0.4;q=0.5,*/*;q=0.1']) {
    $response = request('GET', @$_);
    is($response->field('Content-Type'), 'text/plain; version=0.0.4; charset=utf-8', 'Prometheus');
    my @odd = grep { !/^# (?:HELP|TYPE) redir307_\w+ \S|^redir307_\w+(?:\{file="(?:[^"\\]|\\.)*"\})? \d+$/ } split /\n/, $response->body;
    is("@odd", '', 'each line is one of the format');
    like($response->body, qr/^redir307_hits_total 4$/m, 'all hits');
    like($response->body, qr/^redir307_file_good\{file="[^"]*rules\.r307"\} 1$/m, 'the file is good');
    unlike($response->body, qr/rules\.redir|secret/, 'no single rule, no target');
    my %typed = map { $_ => 1 } $response->body =~ /^# TYPE (\w+)/mg;
    is(join(' ', grep { !$typed{$_} } $response->body =~ /^(redir307_\w+)/mg), '', 'each metric has its type');
}

# ---- when something is wrong, and after that ----

put_bytes(folder() . "/rules.r307", "bad");
redirects('GET', '/other', 307, '/everything/other', 'a bad file: the old rules answer');
$file = json()->{files}[0];
is($file->{state}, 'stale', 'the page tells that the file is bad');
like($file->{last_error}, qr/no rule file|cut off/, 'and why');
is("$file->{loads} $file->{failures}", '1 1', 'one failure');
$html = request('GET', '/status');
like($html->body, qr/the file is bad: the rules of before answer/, 'in words');
is(malformed($html->body), '', 'well-formed');
like(request('GET', '/status?prometheus')->body, qr/^redir307_file_good\{[^}]*\} 0$/m, 'a scraper sees it');
rules("/old -> /new\n");
redirects('GET', '/old', 307, '/new', 'a good file');
$file = json()->{files}[0];
is("$file->{state} $file->{loads} $file->{failures} $file->{serial} $file->{rules}", 'good 2 1 2 1', 'good again, and counted');
ok($file->{last_error}, 'the last error is still told');
is($file->{top}[0]{hits}, 4, 'hits go on with the rule');
ok(restart(), 'after a restart');
$file = json()->{files}[0];
is("$file->{state} $file->{loads} $file->{failures}", 'good 2 1', 'loads and failures are those since the start');
announce(qr/R307-902/);

# ---- methods, other places ----

is(request('HEAD', '/status')->status . request('HEAD', '/status')->body, 200, 'HEAD');
is(request('POST', '/status', body => 'x')->status, 405, 'nothing can be posted');
is(request('GET', '/status/below')->status, 200, 'what is below the location is the page, too');
stop();

# ---- who may see it ----

rules("/* -> /everything/*\n");
serve(conf => <<"END", modules => ['authz_host']);
<Location "/status">
    SetHandler redir307-status
    Require ip 192.0.2.1
</Location>
END
is(request('GET', '/status')->status, 403, 'access control holds for it');
announce(qr/AH01630/);
stop();

# The sample that is installed, with its comment signs.
serve(conf => read_file(Redir307::Httpd::source_folder() . '/conf/redir307.conf'), modules => ['authz_host']);
is(request('GET', '/redir307-status')->status, 200, 'the sample configuration shows the page to this machine');
redirects('GET', '/other', 307, '/everything/other', 'and rules answer beside it');
stop();

# ---- without rules ----

serve(conf => "${page}Redir307OnBadFile pass\n", rules => '/nowhere/rules.r307');
$file = json()->{files}[0];
is($file->{state}, 'none', 'a file that never was');
like($file->{last_error}, qr/No such file/, 'and why');
is(malformed(request('GET', '/status')->body), '', 'HTML is well-formed');
like(request('GET', '/status?prometheus')->body, qr/^redir307_rules\{[^}]*\} 0$/m, 'a scraper sees no rules');
announce(qr/R307-903/);
stop();
serve(conf => $page, rules => undef);
is_deeply(json()->{files}, [], 'no file at all');
is(malformed(request('GET', '/status')->body), '', 'HTML is well-formed');
stop();

# ---- names that are no text ----

my $odd = folder() . "/a<b>&\"\xff\xc3\xa9.r307";
put($odd, $good);
sub put { my ($path, $bytes) = @_; open my $out, '>:raw', $path or die "$path: $!"; print $out $bytes; close $out; return }
serve(conf => $page, rules => $odd =~ s/(["\\])/\\$1/gr);
is(decode_json(request('GET', '/status?json')->body)->{files}[0]{path}, folder() . "/a<b>&\"?\x{e9}.r307", 'bytes that are no text are "?"');
is(malformed(request('GET', '/status')->body), '', 'HTML is well-formed');
like(request('GET', '/status?prometheus')->body, qr/\{file="[^"]*a<b>&\\"\?\xc3\xa9\.r307"\}/, 'labels are escaped');
stop();
done_testing();
