# SPDX-License-Identifier: Apache-2.0
# Random rule sets and requests for the naive matcher (structure: Redir307::Naive). Alphabets are small so that rules
# meet each other, and most requests are made from a rule and then changed a little, so that ranks, folding and
# conditions decide. The same seed gives the same sets.
package Redir307::Generate;
use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(generate_set generate_requests all_rules drop_rules);

sub pick { return $_[rand @_] }
sub chance { return rand() < $_[0] }

# [normal form, ways to write it...]
my @LITERALS = (
    (map { [$_, $_] } qw(a b a b ab 1 12 1.0 1.2.3 a_B en de f.ttl a-b a.html 2024-01-05 v1 1-2)),
    ['a', '%61'], ['A', 'A'], ['B', '%42'], ['EN', 'EN'], ['~', '%7E', '~'], ['*', '%2A', '%2a'], ['a+b', 'a+b', 'a%2Bb'],
    ['%C3%A9', '%C3%A9', '%c3%a9', "\xc3\xa9"], ['a%20b', 'a%20b', 'a b'], ['%7Bx%7D', '%7Bx%7D', '%7bx%7d'],
    ['a%2Fb', 'a%2Fb', 'a%2fb'], ['%3F', '%3F', '%3f'], ['a;b', 'a;b', 'a%3Bb'], ['%20', '%20'], ['%25', '%25'],
    ['0a1b2c3d-0000-1111-2222-abcdefABCDEF', '0a1b2c3d-0000-1111-2222-abcdefABCDEF'],
);
my @FIXED = ((map { [$_, $_] } qw(v - . a 1 b- .html item- 1. _ .a 0 - . v)), ['%C3%A9', '%C3%A9', "\xc3\xa9"], ['*', '%2A'], ['A', 'A']);
my %SAMPLES = (
    free => [qw(a b ab 1 12 x.y en A_b a-b a%20b %C3%A9 %2F . .. 1.2 A c %25 a%26b %20 f.ttl 0 =)],
    int => [qw(1 12 0 007 1 2)], hex => [qw(1 ab AB 0f 12)], slug => [qw(a a-b 1 x-1 en -)],
    uuid => [qw(0a1b2c3d-0000-1111-2222-abcdefABCDEF 00000000-0000-0000-0000-000000000000)],
    date => [qw(2024-01-05 1999-12-31)], version => [qw(1.2 1.2.3 1.0 10.20)],
);
my @TYPES = qw(int int hex slug uuid date version);
# Regexes over a segment, and what they take.
my @SEGMENT_REGEXES = ('[a-z]{2}', '[A-Za-z_]+', '\\d{1,3}', '(?:en|de)x?', 'v\\d+', '[^%]*b');
# Behind a literal prefix and "/": the regex, its captures, what it takes.
my @PATH_REGEXES = (
    ['(?<id>\\d+)$', ['id'], [qw(1 12 007)]], ['([a-z]+)/?$', ['1'], [qw(a b ab ab/ en)]], ['(.*)/b$', ['1'], [qw(a/b 1/2/b %20/b /b)]],
    ['v(\\d+)\\.(\\d+)$', ['1', '2'], [qw(v1.2 v10.0)]], ['(?<a>[^/]+)/(?<c>[^/]+)/?$', ['a', 'c'], [qw(a/b a/b/ 1/en x.y/1)]], ['.*\\.ttl$', [], [qw(f.ttl a/f.ttl)]],
    ['([^/]*)1', ['1'], [qw(1 a1b 12 a/1)]],
);
# Names and values of parameters: [decoded, ways to write it...]
my @NAMES = (['k', 'k', '%6B'], ['id', 'id', 'i%64'], ['l', 'l'], ['K', 'K'], ['a b', 'a%20b', 'a+b'], ["\xc3\xa9", '%C3%A9', "\xc3\xa9"],
    ['utm_x', 'utm_x']);
my @VALUES = (['1', '1', '%31'], ['7', '7'], ['en', 'en', 'e%6E'], ['a b', 'a%20b', 'a+b'], ['a&b', 'a%26b'], ["\xc3\xa9", '%C3%A9', "\xc3\xa9"], ['A', 'A'],
    ['a/b', 'a/b', 'a%2Fb'], ['x=y', 'x=y', 'x%3Dy'], ['*', '%2A'], ['12', '12'], ['+', '%2B']);
