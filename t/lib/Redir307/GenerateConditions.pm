# SPDX-License-Identifier: Apache-2.0
# Random rule sets full of conditions, windows and choices, and requests with all that these ask about (structure:
# Redir307::NaiveConditions). Few sources, so that many rules stand behind each other; small alphabets, so that each
# condition holds about as often as not. Every target is another one, so an answer names its rule.
package Redir307::GenerateConditions;
use strict;
use warnings;
use Exporter 'import';
use Redir307::NaiveConditions;
use Redir307::RuleText;

our @EXPORT_OK = qw(generate_set generate_requests condition_text @ZONES);

our @ZONES = qw(Europe/Berlin America/New_York Australia/Lord_Howe Asia/Kolkata America/St_Johns Pacific/Auckland Africa/Casablanca UTC Europe/Dublin America/Santiago);

sub pick { return $_[rand @_] }
sub chance { return rand() < $_[0] }
sub some { my ($most, @from) = @_; my @got; push @got, splice @from, rand @from, 1 for 1 .. 1 + int rand $most; return @got }

my @HEADERS = qw(X-A X-B x-a User-Agent);
my @VALUES = ('1', '2', 'on', 'a b', 'A', 'a, b', '1, 1', 'caf=e');
my @REGEXES = ('^o', '^[0-9]+$', 'a.*b', '^(1|on)$', '[A-Z]', '^$', '.');
my @TYPES = qw(text/turtle text/html application/json image/png text/plain application/ld+json);
my @LANGUAGES = qw(de de-CH fr en en-GB d zh-Hant-TW zh-Hant);
my @METHODS = qw(GET POST PUT HEAD OPTIONS DELETE);
my @NETWORKS = qw(10.0.0.0/8 10.1.2.0/24 10.1.2.3 192.0.2.0/25 0.0.0.0/0 10.1.2.2/31 2001:db8::/32 2001:db8::7 ::/0 2001:db8::6/127 172.16.0.0/12);
my @CLIENTS = qw(10.1.2.3 10.1.2.2 10.200.0.1 192.0.2.1 192.0.2.129 172.31.255.255 172.32.0.0 198.51.100.1 2001:db8::7 2001:db8::6 2001:db9::1 ::1 ::ffff:10.1.2.3);
my @SHARES = (0, 0.5, 10, 25, 50, 99.5, 100);

my ($target_number, $zone);

# ---- times ----

sub two { return sprintf '%02d', $_[0] }

# Instants about which something happens: the changes of the clocks of these years, and others.
my %changes;
sub changes_of {
    my ($name) = @_;
    return $changes{$name} //= do {
        my @found;
        for my $year (2027, 2030, 2037, 2038, 2041) {
            my $start = POSIX::floor(($year - 1970) * 365.2425 * 86400);
            my $before = (Redir307::NaiveConditions::local_time($name, $start))[7];
            for my $day (1 .. 366) {
                my $at = $start + $day * 86400;
                my $offset = (Redir307::NaiveConditions::local_time($name, $at))[7];
                if ($offset != $before) {
                    my ($low, $high) = ($at - 86400, $at);
                    while ($high - $low > 1) {
                        my $middle = int(($low + $high) / 2);
                        if ((Redir307::NaiveConditions::local_time($name, $middle))[7] == $before) { $low = $middle } else { $high = $middle }
                    }
                    push @found, $high;
                }
                $before = $offset;
            }
        }
        \@found;
    };
}

sub instant {
    my @changes = @{ changes_of($zone) };
    return pick(@changes) + pick(-86400, -7200, -3600, -1800, -1, 0, 1, 1799, 3600, 7200, 86400) if @changes && chance(0.5);
    return 1_800_000_000 + int(rand 400_000_000);
}

sub utc_text { my ($at, $mark) = @_; my @t = gmtime $at; return sprintf '%04d-%02d-%02dT%02d:%02d:%02d%s', $t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0], $mark // 'Z' }

sub written_time {
    my ($which) = @_;
    my $at = instant();
    my $roll = rand;
    return { text => utc_text($at), at => $at } if $roll < 0.25;
    return { text => utc_text($at + 3600 * 5 + 1800, '+05:30'), at => $at } if $roll < 0.35;
    my ($year, $month, $day, $hour, $minute, $second) = Redir307::NaiveConditions::local_time($zone, $at);
    # A local time, also one that the clock leaps over or shows twice.
    $hour = pick(0 .. 4) if chance(0.3);
    if ($roll < 0.6) { return { text => sprintf('%04d-%02d-%02dT%02d:%02d:%02d', $year, $month, $day, $hour, $minute, $second), local => [$year, $month, $day, $hour, $minute, $second] } }
    if ($roll < 0.8) { return { text => sprintf('%04d-%02d-%02dT%02d:%02d', $year, $month, $day, $hour, $minute), local => [$year, $month, $day, $hour, $minute, 0] } }
    # A day: its start in `from`, its end in `until`, which is the start of the next one.
    my $text = sprintf '%04d-%02d-%02d', $year, $month, $day;
    return { text => $text, local => [$year, $month, $day, 0, 0, 0] } if $which eq 'from';
    my @next = gmtime(Time::Local::timegm(0, 0, 0, $day, $month - 1, $year) + 86400);
    return { text => $text, local => [$next[5] + 1900, $next[4] + 1, $next[3], 0, 0, 0] };
}

