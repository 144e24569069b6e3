# SPDX-License-Identifier: Apache-2.0
# Small rule sets over few segments, made so that targets meet sources, and all requests up to a length: what goes
# round is found by asking for everything. The structure is that of Redir307::Naive; conditions on what no URL says (a
# cookie, a flag, the time) are resolved beforehand, one world after the other.
package Redir307::GenerateLoops;
use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(generate_set worlds set_in_world requests is_named);

sub pick { return $_[rand @_] }
sub chance { return rand() < $_[0] }

my @SEGMENTS = qw(a b 1);
# What some features need besides.
my %MORE = (transforms => ['A', 'a_b'], escapes => ['%20']);
# Behind a literal prefix and "/": a regex and its captures. The last two are not looked into by any proof.
my @PATH_REGEXES = (['([ab1]+)$', ['1']], ['(.*)$', ['1']], ['(.*)/b$', ['1']], ['([^/]+)/([^/]+)/?$', ['1', '2']], ['(?<x>a|b)(?:/.*)?$', ['x']],
    ['(?:a|b)/(.*)$', ['1']], ['([^/]*)1$', ['1']], ['(?!b)(.+)$', ['1']], ['(.*\\b1)$', ['1']]);
my @SEGMENT_REGEXES = ('[ab]', '[a-z]+', '(?:a|1)b?', '\\d', '.*1', '[^a].*');
my @HOSTS = ({ kind => 'exact', name => 'g.test' }, { kind => 'exact', name => 'h.test' }, { kind => 'exact', name => 'a.h.test' },
    { kind => 'exact', name => 'h.test', port => 8080 }, { kind => 'below', name => 'h.test' }, { kind => 'below', name => 'test' },
    { kind => 'domain', name => 'h.test' }, { kind => 'below', name => 'h.test', port => 8080 },
    { kind => 'exact', name => 'test', set => { name => 'hl', members => ['g', 'h'] } }, { kind => 'any' });
my @segments; # of the set at hand
# Local times of a week in which the windows below begin, hold and end.
my @TIMES = map { { day => $_->[0], clock => $_->[1] } } ([0, 3], [0, 5], [0, 12], [0, 23], [5, 3], [5, 5], [5, 12], [6, 2]);
my @WINDOWS = (['daily', '00:00-12:00', 0, 12], ['daily', '12:00-24:00', 12, 24], ['daily', '22:00-04:00', 22, 4],
    ['weekly', 'sat,sun'], ['weekly', 'mon-fri']);

sub literal { my ($text) = @_; return { normal => $text, written => $text } }

my @names;
sub placeholder {
    my ($type) = @_;
    my %part = (type => $type, name => shift @names);
    $part{members} = chance(0.5) ? ['a', 'b'] : ['b', '1'] if $type eq 'set';
    return \%part;
}

sub segment {
    my $roll = rand;
    my ($features) = @_;
    if ($features->{regexes} && chance(0.2)) {
        my $regex = { type => 'regex', name => shift @names, regex => pick(@SEGMENT_REGEXES) };
        return chance(0.7) ? [$regex] : chance(0.5) ? [literal('a'), $regex] : [$regex, literal('b')];
    }
    return [placeholder('free'), literal('0')] if $features->{escapes} && chance(0.15);
    return [literal(pick(@segments))] if $roll < 0.5;
    return [placeholder('free')] if $roll < 0.75;
    return [placeholder(pick('int', 'set', 'slug'))] if $roll < 0.9;
    return chance(0.5) ? [literal('a'), placeholder(pick('free', 'int'))] : [placeholder('free'), literal('b')];
}