my @QUERY_SAMPLES = (@VALUES, ['', ''], ['..', '..', '%2E%2E'], ['.', '.'], ["\xff", '%FF'], ['100%', '100%25', '100%'], ['a?b', 'a?b'], ['#', '%23'], ['"', '%22', '"'], ['\\', '%5C']);

my @HOSTS = (
    { kind => 'exact', name => 'h.test' }, { kind => 'exact', name => 'h.test', written => 'H.Test.' }, { kind => 'exact', name => 'a.h.test' },
    { kind => 'exact', name => 'b.a.h.test' }, { kind => 'exact', name => 'k.test' }, { kind => 'exact', name => 'h.test', port => 8080 },
    { kind => 'exact', name => 'a.h.test', port => 443 }, { kind => 'exact', name => 'k.test', port => 80 },
    { kind => 'below', name => 'h.test' }, { kind => 'below', name => 'a.h.test' }, { kind => 'below', name => 'test' },
    { kind => 'domain', name => 'h.test' }, { kind => 'domain', name => 'a.h.test' }, { kind => 'below', name => 'h.test', port => 8080 },
    { kind => 'exact', name => 'h.test', set => { name => 'hl', members => ['en', 'a'] } },
    { kind => 'exact', name => 'xn--bcher-kva.test', written => "b\xc3\xbccher.test" }, { kind => 'exact', name => '::1' },
);
my @REQUEST_HOSTS = qw(h.test h.test a.h.test a.h.test b.a.h.test en.h.test k.test c.b.a.h.test x.test other.example test xh.test xn--bcher-kva.test [::1]);

my @STATUS_WORDS = ('temporary', 'permanent', 'found', 'moved', 'temporary auto', 'permanent auto', 'see-other', qw(301 302 303 307 308));
my @CODES = (qw(403 404 406 410 451 503), 'gone', 'gone', 'unavailable-for-legal-reasons');
my @METHODS = qw(GET GET GET GET HEAD POST PUT OPTIONS DELETE get);

my @free_names;
sub new_name { return shift @free_names }

sub literal { my ($normal, @written) = @{ pick(@_) }; return { normal => $normal, written => pick(@written) } }

sub placeholder {
    my ($type) = @_;
    my %part = (type => $type, name => chance(0.15) && $type eq 'free' ? undef : new_name());
    $part{members} = chance(0.5) ? ['en', 'de'] : chance(0.5) ? ['a', 'ab', '12'] : ['f.ttl', 'a-b', '1.2', 'A'] if $type eq 'set';
    return \%part;
}

sub generate_segment {
    my $roll = rand;
    return [literal(@LITERALS)] if $roll < 0.40;
    # Beside a regex only fixed text stands in its segment.
    if ($roll > 0.5 && $roll < 0.54) {
        my $regex = { type => 'regex', name => new_name(), regex => pick(@SEGMENT_REGEXES) };
        return chance(0.6) ? [$regex] : chance(0.5) ? [literal(@FIXED), $regex] : [$regex, literal(@FIXED)];
    }
    return [placeholder('free')] if $roll < 0.58;
    return [placeholder(pick(@TYPES))] if $roll < 0.72;
    return [placeholder('set')] if $roll < 0.80;
    my $any = sub { placeholder(chance(0.5) ? 'free' : chance(0.3) ? 'set' : pick(@TYPES)) };
    return [literal(@FIXED), $any->()] if $roll < 0.86;
    return [$any->(), literal(@FIXED)] if $roll < 0.91;
    return [literal(@FIXED), $any->(), literal(@FIXED)] if $roll < 0.94;
    return [$any->(), literal(@FIXED), $any->()] if $roll < 0.99;
    return [$any->(), literal(@FIXED), $any->(), literal(@FIXED), $any->()];
}

