# SPDX-License-Identifier: Apache-2.0
# Small rule sets over few segments, made so that targets meet sources, and all requests up to a length: what goes
# round is found by asking for everything. The structure is that of Redir307::Naive; conditions on what no URL says (a
# cookie, a flag, the time) are resolved beforehand, one world after the other.
package Redir307::GenerateLoops;
use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(generate_set worlds set_in_world requests);

sub pick { return $_[rand @_] }
sub chance { return rand() < $_[0] }

my @SEGMENTS = qw(a b 1);
# Local times of a week in which the windows below begin, hold and end.
my @TIMES = map { { day => $_->[0], clock => $_->[1] } } ([0, 3], [0, 12], [0, 23], [5, 3], [5, 12], [6, 2]);
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
    return [literal(pick(@SEGMENTS))] if $roll < 0.5;
    return [placeholder('free')] if $roll < 0.75;
    return [placeholder(pick('int', 'set', 'slug'))] if $roll < 0.9;
    return chance(0.5) ? [literal('a'), placeholder(pick('free', 'int'))] : [placeholder('free'), literal('b')];
}

sub source {
    my ($features) = @_;
    @names = qw(x y z w);
    my @counts = $features->{stages} ? (0, 0, 1, 1) : (0, 1, 1, 1, 2, 2);
    my %source = (head => [map { segment() } 1 .. pick(@counts)], tail => 'none', slash => 0);
    my $roll = rand;
    if ($roll < 0.35 || !@{ $source{head} }) { @source{qw(tail star)} = ('subtree', '*') }
    elsif ($roll < 0.42) { @source{qw(tail star)} = ('many', shift @names) }
    elsif ($roll < 0.48) { @source{qw(tail star suffix)} = ('many', '*', literal('.t')) }
    elsif ($roll < 0.54) { @source{qw(tail star)} = ('many', shift @names); $source{rest} = [[literal(pick(@SEGMENTS))]] }
    elsif ($roll < 0.60) { @source{qw(tail star)} = ('below', '*'); $source{head}[-1] = [literal(pick(@SEGMENTS))] }
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
    push @free, $source->{star} if $source->{tail} eq 'many' && $source->{star} ne '*';
    my $has_star = ($source->{star} // '') eq '*';
    my @pieces = $features->{hosts} && chance(0.35) ? pick('http://', 'https://') . pick(qw(g.test h.test other.test)) : ();
    for (1 .. pick(0, 1, 1, 2, 2)) {
        push @pieces, '/';
        my $name = pick(@free);
        if (@free && chance(0.55)) { push @pieces, chance(0.1) ? 'a' : '', \"$name", $features->{odd} && chance(0.15) ? pick('b', '.t') : '' }
        else { push @pieces, pick(@SEGMENTS) }
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
    push @clauses, ['override'] if $features->{odd} && chance(0.07);
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
    my %features = map { $_ => chance($stages ? 0.1 : 0.2) } qw(query methods schemes cookie flags times odd);
    $features{stages} = $stages;
    $features{hosts} = chance(0.25) || $features{schemes};
    my @items;
    my $count = 1 + int rand 5;
    if ($features{hosts}) {
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
    my @paths = ('/');
    my @longest = ('');
    for my $length (1 .. 3) {
        @longest = map { my $path = $_; map { "$path/$_" } $length < 3 ? @words : @SEGMENTS } @longest;
        push @paths, @longest;
    }
    push @paths, map { "$_/" } grep { length $_ < 5 && $_ ne '/' } @paths;
    @paths = map { my $path = $_; map { "$path$_" } '', '?k=1', '?k=2', '?l=1', '?k=1&l=2' } grep { length $_ < 5 } @paths if $features->{query};
    @paths = map { my $path = $_; map { "$_$path" } 'http://g.test', 'http://h.test', $features->{schemes} ? ('https://g.test', 'https://h.test') : () }
        grep { length $_ < ($features->{schemes} || $features->{query} ? 9 : 7) } @paths if $features->{hosts};
    @paths = map { "http://any.test$_" } @paths if !$features->{hosts};
    return map { my $path = $_; map { "$_ $path" } 'GET', $features->{methods} ? 'POST' : () } @paths;
}

1;