sub instant_of_time { my ($time) = @_; return $time->{at} // Redir307::NaiveConditions::instant_of($zone, @{ $time->{local} }) }

sub time_clauses {
    my @clauses;
    if (chance(0.45)) {
        my ($from, $until) = (written_time('from'), written_time('until'));
        for (1 .. 4) { last if instant_of_time($from) < instant_of_time($until); ($from, $until) = (written_time('from'), written_time('until')) }
        push @clauses, ['from', $from] if chance(0.6);
        push @clauses, ['until', $until] if chance(0.6);
    }
    push @clauses, ['daily', pick('22:00-04:00', '08:00-18:00', '02:30-03:30', '00:00-24:00', '23:59:30-00:00:30', '01:00-02:00', '03:00-02:00', '12:00-24:00', '00:00-06:00')] if chance(0.3);
    push @clauses, ['weekly', pick('sat,sun', 'mon-fri', 'sun', 'fri-mon', 'sat', 'mon wed,thu', 'sun-sat')] if chance(0.25);
    return @clauses;
}

# ---- rules ----

sub condition {
    my $word = chance(0.7) ? 'when' : 'unless';
    my $kind = pick(qw(method scheme header header cookie cookie accept language query client env flag chance busy));
    my $equal = chance(0.6);
    return [$word, $kind, some(2, @METHODS)] if $kind eq 'method';
    return [$word, $kind, pick(qw(http https))] if $kind eq 'scheme';
    if ($kind eq 'header') {
        my $name = pick(@HEADERS);
        return [$word, $kind, $name, '~', pick(@REGEXES)] if chance(0.25);
        return [$word, $kind, $name, $equal ? ('=', some(2, @VALUES)) : ()];
    }
    return [$word, $kind, pick(qw(a b)), $equal ? ('=', some(2, qw(1 2 on), '')) : ()] if $kind eq 'cookie';
    return [$word, $kind, some(2, @TYPES)] if $kind eq 'accept';
    return [$word, $kind, some(2, @LANGUAGES)] if $kind eq 'language';
    return [$word, $kind, pick(qw(k l)), $equal ? ('=', some(2, qw(1 2), '')) : ()] if $kind eq 'query';
    return [$word, $kind, some(3, @NETWORKS)] if $kind eq 'client';
    return [$word, $kind, pick(qw(E F)), $equal ? ('=', some(2, qw(1 DE), '')) : ()] if $kind eq 'env';
    return [$word, $kind, some(2, qw(one two three))] if $kind eq 'flag';
    return [$word, $kind, pick(0.5, 10, 25, 50, 100) . '%'] if $kind eq 'chance';
    return [$word, $kind, pick(1, 10, 50, 80, 100) . '%'];
}

sub clauses {
    my ($depth) = @_;
    my @clauses = map { condition() } 1 .. pick(0, 0, 1, 1, 1, 2, 3);
    push @clauses, time_clauses() if chance(0.3);
    push @clauses, ['cache', @{ pick(['none'], ['default'], ['1h'], ['30s'], ['7d'], ['private', '10m'], ['2w']) }] if chance(0.3);
    push @clauses, ['vary', some(2, qw(X-Country Accept x-a X-Forwarded-For))] if chance(0.1);
    push @clauses, ['preflight', pick(qw(redirect pass))] if chance(0.1);
    push @clauses, ['status', pick(qw(found permanent see-other 301))] if $depth && chance(0.2);
    push @clauses, ['override'] if chance(0.04);
    return @clauses;
}

my @SOURCES = (
    { head => [[{ normal => 'p', written => 'p' }]], tail => 'none', slash => 0 },
    { head => [[{ normal => 'p', written => 'p' }]], tail => 'none', slash => 0 },
    { head => [[{ normal => 'p', written => 'p' }]], tail => 'subtree', star => '*', slash => 0 },
    { head => [[{ normal => 'p', written => 'p' }], [{ type => 'free', name => 'x' }]], tail => 'none', slash => 0 },
    { head => [[{ normal => 'p', written => 'p' }], [{ type => 'int', name => 'x' }]], tail => 'none', slash => 0 },
    { head => [[{ normal => 'q', written => 'q' }]], tail => 'none', slash => 0, query => [{ name => 'k', written => 'k', parts => [{ normal => '1', written => '1' }] }] },
    { head => [[{ normal => 'q', written => 'q' }]], tail => 'none', slash => 0 },
);
my @WORDS = ('temporary', 'permanent', 'found', 'moved', 'temporary auto', 'permanent auto', 'see-other', 307, 301);

sub pieces { return ['https://t.example/' . $target_number++] }

sub choice {
    my ($by) = @_;
    my @keys = $by eq 'accept' ? @TYPES : $by eq 'language' ? @LANGUAGES : $by eq 'method' ? qw(GET POST PUT DELETE) : $by eq 'cookie' ? qw(1 2 on) : @VALUES;
    my @lines;
    for (1 .. pick(1, 2, 2, 3)) {
        my %line = $by eq 'client' || $by eq 'chance' ? (keys => [], weight => pick(1, 1, 3, 70)) : (keys => [map { splice @keys, rand @keys, 1 } 1 .. pick(1, 1, 2)]);
        if (chance(0.15) && $by ne 'client') { $line{word} = pick(qw(gone 406 404)) } else { $line{pieces} = pieces(); $line{word} = pick('found', 308) if chance(0.2) }
        # A word in quotes right before a status would be the target.
        delete $line{word}, $line{pieces} = pieces() if !$line{pieces} && grep { /[ ,]/ } @{ $line{keys} };
        push @lines, \%line;
        last if @keys < 2;
    }
    if (chance(0.4) && $by ne 'client' && $by ne 'chance') {
        if (chance(0.5)) { $lines[-1]{otherwise} = 1 } else { push @lines, { keys => [], otherwise => 1, pieces => pieces() } }
    }
    return { kind => 'choice', by => $by, name => $by eq 'cookie' ? pick(qw(a b)) : $by eq 'header' ? pick(@HEADERS) : undef, lines => \@lines, word => pick(undef, 'see-other', 'permanent') };
}

sub rule {
    my $roll = rand;
    my $action = $roll < 0.08 ? { kind => 'pass' } : $roll < 0.14 ? { kind => 'status', word => pick(qw(gone 403 404 503)) }
        : $roll < 0.4 ? choice(pick(qw(accept accept language language header cookie method client chance)))
        : { kind => 'target', pieces => pieces(), word => pick(undef, undef, @WORDS) };
    # What is passed on has no answer of ours that a cache could keep.
    my @clauses = grep { $action->{kind} ne 'pass' || ($_->[0] ne 'cache' && $_->[0] ne 'preflight') } clauses(0);
    return { kind => 'rule', source => pick(@SOURCES), action => $action, clauses => \@clauses };
}

sub items {
    my ($count, $depth) = @_;
    my @items;
    while ($count > 0) {
        if ($depth < 3 && chance(0.25)) {
            my $inside = 1 + int rand $count;
            my @clauses = clauses($depth);
            push @items, { kind => 'group', name => 'g', clauses => \@clauses, items => items($inside, $depth + 1) };
            $count -= $inside;
        }
        else { push @items, rule(); $count-- }
    }
    return \@items;
}

sub generate_set {
    $target_number = 1;
    $zone = pick(@ZONES);
    return { zone => $zone, items => [{ kind => 'group', name => 'all', clauses => [['timezone', $zone]], items => items(4 + int rand 20, 1) }] };
}

# ---- text ----

sub word { my ($text) = @_; return $text eq '=' || $text eq '~' || $text eq '' ? "\"$text\"" : Redir307::RuleText::word($text) }

sub clause_text {
    my ($name, @words) = @{ $_[0] };
    return "$name $words[0]{text}" if ref $words[0];
    return join ' ', $name, @words if $name eq 'daily' || $name eq 'weekly';
    if (@words > 2 && ($words[2] eq '=' || $words[2] eq '~')) {
        my @values = $words[2] eq '~' ? "\"$words[3]\"" : map { word($_) } @words[3 .. $#words];
        return join ' ', $name, @words[0 .. 2], @values;
    }
    return join ' ', $name, map { word($_) } @words;
}

sub choice_text {
    my ($action) = @_;
    my @lines = map {
        my $line = $_;
        join ' ', defined $line->{weight} ? $line->{weight} : map({ word($_) } @{ $line->{keys} }), $line->{otherwise} ? 'otherwise' : (),
            $line->{pieces} ? $line->{pieces}[0] : (), $line->{word} // ();
    } @{ $action->{lines} };
    return join ' ', '-> by', $action->{by}, $action->{name} // (), '{ ' . join('; ', @lines) . ' }', $action->{word} // ();
}

sub lines_of {
    my ($items, $depth, $lines, $name) = @_;
    my $indent = '    ' x $depth;
    for my $item (@$items) {
        my @clauses = map { clause_text($_) } @{ $item->{clauses} };
        if ($item->{kind} eq 'group') {
            push @$lines, "${indent}group \"$item->{name}\" {", map { "$indent    $_" } @clauses;
            lines_of($item->{items}, $depth + 1, $lines, $name);
            push @$lines, "$indent}";
            next;
        }
        my $action = $item->{action};
        my @words = (Redir307::RuleText::source_text($item->{source}), $action->{kind} eq 'pass' ? 'pass' : $action->{kind} eq 'status' ? $action->{word}
            : $action->{kind} eq 'choice' ? choice_text($action) : ('->', $action->{pieces}[0], $action->{word} // ()));
        push @words, '{ ' . join('; ', @clauses) . ' }' if @clauses;
        push @$lines, $indent . join ' ', @words;
        $item->{line} = "$name:" . @$lines;
    }
    return;
}

# The rules as text; each rule item gets `line`.
sub condition_text {
    my ($set, $name) = @_;
    my @lines;
    lines_of($set->{items}, 0, \@lines, $name);
    return join '', map { "$_\n" } @lines;
}

# ---- requests ----

sub weight_text { return pick('', '', '', ';q=0.5', ';q=0', ';q=1', '; q=0.25', ';Q=0.9', ';q=0.125', ';q=1.000', ';q=2', ';q=x', ';q=0.1234', ';q=', ';level=1;q=0.4', ';x="a,b;c";q=0.3', ';q=0.001', ';q="0.5"') }

sub list_value {
    my ($stars, @from) = @_;
    my @elements;
    for (1 .. pick(0, 1, 1, 1, 2, 2, 3, 5)) {
        my $range = chance(0.15) ? pick(@$stars) : pick(@from);
        $range = uc $range if chance(0.1);
        push @elements, $range . weight_text();
    }
    push @elements, pick('', ' ', ';q=1', '=') if chance(0.08);
    return join pick(', ', ',', ' , '), @elements;
}

sub cookie_value {
    my @pairs = map { pick(qw(a b a b A c)) . pick('=1', '=2', '=on', '=', '="1"', '= 1', '=1=2', '', '="2, 1"', '="a;b=1"') } 1 .. pick(1, 1, 2, 3);
    return join pick('; ', ';', ', ', ','), @pairs;
}

sub generate_requests {
    my ($set, $count) = @_;
    $zone = $set->{zone};
    my @edges;
    my @todo = @{ $set->{items} };
    while (my $item = shift @todo) {
        push @edges, map { instant_of_time($_->[1]) } grep { $_->[0] eq 'from' || $_->[0] eq 'until' } @{ $item->{clauses} };
        push @todo, @{ $item->{items} // [] };
    }
    my @requests;
    for (1 .. $count) {
        my @headers;
        for my $name (@HEADERS[0, 1, 3]) {
            push @headers, { name => chance(0.1) ? uc $name : $name, value => pick(@VALUES, 'off', '', ' 1 ') } for 1 .. pick(0, 1, 1, 1, 2);
        }
        push @headers, { name => 'Accept', value => list_value(['*/*', 'text/*', 'application/*', '*'], @TYPES) } for 1 .. pick(0, 1, 1, 1, 2);
        push @headers, { name => 'Accept-Language', value => list_value(['*', 'de-AT', 'en-US-x'], @LANGUAGES) } for 1 .. pick(0, 1, 1, 1, 2);
        push @headers, { name => 'Cookie', value => cookie_value() } for 1 .. pick(0, 1, 1, 2);
        my $method = pick(qw(GET GET GET HEAD POST PUT DELETE OPTIONS));
        push @headers, { name => 'Origin', value => 'https://o.example' } if chance(0.4);
        push @headers, { name => 'Access-Control-Request-Method', value => 'PUT' } if $method eq 'OPTIONS' && chance(0.5);
        my $path = pick('/p', '/p', '/p', '/p/', '/p/7', '/p/x', '/p/x/y', '/q', '/q');
        my @query = map { pick('k=1', 'k=2', 'l=1', 'l', 'k', 'l=2', 'm=1', '%6b=1') } 1 .. pick(0, 0, 1, 2);
        push @requests, {
            method => $method, url => pick('http', 'http', 'https') . "://h.example$path" . (@query ? '?' . join '&', @query : ''), headers => \@headers,
            env => { map { $_ => pick('1', 'DE', 'FR', '') } grep { chance(0.6) } qw(E F) }, flags => [grep { chance(0.5) } qw(one two three)],
            client => pick(@CLIENTS), at => (@edges && chance(0.5) ? pick(@edges) + pick(-3600, -1, 0, 0, 1, 1800, -20) : instant()), chance => pick(@SHARES, 7.5, 33), busy => pick(0, 9, 10, 50, 79, 80, 100),
        };
    }
    return \@requests;
}

1;