sub generate_query {
    my @names = @NAMES;
    my @parameters;
    for (1 .. pick(1, 1, 1, 2, 2, 3)) {
        my ($name, @written) = @{ splice @names, rand(@names < 4 ? @names : 4), 1 };
        my %parameter = (name => $name, written => pick(@written));
        my $roll = rand;
        if ($roll < 0.2) { $parameter{any} = 1 }
        elsif ($roll < 0.3) { $parameter{parts} = [] }
        elsif ($roll < 0.6) { $parameter{parts} = [literal(@VALUES)] }
        elsif ($roll < 0.75) { $parameter{parts} = [placeholder('free')]; $parameter{parts}[0]{type} = 'value' }
        elsif ($roll < 0.85) { $parameter{parts} = [placeholder(pick(@TYPES))] }
        elsif ($roll < 0.92) { $parameter{parts} = [placeholder('set')] }
        else { $parameter{parts} = [literal(['v', 'v'], ['1', '1'], ['a ', 'a%20', 'a+']), placeholder(pick('free', 'int', 'slug'))] }
        push @parameters, \%parameter;
    }
    return \@parameters;
}

sub generate_source {
    my ($stems) = @_;
    if (chance(0.05)) {
        my @prefix = map { $_->[0]{normal} } @{ pick(@$stems) };
        push @prefix, pick(qw(a b x)) if chance(0.4);
        if (!grep { !/^[a-z0-9]+$/i } @prefix) {
            my ($regex, $names, $samples) = @{ pick(@PATH_REGEXES) };
            return { regex => '^' . join('', map { "/$_" } @prefix) . "/$regex", prefix => \@prefix, names => $names, samples => $samples, head => [], tail => 'none' };
        }
    }
    my %source = (head => [map { [{ %{ $_->[0] } }] } @{ pick(@$stems) }], tail => 'none', slash => 0);
    push @{ $source{head} }, generate_segment() for 1 .. pick(0, 1, 1, 1, 1, 2, 2, 3);
    my $roll = rand;
    if ($roll < 0.55) { $source{slash} = chance(0.25) || !@{ $source{head} } ? 1 : 0 }
    elsif ($roll < 0.75) { @source{qw(tail star)} = ('subtree', '*') }
    elsif ($roll < 0.81) {
        @source{qw(tail star)} = ('below', '*');
        push @{ $source{head} }, chance(0.75) ? [literal(map { [$_, $_] } qw(1. v a 1 f.))] : [literal(['v', 'v'], ['', '']), placeholder('int'), literal(['.', '.'])];
        @{ $source{head}[-1] } = grep { !exists $_->{normal} || $_->{normal} ne '' } @{ $source{head}[-1] };
    }
    elsif ($roll < 0.89) {
        @source{qw(tail star)} = ('many', chance(0.5) ? '*' : new_name());
        $source{suffix} = literal(map { [$_, $_] } qw(.ttl .html ttl l 0));
    }
    else {
        @source{qw(tail star)} = ('many', new_name());
        if (chance(0.55)) {
            $source{rest} = [map { chance(0.8) ? [literal(@LITERALS[0 .. 9])] : generate_segment() } 1 .. pick(1, 1, 1, 2)];
            $source{slash} = chance(0.2) ? 1 : 0;
        }
    }
    $source{query} = generate_query() if chance(0.3);
    return \%source;
}