sub source {
    my ($features) = @_;
    @names = qw(x y z w);
    if ($features->{regexes} && chance(0.3) && !$features->{stages}) {
        my ($regex, $own) = @{ pick(@PATH_REGEXES) };
        my @prefix = map { pick(@SEGMENTS) } 1 .. pick(0, 1, 1);
        return { regex => '^' . join('', map { "/$_" } @prefix) . "/$regex", prefix => \@prefix, names => $own, head => [], tail => 'none' };
    }
    my @counts = $features->{stages} ? (0, 0, 1, 1) : (0, 1, 1, 1, 2, 2);
    my %source = (head => [map { segment($features) } 1 .. pick(@counts)], tail => 'none', slash => 0);
    my $roll = rand;
    if ($roll < 0.35 || !@{ $source{head} }) { @source{qw(tail star)} = ('subtree', '*') }
    elsif ($roll < 0.42) { @source{qw(tail star)} = ('many', shift @names) }
    elsif ($roll < 0.48) { @source{qw(tail star suffix)} = ('many', '*', literal('.t')) }
    elsif ($roll < 0.54) { @source{qw(tail star)} = ('many', shift @names); $source{rest} = [[literal(pick(@segments))]] }
    elsif ($roll < 0.60) { @source{qw(tail star)} = ('below', '*'); $source{head}[-1] = [literal(pick(@segments))] }
    elsif ($roll < 0.66) { $source{slash} = 1 }
    if ($features->{query} && chance(0.4) && $source{tail} eq 'none') {
        my $name = pick('k', 'l');
        my %parameter = (name => $name, written => $name);
        my $what = rand;
        if ($what < 0.4) { $parameter{any} = 1 }
        elsif ($what < 0.8) { $parameter{parts} = [literal(pick('1', '2'))] }
        else { $parameter{parts} = [placeholder('free')]; $parameter{parts}[0]{type} = 'value' }
        $source{query} = [\%parameter];
    }
    return \%source;
}

# Texts side by side are one.
sub glue {
    my @glued;
    for (@_) {
        if (!ref && @glued && !ref $glued[-1]) { $glued[-1] .= $_ } else { push @glued, $_ }
    }
    return \@glued;
}

