#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Real caches in front: no client ever gets a redirect of ours that was meant for another client, for another time, or
# by rules that are gone. Each answer that comes out of a cache is compared with what rulec says to that very request.
# The caches are mod_cache in the server itself, mod_cache in a proxy before it, and Varnish; what is missing is skipped.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use Redir307::Damage;
use Redir307::Fronts;
use Redir307::Httpd;
use Test::More;
use Time::HiRes qw(time sleep);

plan(skip_all => 'no mod_remoteip, mod_setenvif and mod_headers') if grep { !has_module($_) } qw(remoteip setenvif headers);

sub text_of_time { my ($time) = @_; my @t = gmtime $time; return sprintf '%04d-%02d-%02dT%02d:%02d:%02dZ', $t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0] }

# A window that opens and shuts while this test runs; known when its part begins.
my ($opens, $shuts) = map { int(time) + $_ } 3600, 7200;

sub rules_now {
    # `cache 1m` makes them all answers that a cache may keep; without it most would not be kept at all, which proves less.
    return <<"END";
group "kept" {
    cache 1m
    /accept -> by accept { text/turtle application/n-triples /onto.ttl; text/html /onto.html found; application/json 406 } see-other
    /when-accept -> /turtle { when accept text/turtle }
    /language -> by language { de /de/; fr /fr/; otherwise /en/ } found
    /when-language -> /de/ { when language de }
    /header -> by header X-Beta { on /on; off /off }
    /when-header -> /beta { when header X-Beta = "on" }
    /has-header -> /beta { when header X-Beta }
    /cookie -> by cookie shop { new /new; old 410 }
    /when-cookie -> /new { unless cookie shop = "old" }
    /chain -> /1 { when header X-Beta = "on"; when cookie shop = "new" }
    /chain -> /2 { when accept text/turtle }
    /chain -> /3 { when language de; unless header X-Beta }
    /chain -> /4 permanent { unless cookie shop }
    /method -> /m temporary auto
    /query?q={x} -> /found?t={x}
    /env -> /german { vary X-Country; when env COUNTRY = "DE" }
}
# The author says that it may be kept, and not what it was made from: the caches mix clients up, which shows that they would.
/control -> /german { cache 1m; when env COUNTRY = "DE" }
/control -> /rest { cache 1m }
# What Vary cannot say.
/client -> /office { when client 10.0.0.0/8 2001:db8::/32 }
/by-client -> by client { 1 /left; 1 /right }
/env-unsaid -> /german permanent { when env COUNTRY = "DE" }
/flag -> /later permanent { when flag maintenance }
/chance -> /lucky permanent { when chance 50% }
/by-chance -> by chance { 1 /left; 1 /right } moved
/busy -> /busy permanent { when busy 1% }
# Time.
/window -> /open { cache 1m; from @{[text_of_time($opens)]}; until @{[text_of_time($shuts)]} }
/window -> /shut { cache 1m }
/window-or-page -> /open permanent { from @{[text_of_time($opens)]}; until @{[text_of_time($shuts)]} }
END
}
put_bytes(folder() . '/rules.r307', read_file(compile_rules('one', rules_now())));
mkdir folder() . '/flags';