# Names that a target may use: of the path, of the query.
sub source_names {
    my ($source) = @_;
    return ($source->{names}, []) if $source->{regex};
    my @path = map { exists $_->{normal} ? () : $_->{name} // () } map { @$_ } @{ $source->{head} }, @{ $source->{rest} // [] };
    push @path, $source->{star} if $source->{tail} ne 'none';
    my @query = map { $_->{name} // () } grep { !exists $_->{normal} } map { @{ $_->{parts} // [] } } @{ $source->{query} // [] };
    return (\@path, \@query);
}

sub glue { my @pieces; for (@_) { if (!ref && @pieces && !ref $pieces[-1]) { $pieces[-1] .= $_ } else { push @pieces, $_ } } return \@pieces }

# `hosts`: of the rule's site; `lets`: names of constants in scope.
sub generate_target {
    my ($source, $hosts, $lets) = @_;
    my ($path_names, $query_names) = source_names($source);
    my @names = (@$path_names, @$path_names, @$query_names);
    my ($set) = map { $_->{set} ? $_->{set}{name} : () } @$hosts;
    my $all_have_set = $set && !grep { !$_->{set} } @$hosts;
    push @names, $set if $all_have_set;
    my @usable = grep { $_ ne '*' } @names;
    my $has_star = grep { $_ eq '*' } @$path_names;
    my $names_hosts = !grep { $_->{kind} eq 'any' } @$hosts;
    my @pieces;
    my $roll = rand;
    if ($roll < 0.45) { push @pieces, pick('/t', '/t', '/tt/t', '') }
    elsif ($roll < 0.8) { push @pieces, pick('https://t.example', 'http://t.example:81', 'https://t.example/x') }
    elsif ($roll < 0.87 && @$lets) { push @pieces, \(my $let = pick(@$lets)) }
    elsif ($roll < 0.92 && $names_hosts) { push @pieces, 'https://www.', \(my $host = 'host'), '.example' }
    elsif ($roll < 0.95 && $all_have_set) { push @pieces, 'https://', \(my $member = $set), '.example' }
    else { push @pieces, '/t' }
    if (chance(0.06) && $pieces[-1] ne '') { push @pieces, \(my $path = 'path') }
    else {
        for (1 .. pick(0, 1, 1, 2, 2, 3)) {
            push @pieces, '/';
            my $what = rand;
            if ($what < 0.4 || !@usable) { push @pieces, pick(qw(b c d.html %C3%A9 a%20b a;b), "\xc3\xa9", "b'") }
            elsif ($what < 0.72) { push @pieces, \(my $name = pick(@usable)) }
            elsif ($what < 0.8) { push @pieces, \(my $name = pick(@usable) . pick(qw(|lower |upper |dashes |dashes|lower |upper|dashes))) }
            elsif ($what < 0.95) { push @pieces, pick('p-', 'v'), \(my $name = pick(@usable)), pick('', '.html', '-x') }
            else { push @pieces, \(my $name = pick(qw(host scheme))) }
        }
        if ($has_star && chance(0.8)) { push @pieces, pick('/', '/', '/', '/b', '/b-'), \(my $star = '*'); push @pieces, '.x' if chance(0.1) }
        elsif (chance(0.2) || $pieces[0] eq '') { push @pieces, '/' }
    }
    if (chance(0.25)) {
        my @query;
        my $what = rand;
        if ($what < 0.15) { push @pieces, '?', \(my $query = 'query') }
        else {
            for (1 .. pick(1, 1, 2)) {
                push @pieces, @query ? '&' : '?', pick(qw(k id l q utm_x a%20b)), '=';
                push @query, 1;
                my $value = rand;
                if ($value < 0.4 || !@usable) { push @pieces, pick(qw(1 x%26y a+b), '') }
                elsif ($value < 0.5) { push @pieces, \(my $name = pick(@usable) . pick(qw(|lower |upper |dashes))) }
            elsif ($value < 0.85) { push @pieces, \(my $name = pick(@usable)) }
                elsif ($value < 0.95) { push @pieces, \(my $name = pick(qw(path host scheme query))) }
                else { push @pieces, 'v-', \(my $name = pick(@usable)) }
            }
        }
    }
    if (chance(0.1)) { push @pieces, '#f'; push @pieces, \(my $name = pick(@usable)) if @usable && chance(0.3) }
    return glue(grep { ref || $_ ne '' } @pieces);
}

sub generate_clauses {
    my ($for_rule, $depth) = @_;
    my @clauses;
    my $share = $for_rule ? 0.08 : 0.15;
    push @clauses, ['case', chance(0.75) ? 'ignore' : 'exact'] if chance($share);
    push @clauses, ['slash', chance(0.75) ? 'exact' : 'ignore'] if chance($share);
    push @clauses, ['query', @{ pick(['drop'], ['keep'], ['only', 'k', 'a b'], ['except', 'utm_*'], ['except', 'k', 'l'], ['only', 'utm_*', 'id']) }] if chance($share);
    push @clauses, ['status', pick(qw(permanent found moved see-other 308))] if !$for_rule && chance(0.2);
    push @clauses, [pick('when', 'when', 'unless'), 'method', @{ pick(['GET'], ['POST'], ['POST', 'PUT'], ['HEAD'], ['GET', 'DELETE']) }] if chance($share);
    push @clauses, [pick('when', 'when', 'unless'), 'scheme', pick(qw(http https))] if chance($share / 2);
    push @clauses, [pick('when', 'when', 'unless'), 'query', pick(qw(k id l K)), chance(0.5) ? ('=', pick(qw(1 en A 7))) : ()] if chance($share / 2);
    push @clauses, ['override'] if chance($share / 3);
    return @clauses;
}

sub make_twin {
    my ($source, $action, $clauses) = @_;
    return if $source->{regex} || $source->{tail} ne 'none' || grep { !exists $_->{normal} && !defined $_->{name} } map { @$_ } @{ $source->{head} };
    my @pieces;
    # An escape in the source is another spelling of the same.
    for my $segment (@{ $source->{head} }) {
        push @pieces, '/', map { defined $_->{normal} ? $_->{normal} =~ s/\*/%2A/gr : \(my $name = $_->{name}) } @$segment;
    }
    return if !@pieces;
    delete $source->{query};
    @$clauses = grep { $_->[0] ne 'query' && $_->[0] ne 'case' } @$clauses;
    if (($source->{scheme} // '') eq 'http' && !$source->{host}{port} && $source->{host}{name} !~ /:/) {
        if (chance(0.5)) { $action->{kind} = 'https'; delete $action->{pieces}; return }
        $action->{pieces} = glue("https://$source->{host}{name}", @pieces, $source->{slash} ? '/' : ());
        return;
    }
    $action->{pieces} = glue(@pieces, $source->{slash} ? () : '/');
    return;
}

# Sources for rules that differ in their conditions only: long chains, more candidates than are kept at a time.
my @piled;

sub generate_rule {
    my ($stems, $hosts, $lets, $in_site, $may_https) = @_;
    @free_names = qw(x y z w v n m o p r s t u);
    my $source = @piled && chance(0.9) ? { %{ pick(@piled) } } : generate_source($stems);
    my @own_hosts = @$hosts;
    if (!$in_site && !$source->{regex} && chance(0.15)) {
        $source->{host} = { %{ pick(grep { $_->{kind} eq 'exact' && !$_->{set} } @HOSTS) } };
        $source->{scheme} = pick(undef, 'http', 'https');
        @own_hosts = ($source->{host});
    }
    my @clauses = generate_clauses(1);
    if (@piled && chance(0.9) && !grep { $_->[0] eq 'when' || $_->[0] eq 'unless' } @clauses) {
        push @clauses, [pick('when', 'when', 'unless'), 'method', map { pick(qw(GET POST PUT OPTIONS DELETE get X Y Z)) } 1 .. pick(1, 1, 2, 3)];
    }
    my $roll = rand;
    my $action;
    if ($roll < 0.10) { $action = { kind => 'pass' } }
    elsif ($roll < 0.20) { $action = { kind => 'status', word => pick(@CODES) } }
    elsif ($roll < 0.24 && $may_https && !$source->{scheme} && !grep { $_->{kind} eq 'any' } @own_hosts) {
        $action = { kind => 'https', word => pick(undef, @STATUS_WORDS) };
        @clauses = (['when', 'scheme', 'http'], grep { $_->[0] ne 'query' && ($_->[1] // '') ne 'scheme' } @clauses);
    }
    else { $action = { kind => 'target', pieces => generate_target($source, \@own_hosts, $lets), word => chance(0.5) ? undef : pick(@STATUS_WORDS) } }
    # Source and target that differ in the scheme or in the last slash only mean more than they say.
    make_twin($source, $action, \@clauses) if $action->{kind} eq 'target' && chance(0.06);
    # A rule without a target has nothing to add a query to.
    @clauses = grep { $_->[0] ne 'query' } @clauses if $action->{kind} eq 'pass' || $action->{kind} eq 'status';
    return { kind => 'rule', source => $source, action => $action, clauses => \@clauses };
}

my $part_count;

sub generate_items {
    my ($count, $stems, $hosts, $lets, $in_site, $may_https, $depth) = @_;
    my @items;
    while ($count > 0) {
        if ($depth < 2 && chance(0.12)) {
            my $inside = 1 + int rand $count;
            my @clauses = generate_clauses(0);
            my @inner = @$lets;
            if (chance(0.3)) { push @clauses, ['let', 'base', pick('https://l.example', 'https://l.example/v2', '/l')]; push @inner, 'base' if !grep { $_ eq 'base' } @inner }
            my $https = $may_https && !grep { $_->[0] eq 'query' || ($_->[1] // '') eq 'scheme' } @clauses;
            push @items, { chance(0.25) ? (kind => 'include', name => 'part' . $part_count++ . '.redir') : (kind => 'group', name => 'g'), clauses => \@clauses, clauses_last => chance(0.3),
                items => generate_items($inside, $stems, $hosts, \@inner, $in_site, $https, $depth + 1) };
            $count -= $inside;
            next;
        }
        push @items, generate_rule($stems, $hosts, $lets, $in_site, $may_https);
        $count--;
    }
    return \@items;
}

sub generate_set {
    my @stems = ([], [[literal(@LITERALS[0 .. 3])]]);
    push @stems, [@{ $stems[1] }, [literal(@LITERALS)]] if chance(0.7);
    push @stems, $stems[1] for 1 .. 2;
    @piled = ();
    $part_count = 1;
    if (chance(0.08)) {
        @free_names = qw(x y z w v n m o p r s t u);
        @piled = map { generate_source([$stems[1]]) } 1 .. pick(1, 2, 4);
    }
    my @items;
    push @items, @{ generate_items(@piled ? 60 : 1 + int rand 8, \@stems, [{ kind => 'any' }], [], 0, 1, 0) } if chance(0.8);
    for (1 .. pick(0, 1, 1, 2, 2, 3)) {
        my @pool = @HOSTS;
        my %seen;
        my @hosts = chance(0.12) ? ($HOSTS[14]) : grep { !$seen{ join ' ', $_->{kind} eq 'below' || $_->{kind} eq 'domain' ? 'w' : 'e', $_->{name}, $_->{port} // 0, $_->{set} ? 1 : 0 }++ }
            map { splice @pool, rand @pool, 1 } 1 .. pick(1, 1, 1, 2, 3);
        # A name that also comes out of a closed set of the same site is an error: what would the placeholder hold?
        @hosts = ($HOSTS[14]) if grep { $_->{set} } @hosts;
        @hosts = ({ kind => 'any' }) if chance(0.05);
        my @clauses = generate_clauses(0);
        my @lets;
        if (chance(0.3)) { push @clauses, ['let', 'base', pick('https://s.example', 'https://s.example/v2', '/s')]; push @lets, 'base' }
        my $https = !grep { $_->[0] eq 'query' || ($_->[1] // '') eq 'scheme' } @clauses;
        push @items, { kind => 'site', hosts => [map { { %$_ } } @hosts], clauses => \@clauses, clauses_last => chance(0.3),
            items => generate_items(1 + int rand 10, \@stems, \@hosts, \@lets, 1, $https, 0) };
    }
    push @items, generate_rule(\@stems, [{ kind => 'any' }], [], 0, 1) if !@items;
    return { items => \@items };
}

# Takes the rules out whose lines are given; true where one was found.
sub drop_rules {
    my ($items, $lines) = @_;
    my $count = @$items;
    @$items = grep { $_->{kind} ne 'rule' || !$lines->{ $_->{line} } } @$items;
    my $dropped = $count - @$items;
    $dropped += drop_rules($_->{items}, $lines) for grep { $_->{items} } @$items;
    return $dropped;
}

# [rule item, hosts of its site]...
sub all_rules {
    my ($items, $hosts) = @_;
    $hosts //= [{ kind => 'any' }];
    return map {
        $_->{kind} eq 'rule' ? [$_, $_->{source}{host} ? [$_->{source}{host}] : $hosts]
            : all_rules($_->{items}, $_->{kind} eq 'site' ? $_->{hosts} : $hosts)
    } @$items;
}

# ---- requests ----

sub sample_part {
    my ($part, $in_query) = @_;
    return $part->{normal} if exists $part->{normal};
    my $type = $part->{type};
    return pick(@{ $part->{members} }) if $type eq 'set' && !chance(0.05);
    return pick(qw(en de dex v1 v12 12 1 ab b a_b EN AB xb 123)) if $type eq 'regex' && !chance(0.05);
    $type = 'free' if $type eq 'regex';
    $type = 'free' if $type eq 'set' || $type eq 'value' || chance(0.04);
    return pick(@{ $SAMPLES{$type} });
}

# Another way to write a normal path's bytes.
sub respell {
    my ($segment) = @_;
    my $out = '';
    while ($segment =~ /\G(%..|.)/gs) {
        my $unit = $1;
        if (length $unit == 3) {
            my $byte = chr hex substr $unit, 1;
            $unit = lc $unit if chance(0.3);
            $unit = $byte if chance(0.15) && $byte =~ /[{}|^"<>\x80-\xff]/;
        }
        elsif (chance(0.06)) { $unit = sprintf chance(0.5) ? '%%%02X' : '%%%02x', ord $unit }
        $out .= $unit;
    }
    return $out;
}

sub spell { my (undef, @written) = @{ $_[0] }; return pick(@written) }
sub encode_raw { my ($text) = @_; $text =~ s/([^A-Za-z0-9\-._~\/])/$1 eq ' ' && chance(0.5) ? '+' : sprintf '%%%02X', ord $1/ge; return $text }

sub request_of_rule {
    my ($rule, $hosts) = @_;
    my $source = $rule->{source};
    if ($source->{regex}) {
        my $path = join '/', @{ $source->{prefix} }, pick(@{ $source->{samples} });
        my $has_slash = $path =~ s{/$}{} || chance(0.1);
        return ([split m{/}, $path], $has_slash, [], host_of(pick(@$hosts)));
    }
    my @segments = map { join '', map { sample_part($_) } @$_ } @{ $source->{head} };
    my $slash = $source->{slash};
    my $tail = $source->{tail};
    my $more = sub { map { pick(@{ $SAMPLES{free} }, 'x.ttl', 'b') } 1 .. $_[0] };
    if ($tail eq 'subtree') { push @segments, $more->(pick(0, 0, 1, 1, 2)); $slash = chance(0.4) }
    elsif ($tail eq 'below') { $segments[-1] .= pick('', '2', 'x', '%20'); push @segments, $more->(pick(0, 0, 1, 2)); $slash = chance(0.3) }
    elsif ($tail eq 'many') {
        push @segments, $more->(pick(1, 1, 1, 2, 3));
        $segments[-1] = pick($segments[-1], '', 'x') . $source->{suffix}{normal} if $source->{suffix};
        push @segments, map { join '', map { sample_part($_) } @$_ } @{ $source->{rest} // [] };
        $slash = chance(0.3) if !$source->{suffix} && !@{ $source->{rest} // [] };
    }
    $slash = !$slash if chance(0.15);
    if (chance(0.12)) { my $i = rand @segments; $segments[$i] = chance(0.5) ? uc $segments[$i] : lc $segments[$i] if @segments }
    if (chance(0.05)) { push @segments, pick(@LITERALS)->[0] }
    if (chance(0.04) && @segments) { pop @segments }
    if (chance(0.05) && @segments) { $segments[rand @segments] = pick(@LITERALS)->[0] }
    # A segment in upper case may hold escapes; a normal form always does in upper case.
    s/(%[0-9a-f]{2})/uc $1/gie for @segments;
    my @parameters;
    for my $wanted (@{ $source->{query} // [] }) {
        next if chance(0.05);
        my $name = chance(0.2) ? encode_raw($wanted->{name}) : $wanted->{written};
        $name = join '', map { sprintf '%%%02x', ord } split //, $wanted->{name} if chance(0.05);
        my $value = '';
        for my $part (@{ $wanted->{parts} // [] }) {
            if (exists $part->{normal}) { $value .= chance(0.5) ? $part->{written} : encode_raw($part->{normal}) }
            elsif ($part->{type} eq 'value' || $part->{type} eq 'free') { $value .= spell(pick(@QUERY_SAMPLES)) }
            else { $value .= encode_raw(sample_part($part)) }
        }
        $value = spell(pick(@QUERY_SAMPLES)) if $wanted->{any};
        $value = spell(pick(@QUERY_SAMPLES)) if chance(0.05);
        my $whole = $value eq '' && chance(0.5) ? $name : "$name=$value";
        push @parameters, $whole;
        push @parameters, "$name=" . spell(pick(@QUERY_SAMPLES)) if chance(0.08);
        unshift @parameters, "$name=" . spell(pick(@QUERY_SAMPLES)) if chance(0.04);
    }
    return (\@segments, $slash, \@parameters, host_of(pick(@$hosts)));
}

sub host_of {
    my ($host) = @_;
    my $name = $host->{kind} eq 'any' || chance(0.12) ? pick(@REQUEST_HOSTS)
        : $host->{set} ? (chance(0.9) ? pick(@{ $host->{set}{members} }) : 'zz') . ".$host->{name}"
        : $host->{kind} eq 'exact' ? ($host->{name} =~ /:/ ? "[$host->{name}]" : $host->{name})
        : pick('x', 'a', 'b.a', ($host->{kind} eq 'domain' ? '' : ())) . ".$host->{name}";
    $name =~ s/^\.//;
    return ($name, $host->{port});
}

sub generate_request {
    my ($rules) = @_;
    my ($segments, $slash, $parameters, $host, $port);
    my $roll = rand;
    ($segments, $slash, $parameters, $host, $port) = request_of_rule(@{ pick(@$rules) });
    # One rule's path on another rule's host, or with another rule's query.
    if ($roll < 0.1) { (undef, undef, undef, $host, $port) = request_of_rule(@{ pick(@$rules) }) }
    elsif ($roll < 0.15) { (undef, undef, $parameters) = request_of_rule(@{ pick(@$rules) }) }
    my @written = map { chance(0.25) ? respell($_) : $_ } @$segments;
    if (chance(0.12)) {
        my $i = int rand(@written + 1);
        splice @written, $i, 0, @{ pick([''], ['.'], ['x', '..'], ['%2e'], ['a', '%2E%2e'], ['', '']) };
    }
    my $path = '/' . join('/', @written) . ($slash && @$segments ? '/' : '');
    $path .= pick('.', './', '..', '../', '/', '//') if chance(0.03);
    $path = pick("/..$path", "$path%", "$path%zz", "$path%00", "/%2e%2e$path", "$path%4", "/a/../..$path") if chance(0.02);
    my @query = @$parameters;
    push @query, map { spell(pick(@NAMES)) . pick('', '=' . spell(pick(@QUERY_SAMPLES)), '=' . spell(pick(@QUERY_SAMPLES))) } 1 .. pick(0, 0, 0, 1, 2) if chance(0.5);
    push @query, pick('', 'utm_source=x', 'utm_*=1', '=x', 'q=1', 'a[]=1', 'x{y}=|') if chance(0.06);
    @query = map { splice @query, rand @query, 1 } 1 .. @query if chance(0.4);
    my $query = @query ? '?' . join('&', @query) : chance(0.03) ? '?' : '';
    my $scheme = chance(0.75) ? 'http' : 'https';
    # What the port says of a site: named, the scheme's own, or another.
    my $authority = $host;
    if ($port && chance(0.9)) { $authority .= ":$port"; }
    elsif (chance(0.08)) { $authority .= ':' . pick(80, 443, 8080, 81) }
    $authority = uc $authority if chance(0.03);
    $authority =~ s/^([^\[:]+)/$1./ if chance(0.03);
    my $method = pick(@METHODS);
    # Without a host, "//" would begin one.
    return "$method $path$query" if chance(0.02) && $path !~ m{^//};
    return "$method $scheme://$authority$path$query";
}

sub generate_requests {
    my ($set, $count) = @_;
    my @rules = all_rules($set->{items});
    my @requests;
    while (@requests < $count) {
        my $request = generate_request(\@rules);
        # The request's line is "METHOD URL": blanks and "#" cannot stand in a request target.
        my (undef, $url) = split / /, $request, 2;
        next if $url =~ /[\s#]/;
        push @requests, $request;
    }
    return \@requests;
}

1;