sub target {
    my ($features, $source) = @_;
    my @free = map { $_->{name} } grep { defined $_->{name} } map { @$_ } @{ $source->{head} };
    push @free, @{ $source->{names} } if $source->{regex};
    push @free, $source->{star} if $source->{tail} eq 'many' && $source->{star} ne '*';
    my $has_star = ($source->{star} // '') eq '*';
    my @pieces = $features->{hosts} && chance(0.35) ? pick('http://', 'https://') . pick(qw(g.test h.test other.test)) : ();
    for (1 .. pick(0, 1, 1, 2, 2)) {
        push @pieces, '/';
        my $name = pick(@free);
        $name .= '|' . pick(qw(lower upper dashes)) if @free && $features->{transforms} && chance(0.5);
        if (@free && chance(0.55)) { push @pieces, chance(0.1) ? 'a' : '', \"$name", $features->{odd} && chance(0.15) ? pick('b', '.t') : '' }
        else { push @pieces, pick(@segments) }
    }
    if ($features->{wholes} && chance(0.3)) {
        my $whole = 'path' . ($features->{transforms} && chance(0.3) ? '|' . pick(qw(lower upper dashes)) : '');
        @pieces = (grep({ !ref && m{//} } @pieces), chance(0.5) ? '/' . pick(@segments) : (), \$whole);
        push @pieces, chance(0.5) ? '/' . pick(@segments) : '' if chance(0.3);
        push @pieces, '?', \'query' if chance(0.2);
        return glue(grep { ref || $_ ne '' } @pieces);
    }
    if ($has_star && chance(0.75)) { push @pieces, '/', \'*'; push @pieces, '.t' if $source->{suffix} && chance(0.5) }
    elsif (!grep { !ref && m{/} && !m{//} } @pieces) { push @pieces, '/' }
    elsif (chance(0.1)) { push @pieces, '/' }
    push @pieces, '?', pick('k', 'l'), '=', pick('1', '2', @free ? \"$free[0]" : '1') if $features->{query} && chance(0.4);
    return glue(grep { ref || $_ ne '' } @pieces);
}

# From one stage to the next: chains, and few loops.
sub staged {
    my ($features, $source, $pieces) = @_;
    my $stage = int rand @SEGMENTS;
    unshift @{ $source->{head} }, [literal($SEGMENTS[$stage])];
    my $next = '/' . ($SEGMENTS[$stage + 1] // 'end');
    return glue(!ref $pieces->[0] && $pieces->[0] =~ m{^(https?://[^/]+)(.*)}s ? ($1, $next, $2, @$pieces[1 .. $#$pieces]) : ($next, @$pieces));
}

sub rule {
    my ($features, $site) = @_;
    my $source = source($features);
    my @clauses;
    push @clauses, ['case', 'ignore'] if $features->{odd} && chance(0.1);
    push @clauses, ['slash', 'exact'] if $features->{odd} && chance(0.15) && $source->{tail} eq 'none';
    push @clauses, ['query', @{ pick(['drop'], ['only', 'k'], ['except', 'k']) }] if $features->{query} && chance(0.3);
    push @clauses, [pick('when', 'unless'), 'method', pick('GET', 'POST')] if $features->{methods} && chance(0.4);
    push @clauses, [pick('when', 'unless'), 'scheme', pick('http', 'https')] if $features->{schemes} && chance(0.4);
    push @clauses, [pick('when', 'unless'), 'query', pick('k', 'l')] if $features->{query} && chance(0.2);
    push @clauses, [pick('when', 'unless'), 'cookie', 'c'] if $features->{cookie} && chance(0.5);
    push @clauses, [pick('when', 'unless'), 'flag', pick('f', 'g')] if $features->{flags} && chance(0.5);
    if ($features->{times} && chance(0.6)) { push @clauses, [@{ pick(@WINDOWS) }[0, 1]] }
    push @clauses, ['override'] if ($features->{odd} && chance(0.07)) || ($features->{families} && chance(0.2));
    my $action = chance(0.07) ? { kind => 'pass' } : chance(0.04) ? { kind => 'status', word => 'gone' }
        : { kind => 'target', pieces => target($features, $source), word => pick(undef, undef, $features->{stages} ? (undef) x 4 : (), 'found', 'see-other', 'permanent') };
    $action->{pieces} = staged($features, $source, $action->{pieces}) if $features->{stages} && $action->{kind} eq 'target';
    if ($features->{schemes} && $site && chance(0.25)) {
        $action = { kind => 'https' };
        @clauses = (['when', 'scheme', 'http'], grep { ($_->[1] // '') ne 'scheme' } @clauses);
    }
    @clauses = grep { $_->[0] ne 'query' } @clauses if $action->{kind} ne 'target';
    return { kind => 'rule', source => $source, action => $action, clauses => \@clauses };
}

# `stages`: targets lead on to other sources, and seldom back.
sub generate_set {
    my ($stages) = @_;
    my %features = map { $_ => chance($stages ? 0.1 : 0.2) } qw(query methods schemes cookie flags times odd regexes transforms escapes wholes);
    $features{stages} = $stages;
    $features{hosts} = chance(0.25) || $features{schemes};
    $features{families} = $features{hosts} && chance(0.4);
    @segments = (@SEGMENTS, map { @{ $MORE{$_} } } grep { $features{$_} } sort keys %MORE);
    my @items;
    my $count = 1 + int rand 5;
    if ($features{families}) {
        for (1 .. pick(2, 2, 3)) {
            my @pool = @HOSTS;
            my @hosts = map { { %{ splice @pool, rand @pool, 1 } } } 1 .. pick(1, 1, 2, 3);
            @hosts = grep { !$_->{set} } @hosts if @hosts > 1;
            my $may_https = !grep { $_->{kind} eq 'any' } @hosts;
            push @items, { kind => 'site', clauses => [], hosts => \@hosts, items => [map { rule(\%features, $may_https) } 1 .. pick(1, 2, 3)] } if @hosts;
        }
        $count = pick(0, 0, 1);
    }
    elsif ($features{hosts}) {
        my @sites = ([pick('g.test', 'h.test')], ['g.test'], ['h.test'], ['g.test', 'h.test']);
        push @items, { kind => 'site', clauses => [], hosts => [map { { kind => 'exact', name => $_ } } @{ pick(@sites) }],
            items => [map { rule(\%features, 1) } 1 .. pick(1, 2)] } for 1 .. pick(1, 2);
        $count = pick(0, 0, 1, 2);
    }
    push @items, map { rule(\%features, 0) } 1 .. $count;
    # A zone for all windows.
    @items = ({ kind => 'group', name => 'all', clauses => [['timezone', 'Europe/Berlin']], items => [@items] }) if $features{times} && !$features{hosts};
    if ($features{times}) { for (grep { $_->{kind} eq 'site' } @items) { push @{ $_->{clauses} }, ['timezone', 'Europe/Berlin'] } }
    if ($features{times} && $features{hosts}) { for (grep { $_->{kind} eq 'rule' } @items) { push @{ $_->{clauses} }, ['timezone', 'Europe/Berlin'] } }
    return { items => \@items, features => \%features };
}

# True where a site names the host, or a domain above it.
sub is_named {
    my ($items, $host) = @_;
    (my $name = $host) =~ s/:.*//;
    for my $item (@$items) {
        return 1 if $item->{items} && is_named($item->{items}, $host);
        for my $own (@{ $item->{hosts} // [] }) {
            return 1 if $own->{set} && grep { $name eq "$_.$own->{name}" } @{ $own->{set}{members} };
            return 1 if $own->{kind} =~ /^(?:exact|domain)$/ && !$own->{set} && $name eq $own->{name};
            return 1 if $own->{kind} =~ /^(?:below|domain)$/ && $name =~ /[^.]\.\Q$own->{name}\E$/;
        }
    }
    return 0;
}

# ---- worlds: what does not change along a walk ----

sub worlds {
    my ($features) = @_;
    my @worlds = ({});
    @worlds = map { my $world = $_; map { { %$world, cookie => $_ } } 0, 1 } @worlds if $features->{cookie};
    @worlds = map { my $world = $_; map { { %$world, flags => $_ } } '', 'f', 'g', 'fg' } @worlds if $features->{flags};
    @worlds = map { my $world = $_; map { { %$world, time => $_ } } @TIMES } @worlds if $features->{times};
    return @worlds;
}

sub window_holds {
    my ($clauses, $time) = @_;
    my ($daily) = grep { $_->[0] eq 'daily' } @$clauses;
    my ($weekly) = grep { $_->[0] eq 'weekly' } @$clauses;
    if ($daily) {
        my ($window) = grep { $_->[1] eq $daily->[1] } @WINDOWS;
        my ($from, $to) = @$window[2, 3];
        return $from < $to ? $time->{clock} >= $from && $time->{clock} < $to : $time->{clock} >= $from || $time->{clock} < $to;
    }
    return 1 if !$weekly;
    my $is_weekend = $time->{day} >= 5;
    return $weekly->[1] eq 'sat,sun' ? $is_weekend : !$is_weekend;
}

sub holds_in_world {
    my ($item, $world) = @_;
    for (@{ $item->{clauses} }) {
        my ($word, $kind, $name) = @$_;
        next if $word ne 'when' && $word ne 'unless';
        my $is_so = $kind eq 'cookie' ? $world->{cookie} : $kind eq 'flag' ? $world->{flags} =~ /$name/ : next;
        return 0 if $word eq 'when' ? !$is_so : $is_so;
    }
    return !$world->{time} || window_holds($item->{clauses}, $world->{time});
}

# The items as they are there.
sub set_in_world {
    my ($items, $world) = @_;
    return [map { {
        %$_, $_->{items} ? (items => set_in_world($_->{items}, $world)) : (),
        clauses => [grep { $_->[0] !~ /^(?:daily|weekly|timezone)$/ && ($_->[1] // '') !~ /^(?:cookie|flag)$/ } @{ $_->{clauses} }],
    } } grep { $_->{kind} ne 'rule' || holds_in_world($_, $world) } @$items];
}

# ---- requests: METHOD URL ----

sub requests {
    my ($features) = @_;
    my @words = (@SEGMENTS, 'a1', 'ab', $features->{odd} ? ('A', 'b.t') : 'b.t');
    push @words, $features->{odd} ? 'a_b' : ('A', 'a_b') if $features->{transforms};
    push @words, '%20', 'a0' if $features->{escapes};
    my @paths = ('/');
    my @longest = ('');
    for my $length (1 .. 3) {
        @longest = map { my $path = $_; map { "$path/$_" } $length < 3 ? @words : @SEGMENTS } @longest;
        push @paths, @longest;
    }
    push @paths, map { "$_/" } grep { length $_ < 5 && $_ ne '/' } @paths;
    @paths = map { my $path = $_; map { "$path$_" } '', '?k=1', '?k=2', '?l=1', '?k=1&l=2' } grep { length $_ < 5 } @paths if $features->{query};
    my @hosts = $features->{families} ? map { "http://$_" } qw(g.test h.test a.h.test h.test:8080 a.h.test:8080 any.test test) : ('http://g.test', 'http://h.test');
    push @hosts, 'https://g.test', 'https://h.test' if $features->{schemes};
    @paths = map { my $path = $_; map { "$_$path" } @hosts }
        grep { length $_ < ($features->{schemes} || $features->{query} ? 9 : 7) - ($features->{families} ? 1 : 0) } @paths if $features->{hosts};
    @paths = map { "http://any.test$_" } @paths if !$features->{hosts};
    return map { my $path = $_; map { "$_ $path" } 'GET', $features->{methods} ? 'POST' : () } @paths;
}

1;