my $cache_here = has_module('cache') && has_module('cache_socache') && has_module('socache_shmcb');
my $port_here = $cache_here ? Redir307::Httpd::free_port() : undef;
# What Vary cannot say guards a page that must not be kept either: a page is its author's to mark.
serve(
    modules  => [qw(remoteip setenvif headers alias), $cache_here ? qw(cache cache_socache socache_shmcb) : ()],
    # Varnish keeps connections open: one process for one connection would not do.
    children => Redir307::Httpd::mpm() eq 'prefork' ? 8 : 1,
    conf     => <<"CONF" . ($cache_here ? <<"CONF" : ''),
Redir307Flags "@{[folder()]}/flags"
RemoteIPHeader X-Client
RemoteIPInternalProxy 127.0.0.1
SetEnvIf X-Country (..) COUNTRY=\$1
AliasMatch ^/ "@{[folder()]}/html/page.html"
Header set Cache-Control "max-age=60"
Header set Vary "Accept-Encoding, x-beta" "expr=%{REQUEST_URI} =~ m#header|chain#"
<LocationMatch "^/(client|env-unsaid|flag|chance|busy|window-or-page)">
    Header set Cache-Control "no-store"
</LocationMatch>
CONF
Listen 127.0.0.1:$port_here
<VirtualHost 127.0.0.1:$port_here>
    ServerName cache.test
    @{[cache_directives('socache')]}
</VirtualHost>
CONF
);
my @fronts = grep { $_ } $cache_here ? { name => 'mod_cache in the same httpd', port => $port_here, hit => sub { ($_[0]->field('X-Cache') // '') =~ /^HIT/ } } : undef,
    httpd_front('disk'), varnish_front();
note('caches: ', join ', ', map { $_->{name} } @fronts);

# ---- what is asked, and what is right ----

my %clients = (
    Accept            => [undef, '*/*', 'text/turtle', 'text/html,application/xhtml+xml,*/*;q=0.8', 'text/turtle;q=0.3, text/html', 'application/json', 'image/png', 'text/turtle;q=0'],
    'Accept-Language' => [undef, 'de', 'de-CH,fr;q=0.7', 'fr,de;q=0.5', 'en', '*', 'de;q=0'],
    'X-Beta'          => [undef, 'on', 'off', 'maybe'],
    Cookie            => [undef, 'shop=new', 'shop=old', 'a=1; shop=new', 'shop=other', 'xshop=new', 'a=shop=new'],
    'X-Country'       => [undef, 'DE', 'FR'],
    'X-Client'        => [undef, '10.1.2.3', '192.0.2.7', '198.51.100.9', '2001:db8::5', '2001:db9::5'],
);
my %asks = (
    '/accept' => ['Accept'], '/when-accept' => ['Accept'], '/language' => ['Accept-Language'], '/when-language' => ['Accept-Language'],
    '/header' => ['X-Beta'], '/when-header' => ['X-Beta'], '/has-header' => ['X-Beta'], '/cookie' => ['Cookie'], '/when-cookie' => ['Cookie'],
    '/chain' => ['X-Beta', 'Cookie', 'Accept', 'Accept-Language'], '/method' => [], '/query' => [], '/query?q=1' => [], '/query?q=2&x' => [], '/env' => ['X-Country'],
    '/client' => ['X-Client'], '/by-client' => ['X-Client'], '/env-unsaid' => ['X-Country'],
);
my @flags;

# The request as rulec is told it.
sub facts {
    my ($method, $target, @headers) = @_;
    my %sent = @headers;
    my %facts = (method => $method, url => "http://lab.test$target", at => text_of_time(time), flags => [@flags],
        client => $sent{'X-Client'} // '127.0.0.1', headers => [map { { name => $_, value => $sent{$_} } } grep { $_ ne 'X-Client' } sort keys %sent]);
    $facts{env} = { COUNTRY => $sent{'X-Country'} } if defined $sent{'X-Country'};
    return \%facts;
}

# What rulec says to each of these.
sub right_answers {
    my ($rules, @facts) = @_;
    write_file('asked', join '', map { encode_json($_) . "\n" } @facts);
    my ($status, $text) = Redir307::Httpd::run('sh', '-c', '"$0" answer "$1" - <"$2"', $Redir307::Httpd::rulec_path, folder() . "/$rules.r307", folder() . '/asked');
    my @answers = split /\n/, $text;
    $status == 0 && @answers == @facts or die "rulec answer: $status\n$text";
    return map {
        my $answer = decode_json($_);
        my ($location) = map { $_->{value} } grep { $_->{name} eq 'Location' } @{ $answer->{headers} };
        $answer->{outcome} eq 'send' ? $answer->{status} . (defined $location ? " $location" : '') : 'page';
    } @answers;
}

sub said {
    my ($response) = @_;
    my $location = $response->field('Location');
    return 'page' if $response->status == 200 && !defined $location && $response->body =~ /a page|\A\z/;
    return $response->status . (defined $location ? " $location" : '');
}

# ---- fields and clients ----

srand 307;
my @plan;
for my $path (sort keys %asks) {
    for (1 .. (@{ $asks{$path} } > 1 ? 140 : 45)) {
        my @headers = map { my $value = $clients{$_}[rand @{ $clients{$_} }]; defined $value ? ($_ => $value) : () } @{ $asks{$path} };
        # Fields that the rule does not read make no difference.
        for my $other (grep { my $name = $_; $name ne 'X-Client' && !grep { $_ eq $name } @{ $asks{$path} } } sort keys %clients) {
            my $value = $clients{$other}[rand @{ $clients{$other} }];
            push @headers, $other => $value if rand() < 0.2 && defined $value;
        }
        push @plan, [rand() < 0.1 ? 'HEAD' : $path eq '/method' && rand() < 0.3 ? 'POST' : 'GET', $path, @headers];
    }
}
@plan = map { splice @plan, rand @plan, 1 } 1 .. @plan;
my @right = right_answers('one', map { facts(@$_) } @plan);
my %kinds;
$kinds{$_}++ for @right;
cmp_ok(scalar keys %kinds, '>', 12, scalar(@plan) . ' requests with ' . keys(%kinds) . ' different answers');
for my $front (@fronts) {
    my ($hits, $redirect_hits) = (0, 0);
    my @wrong;
    for my $number (0 .. $#plan) {
        my $response = ask($front->{port}, @{ $plan[$number] });
        if ($front->{hit}->($response)) { $hits++; $redirect_hits++ if $right[$number] ne 'page' }
        push @wrong, "@{ $plan[$number] }: got \"" . said($response) . "\", right is \"$right[$number]\"; " . ($response->field('X-Cache') // '') if said($response) ne $right[$number];
    }
    is(join("\n", @wrong[0 .. ($#wrong < 4 ? $#wrong : 4)]), '', "$front->{name}: each client gets its own answer");
    my $page_hits = $hits - $redirect_hits;
    cmp_ok($page_hits, '>', 80, "$front->{name}: $page_hits pages came out of the cache");
    # mod_cache keeps no error response of its own server, and that is what a redirect is there.
    cmp_ok($redirect_hits, '>', 150, "$front->{name}: $redirect_hits redirects came out of the cache") if $front->{keeps_redirects};
}

# ---- what Vary cannot say is not kept ----

for my $front (@fronts) {
    my (%drawn, %shared, @kept);
    for (1 .. 24) {
        for my $path ('/chance', '/by-chance', '/busy') {
            my $response = ask($front->{port}, 'GET', $path);
            $drawn{$path}{ said($response) }++;
            push @kept, $path if $front->{hit}->($response);
        }
    }
    is(join(' ', sort keys %{ $drawn{'/chance'} }), '308 /lucky page', "$front->{name}: chance is drawn for each request");
    is(join(' ', sort keys %{ $drawn{'/by-chance'} }), '301 /left 301 /right', "$front->{name}: by chance, too");
    is(join(' ', sort keys %{ $drawn{'/busy'} }), '308 /busy', "$front->{name}: busy");
    is("@kept", '', "$front->{name}: and nothing of it is kept");
    my @seen = map { said(ask($front->{port}, 'GET', '/flag')) } 1 .. 2;
    write_file('flags/maintenance', '');
    push @seen, map { said(ask($front->{port}, 'GET', '/flag')) } 1 .. 2;
    unlink folder() . '/flags/maintenance';
    push @seen, map { said(ask($front->{port}, 'GET', '/flag')) } 1 .. 2;
    is(join(', ', @seen), 'page, page, 308 /later, 308 /later, page, page', "$front->{name}: a flag is seen at once, on and off");
}

# ---- Vary of a request that is passed on ----

sub vary_is {
    my ($target, $wanted, $name, @headers) = @_;
    my $response = request('GET', $target, @headers);
    is(join(' ', sort map { lc } split /\s*,\s*/, $response->field('Vary') // ''), $wanted, $name);
    is($response->field('Cache-Control'), 'max-age=60', "$name: Cache-Control is the page's own");
    return;
}
vary_is('/when-accept', 'accept', 'a page that is passed on has our Vary', Accept => 'text/html');
vary_is('/when-header', 'accept-encoding x-beta', 'merged with its own, none twice', 'X-Beta' => 'off');
vary_is('/chain', 'accept accept-encoding cookie x-beta', 'all fields that were read, and no other', 'X-Beta' => 'on', Cookie => 'shop=x');
vary_is('/query', '', 'none where none was read');
vary_is('/nothing', '', 'none where no rule was');

# ---- time ----

sub at_all {
    my ($target, $wanted, $name) = @_;
    for my $front (@fronts) {
        my @said = map { said(ask($front->{port}, 'GET', $target)) } 1 .. 2;
        is("@said", "$wanted $wanted", "$front->{name}: $name");
    }
    return;
}

sub wait_until { my ($time) = @_; my $left = $time - time; sleep $left if $left > 0; return }

# Rules said to be kept for a while, too: for so long a swap may go unseen.
($opens, $shuts) = map { int(time) + $_ } 3, 10;
my $one = read_file(compile_rules('one', rules_now() . "/swap-kept -> /one { cache 3s }\n/swap -> /one\n/swap-gone -> /one { cache none }\n"));
my $two = read_file(compile_rules('two', rules_now() . "/swap-kept -> /two { cache 3s }\n/swap -> /two\n"));
put_bytes(folder() . '/rules.r307', $one);

# Before the window opens: the answers that are kept now may not outlive it.
at_all('/window', '307 /shut', 'before a window');
at_all('/window-or-page', 'page', 'before a window, the page');
for (1 .. 20) {
    last if time > $opens - 0.4;
    at_all('/window', '307 /shut', 'still before the window');
    sleep 0.3;
}
cmp_ok(time, '<', $opens, 'asked in time') or diag('this machine is slow today');
# By a cache that counts parts of a second, too: no answer outlives the edge.
wait_until($opens + 0.1);
at_all('/window', '307 /open', 'in the window');
at_all('/window-or-page', '308 /open', 'in the window, not the page');
my $left = $shuts - int time;
my ($age) = (request('GET', '/window')->field('Cache-Control') // '') =~ /^max-age=(\d+)$/;
cmp_ok($age // 999, '<', $left, 'max-age ends with the window');

# ---- a swap: what was said to be kept is kept so long and no longer ----

my $swap_began = time;
at_all('/swap-kept', '307 /one', 'before a swap');
at_all('/swap', '307 /one', 'before a swap, nothing said');
at_all('/swap-gone', '307 /one', 'before a swap, not to be kept');
put_bytes(folder() . '/rules.r307', $two);
at_all('/swap', '307 /two', 'after a swap, nothing said: the new rules at once');
at_all('/swap-gone', 'page', 'after a swap, not to be kept: the rule is gone at once');
for my $front (@fronts) {
    like(said(ask($front->{port}, 'GET', '/swap-kept')), qr{^307 /(one|two)$}, "$front->{name}: after a swap, an answer that may be kept for 3 s");
}
wait_until($swap_began + 5.5);
at_all('/swap-kept', '307 /two', 'is the new one when they are over');

cmp_ok(time, '<', $shuts, 'all that within the window') or diag('this machine is slow today');
wait_until($shuts + 0.1);
at_all('/window', '307 /shut', 'after the window');
at_all('/window-or-page', 'page', 'after the window, the page');

# ---- the proof proves something: the same caches do mix clients up where they are not told ----

for my $front (grep { $_->{keeps_redirects} } @fronts) {
    my @said = map { said(ask($front->{port}, 'GET', '/control', 'X-Country' => $_)) } qw(DE FR);
    is("@said", '307 /german 307 /german', "$front->{name}: `cache` without `vary` on an `env` goes to the wrong client, as said");
}

SKIP: {
    skip('no mod_cache_socache', 1) if !$cache_here;
    pass('mod_cache in the same httpd');
}
SKIP: {
    skip('no mod_proxy_http and mod_cache_disk', 1) if !grep { $_->{name} =~ /another/ } @fronts;
    pass('mod_cache in another httpd');
}
SKIP: {
    skip('no Varnish', 1) if !grep { $_->{name} eq 'Varnish' } @fronts;
    pass('Varnish');
}
stop();
done_testing();
