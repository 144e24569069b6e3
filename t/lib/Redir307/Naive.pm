# SPDX-License-Identifier: Apache-2.0
# A deliberately naive matcher: what docs/language.md says, as a linear scan over all rules. It shares nothing with
# the compiler and the engine: no parser (it works on the structure that Redir307::RuleText prints), no hash, no
# normal-form code. Slow and plain on purpose: where it and `rulec answer` differ, one of the two is wrong.
#
# A rule set is a tree of items:
#   { kind => 'site',  hosts => [HOST...], clauses => [CLAUSE...], items => [ITEM...] }
#   { kind => 'group', name => TEXT, clauses => [...], items => [...] }
#   { kind => 'include', name => FILE, clauses => [...], items => [...] }
#   { kind => 'rule',  source => SOURCE, action => ACTION, clauses => [...] }
#   HOST    { kind => exact|below|domain|any, name, port, set => { name, members => [...] } }   (domain: `**.`)
#   SOURCE  { regex => text, prefix => [normal literal segments], names => [...] }: a regex over the path, or
#           { host => HOST or undef, scheme => text or undef, head => [SEGMENT...], slash => bool, tail => none|subtree|below|many,
#             star => name of the tail, suffix => LITERAL or undef, rest => [SEGMENT...], query => [PARAMETER...] }
#   SEGMENT [PART...]; PART is LITERAL { normal, written } or { type => free|int|..|set|regex, name => or undef, members => [...], regex => text }
#           (type `value`: a whole query value, which may be empty)
#   PARAMETER { name => decoded, written, any => bool, parts => [PART...] }  (a literal's `normal` is decoded there)
#   ACTION  { kind => 'pass' } | { kind => 'status', word } | { kind => 'https', word }
#           | { kind => 'target', pieces => [text or \name ...], word } (\"name|lower" with a transform)      (word may be undef: the `status` clause)
#   CLAUSE  [name => values...]
package Redir307::Naive;
use strict;
use warnings;

my %TYPE = (
    int     => '[0-9]+?',
    hex     => '[0-9A-Fa-f]+?',
    slug    => '[a-z0-9-]+?',
    uuid    => '[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}',
    date    => '[0-9]{4}-[0-9]{2}-[0-9]{2}',
    version => '[0-9]+?(?:\.[0-9]+?)+?',
);
my %TYPE_RANK = (set => 0, int => 1, hex => 2, slug => 3, uuid => 4, date => 5, version => 6, regex => 7, free => 8);

# status word => [GET and HEAD, others]
my %STATUS = (
    'temporary' => [307, 307], 'permanent' => [308, 308], 'found' => [302, 302], 'moved' => [301, 301],
    'temporary auto' => [302, 307], 'permanent auto' => [301, 308], 'see-other' => [303, 303],
    'gone' => [410, 410], 'unavailable-for-legal-reasons' => [451, 451],
    map { $_ => [$_, $_] } 301, 302, 303, 307, 308, 403, 404, 406, 410, 451, 503,
);

# ---- bytes ----

# The normal form of a raw path: (segments, ends in a slash), or nothing where it is no valid path.
sub normal_path {
    my ($raw) = @_;
    return if $raw !~ m{^/} || $raw =~ /\0/ || $raw =~ /%(?![0-9A-Fa-f]{2})/ || $raw =~ /%00/;
    my @segments;
    my @pieces = split m{/}, normal_text($raw), -1;
    shift @pieces;
    my $slash = $pieces[-1] =~ /^\.{0,2}$/ ? 1 : 0;
    for my $piece (@pieces) {
        next if $piece eq '' || $piece eq '.';
        if ($piece ne '..') { push @segments, $piece; next }
        return if !@segments;
        pop @segments;
    }
    return (\@segments, $slash);
}

# Escapes of what may stand bare are decoded, what may not is encoded; the delimiters of a URL stay.
sub normal_text {
    my ($raw) = @_;
    my $text = '';
    while ($raw =~ /\G(?:%(..)|(.))/gs) {
        my $byte = defined $1 ? chr hex $1 : $2;
        if ($byte =~ m{[A-Za-z0-9\-._~!\$&'()*+,;=:\@]} || (!defined $1 && $byte =~ m{[/?#]})) { $text .= $byte }
        else { $text .= sprintf '%%%02X', ord $byte }
    }
    return $text;
}

sub decode_value {
    my ($text) = @_;
    $text =~ tr/+/ /;
    $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    return $text;
}
# "/" and "?" may stand in a query (RFC 3986, 3.4).
sub encode_value { my ($text) = @_; $text =~ s{([^A-Za-z0-9\-._~!\$'()*,:\@/?])}{sprintf '%%%02X', ord $1}ge; return $text }
# What is already a normal path stays as it is, but for the bytes that have a meaning in a query.
sub encode_path_value { my ($text) = @_; $text =~ s/([&=+;])/sprintf '%%%02X', ord $1/ge; return $text }
sub encode_segment { my ($text) = @_; $text =~ s/([^A-Za-z0-9\-._~!\$&'()*+,;=:\@])/sprintf '%%%02X', ord $1/ge; return $text }
sub encode_path { my ($text) = @_; $text =~ s{([^A-Za-z0-9\-._~!\$&'()*+,;=:\@/])}{sprintf '%%%02X', ord $1}ge; return $text }
# Only what may stand nowhere in a URI; "%" stays.
sub encode_uri { my ($text) = @_; $text =~ s/([^\x21-\x7e]|["<>\\^`{|}])/sprintf '%%%02X', ord $1/ge; return $text }

# [whole, decoded name, decoded value or undef]... of a raw query
sub parameters {
    my ($query) = @_;
    return map {
        my ($name, $value) = split /=/, $_, 2;
        [$_, decode_value($name), defined $value ? decode_value($value) : undef]
    } grep { $_ ne '' } split /&/, $query // '', -1;
}

# ---- a rule set made ready: clauses resolved, every part a Perl regex ----

# One unit of a normal path is one byte or one escape: a placeholder never cuts an escape in two.
my $UNIT = '(?:%[0-9A-F]{2}|[^%/])';

sub part_regex {
    my ($part, $unit) = @_;
    return quotemeta $part->{normal} if exists $part->{normal};
    return "($unit+?)" if $part->{type} eq 'free';
    return '(.*)' if $part->{type} eq 'value';
    return "((?:$part->{regex}))" if $part->{type} eq 'regex';
    return "($TYPE{$part->{type}})" if $part->{type} ne 'set';
    return '(' . join('|', map { quotemeta } sort { length $a <=> length $b || $a cmp $b } @{ $part->{members} }) . ')';
}
sub part_names { return map { exists $_->{normal} ? () : $_->{name} // '' } @_ }

# How one segment ranks: smaller arrays (compared item by item) are more specific.
sub segment_rank {
    my @parts = @_;
    my @places = grep { !exists $_->{normal} } @parts;
    return [0] if !@places;
    my $fixed = 0;
    $fixed += length $_->{normal} for grep { exists $_->{normal} } @parts;
    return [1, 0, -$fixed] if !grep { $_->{type} ne 'set' } @places;
    return [2] if !$fixed && !grep { $_->{type} ne 'free' } @places;
    my ($best) = sort { $a <=> $b } map { $TYPE_RANK{$_->{type}} } @places;
    return [1, 1, -$fixed, $best];
}

sub new {
    my ($class, $set) = @_;
    my $self = bless { rules => [] }, $class;
    my %outer = (status => 'temporary', case => 'exact', slash => 'ignore', query => ['keep'], conditions => [], let => {}, override => 0,
        hosts => [{ kind => 'any' }]);
    $self->_walk($set->{items}, \%outer);
    return $self;
}

sub _inner {
    my ($outer, $clauses) = @_;
    my %inner = (%$outer, conditions => [@{ $outer->{conditions} }], let => { %{ $outer->{let} } });
    for my $clause (@{ $clauses // [] }) {
        my ($name, @values) = @$clause;
        if ($name eq 'when' || $name eq 'unless') { push @{ $inner{conditions} }, [$name, @values] }
        elsif ($name eq 'let') { $inner{let}{ $values[0] } = $values[1] }
        elsif ($name eq 'query') { $inner{query} = [@values] }
        elsif ($name eq 'override') { $inner{override} = 1 }
        elsif (exists $inner{$name}) { $inner{$name} = $values[0] }
    }
    return \%inner;
}

sub _walk {
    my ($self, $items, $outer) = @_;
    for my $item (@$items) {
        my $inner = _inner($outer, $item->{clauses});
        $inner->{hosts} = $item->{hosts} if $item->{kind} eq 'site';
        if ($item->{kind} eq 'rule') { $self->_add($item, $inner) }
        else { $self->_walk($item->{items}, $inner) }
    }
    return;
}

sub _add {
    my ($self, $item, $scope) = @_;
    my ($source, $action) = @$item{qw(source action)};
    my %rule = (%$scope, source => $source, action => $action, order => scalar @{ $self->{rules} });
    if ($source->{host}) {
        # A scheme's own port says nothing where the scheme is written: https://h:443/a is https://h/a.
        my $own = { http => 80, https => 443 }->{ $source->{scheme} // '' } // 0;
        $rule{hosts} = [{ %{ $source->{host} }, port => ($source->{host}{port} // 0) == $own ? undef : $source->{host}{port} }];
    }
    for my $fold ('', 'i') {
        my $flag = $fold ? '(?i)' : '';
        if ($source->{regex}) { $rule{"regex$fold"} = qr/$flag$source->{regex}/; next }
        $rule{"head$fold"} = [map { my $re = $flag . join '', map { part_regex($_, $UNIT) } @$_; qr/^$re$/ } @{ $source->{head} }];
        $rule{"rest$fold"} = [map { my $re = $flag . join '', map { part_regex($_, $UNIT) } @$_; qr/^$re$/ } @{ $source->{rest} // [] }];
        if ($source->{tail} eq 'below') {
            my $re = $flag . join '', map { part_regex($_, $UNIT) } @{ $source->{head}[-1] };
            $rule{"head$fold"}[-1] = qr/^$re($UNIT*)$/;
        }
        if ($source->{suffix}) {
            my $re = $flag . quotemeta $source->{suffix}{normal};
            $rule{"suffix$fold"} = qr{^((?:$UNIT|/)+)$re$};
        }
    }
    $rule{head_names} = [map { [part_names(@$_)] } @{ $source->{head} }];
    $rule{rest_names} = [map { [part_names(@$_)] } @{ $source->{rest} // [] }];
    $rule{parameters} = [map {
        my $re = join '', map { part_regex($_, '.') } @{ $_->{parts} // [] };
        { name => $_->{name}, any => $_->{any}, regex => qr/^$re$/s, names => [part_names(@{ $_->{parts} // [] })],
          fixed => !$_->{any} && !part_names(@{ $_->{parts} // [] }) }
    } @{ $source->{query} // [] }];
    # A rule that only adds or takes away the last slash asks for the slash as it is written; one that only changes
    # the scheme asks for the scheme.
    my $twin = twin($source, $action, $rule{hosts});
    $rule{slash} = 'exact' if $twin eq 'slash';
    $rule{conditions} = [@{ $scope->{conditions} }, ['when', 'scheme', $source->{scheme}]] if $twin eq 'scheme';
    push @{ $self->{rules} }, \%rule;
    return;
}

# A part, and a source from its path on, as a target would write them.
sub plain_part { my ($part) = @_; return $part->{normal} // '{' . ($part->{name} // '') . '}' }
sub plain_source {
    my ($source) = @_;
    my $path = join '', map { '/' . join '', map { plain_part($_) } @$_ } @{ $source->{head} };
    $path .= '/' if $source->{slash};
    my $query = join '&', map { my $parts = $_->{parts}; $_->{written} . ($_->{any} ? '' : '=' . join '', map { $_->{written} // plain_part($_) } @$parts) }
        @{ $source->{query} // [] };
    return ($path, $query);
}

# True where one of the hosts is this name.
sub names_host {
    my ($hosts, $name) = @_;
    my @exact = grep { $_->{kind} eq 'exact' } @$hosts;
    my @names = map { my $host = $_; $host->{set} ? map { "$_.$host->{name}" } @{ $host->{set}{members} } : $host->{name} } @exact;
    return scalar grep { $_ eq lc $name } @names;
}

# 'slash' or 'scheme' where source and target differ in nothing else.
sub twin {
    my ($source, $action, $hosts) = @_;
    return '' if $source->{regex};
    return $source->{host} && ($source->{scheme} // '') eq 'http' ? 'scheme' : '' if $action->{kind} eq 'https';
    return '' if $action->{kind} ne 'target' || $source->{tail} ne 'none';
    my ($from, $from_query) = plain_source($source);
    my $to = join '', map { ref $_ ? "{$$_}" : normal_text($_) } @{ $action->{pieces} };
    my $scheme;
    if ($to =~ m{^(https?)://([^/?#:]+)(?=/)} && names_host($hosts, $2)) { $scheme = $1; $to = substr $to, length($1) + 3 + length $2 }
    return '' if $to !~ m{^/};
    my ($to_path, $to_query) = split /\?/, $to, 2;
    return '' if ($to_query // '') ne $from_query;
    return $scheme && $source->{scheme} && $scheme ne $source->{scheme} ? 'scheme' : '' if $to_path eq $from;
    s{/$}{} for $from, $to_path;
    return $from eq $to_path ? 'slash' : '';
}

# ---- one request ----

# [rank of the host, captures] of the best host of a rule that takes this request; nothing where none does.
sub match_host {
    my ($hosts, $request) = @_;
    my $best;
    for my $host (@$hosts) {
        next if $host->{port} && $host->{port} != $request->{port};
        my ($rank, $captures) = (undef, {});
        my $have = $request->{host};
        if ($host->{kind} eq 'any') { $rank = [2, 0] }
        elsif ($host->{kind} eq 'exact' && $host->{set}) {
            for my $member (@{ $host->{set}{members} }) {
                ($rank, $captures) = ([0, 0], { $host->{set}{name} => $member }) if $have eq "$member.$host->{name}";
            }
        }
        elsif ($host->{kind} eq 'exact') { $rank = [0, 0] if $have eq $host->{name} }
        else {
            $rank = [1, -length $host->{name}] if $have =~ /[^.]\.\Q$host->{name}\E$/
                || ($host->{kind} eq 'domain' && $have eq $host->{name});
        }
        next if !$rank;
        $rank = [$host->{port} ? 0 : 1, @$rank];
        $best = [$rank, $captures] if !$best || compare($rank, $best->[0]) < 0;
    }
    return $best;
}

# Compares two arrays of numbers (or of such arrays); the shorter one first where one begins the other.
sub compare {
    my ($left, $right) = @_;
    for my $i (0 .. ($#$left > $#$right ? $#$left : $#$right)) {
        return -1 if $i > $#$left;
        return 1 if $i > $#$right;
        my $order = ref $left->[$i] ? compare($left->[$i], $right->[$i]) : $left->[$i] <=> $right->[$i];
        return $order if $order;
    }
    return 0;
}

# Captures of segments against regexes; nothing where one does not match.
sub match_segments {
    my ($regexes, $names, $segments, $captures) = @_;
    for my $i (0 .. $#$regexes) {
        my @got = $segments->[$i] =~ $regexes->[$i] or return 0;
        my @names = @{ $names->[$i] // [] };
        $captures->{ $names[$_] } = $got[$_] for grep { defined $names[$_] && $names[$_] ne '' } 0 .. $#names;
    }
    return 1;
}

# One rule against a normal path, the letters folded ('i') or not (''). Gives { captures, rank, slash (differs), bare }.
sub match_path {
    my ($rule, $segments, $slash, $fold) = @_;
    my $source = $rule->{source};
    if ($source->{regex}) {
        my @got = ('/' . join('/', @$segments) . ($slash && @$segments ? '/' : '')) =~ $rule->{"regex$fold"} or return;
        my %captures = map { $source->{names}[$_] => $got[$_] // '' } 0 .. $#{ $source->{names} };
        return { captures => \%captures, rank => [(map { [0] } @{ $source->{prefix} }), [3, 1]], slash => 0 };
    }
    my $head = $rule->{"head$fold"};
    my $tail = $source->{tail};
    my @have = @$segments;
    return if @have < @$head;
    my (%captures, $bare, @below);
    return if !match_segments($head, $rule->{head_names}, \@have, \%captures);
    my @rank = map { segment_rank(@$_) } @{ $source->{head} };
    my @left = @have[@$head .. $#have];
    my $end = $slash ? '/' : '';
    my $differs = ($slash ? 1 : 0) != ($source->{slash} ? 1 : 0) ? 1 : 0;
    if ($tail eq 'none') {
        return if @left;
    }
    elsif ($tail eq 'subtree') {
        $captures{ $source->{star} } = @left ? join('/', @left) . $end : '';
        $bare = !@left && !$slash;
        $differs = 0;
        push @rank, [3, 2];
    }
    elsif ($tail eq 'below') {
        my @got = $have[$#$head] =~ $head->[-1];
        $captures{ $source->{star} } = join('/', $got[-1], @left) . $end;
        $differs = 0;
        my @parts = @{ $source->{head}[-1] };
        my $fixed = 0;
        $fixed += length $_->{normal} for grep { exists $_->{normal} } @parts;
        my ($best) = sort { $a <=> $b } $TYPE_RANK{free}, map { $TYPE_RANK{$_->{type}} } grep { !exists $_->{normal} } @parts;
        $rank[-1] = [1, 1, -$fixed, $best];
        push @rank, [3, 2];
    }
    elsif ($source->{suffix}) {
        return if !@left;
        my ($got) = join('/', @left) =~ $rule->{"suffix$fold"} or return;
        $captures{ $source->{star} } = $got;
        my $fixed = length $source->{suffix}{normal};
        push @rank, @left == 1 ? [1, 1, -$fixed, $TYPE_RANK{free}] : [3, 0, -$fixed];
    }
    elsif (@{ $rule->{"rest$fold"} }) {
        my $rest = $rule->{"rest$fold"};
        return if @left < 1 + @$rest;
        my @last = splice @left, @left - @$rest;
        return if !match_segments($rest, $rule->{rest_names}, \@last, \%captures);
        $captures{ $source->{star} } = join '/', @left;
        my $fixed = 0;
        $fixed += length join '', map { $_->{normal} // '' } @$_ for @{ $source->{rest} };
        push @rank, [3, 0, -$fixed];
    }
    else {
        return if !@left;
        $captures{ $source->{star} } = join('/', @left) . $end;
        $differs = 0;
        push @rank, [3, 2];
    }
    return if $differs && $rule->{slash} eq 'exact';
    return { captures => \%captures, rank => \@rank, slash => $differs, bare => $bare };
}

# The names that the source consumed and its captures; nothing where the query does not match.
sub match_query {
    my ($rule, $parameters) = @_;
    my (%consumed, %captures);
    for my $wanted (@{ $rule->{parameters} }) {
        my $found;
        for my $have (grep { $_->[1] eq $wanted->{name} } @$parameters) {
            if ($wanted->{any}) { $found = 1; last }
            my @got = ($have->[2] // '') =~ $wanted->{regex} or next;
            $found = 1;
            my @names = @{ $wanted->{names} };
            $captures{ $names[$_] } = $got[$_] for grep { $names[$_] ne '' } 0 .. $#names;
            last;
        }
        return if !$found;
        $consumed{ $wanted->{name} } = 1;
    }
    return { consumed => \%consumed, captures => \%captures };
}

sub conditions_hold {
    my ($rule, $request) = @_;
    for my $condition (@{ $rule->{conditions} }) {
        my ($word, $what, @values) = @$condition;
        if ($what eq 'query') {
            my ($name, undef, $value) = @values;
            my $holds = grep { $_->[1] eq $name && (!defined $value || ($_->[2] // '') eq $value) } @{ $request->{parameters} };
            return 0 if $word eq 'when' ? !$holds : $holds;
            next;
        }
        my $have = $what eq 'method' ? $request->{method} : $request->{scheme};
        $have = 'GET' if $what eq 'method' && $have eq 'HEAD';
        my $holds = grep { ($what eq 'method' && $_ eq 'HEAD' ? 'GET' : $_) eq $have } @values;
        return 0 if $word eq 'when' ? !$holds : $holds;
    }
    return 1;
}

# The Location of a rule that matched; undef where the rule cannot hold (a dot segment would come out).
sub location {
    my ($rule, $match, $request) = @_;
    my $host = $request->{host} =~ /:/ ? "[$request->{host}]" : $request->{host};
    my $path = '/' . join('/', @{ $request->{segments} });
    $path .= '/' if $request->{slash} && @{ $request->{segments} };
    if ($rule->{action}{kind} eq 'https') {
        my $url = "https://$host$path";
        return append_query($rule, $match, $request, $url, undef, undef);
    }
    my @pieces = map { ref $_ && exists $rule->{let}{$$_} ? $rule->{let}{$$_} : $_ } @{ $rule->{action}{pieces} };
    # Glued: texts side by side are one text, so that a constant and what follows it read as one.
    my @glued;
    for my $piece (@pieces) {
        if (!ref $piece && @glued && !ref $glued[-1]) { $glued[-1] .= $piece } else { push @glued, $piece }
    }
    my ($front, $way, $query, $fragment) = ('', '', undef, undef);
    my $place = 'path';
    my $takes_query = 0;
    my $alone = query_stands_alone(@glued);
    for my $i (0 .. $#glued) {
        my $piece = $glued[$i];
        if (!ref $piece) {
            my $text = encode_uri($piece);
            if ($i == 0 && $text =~ s{^(https?://)}{}) { $front = $1; $place = 'authority' }
            while ($text ne '') {
                if ($place eq 'authority') {
                    $text =~ s{^([^/?#]*)}{};
                    $front .= $1;
                    $place = 'path' if $text ne '';
                }
                elsif ($place eq 'path') {
                    $text =~ s{^([^?#]*)}{};
                    $way .= $1;
                    if ($text =~ s/^\?//) { $place = 'query'; $query = '' }
                    elsif ($text =~ s/^#//) { $place = 'fragment'; $fragment = '' }
                }
                elsif ($place eq 'query') {
                    $text =~ s{^([^#]*)}{};
                    $query .= $1;
                    if ($text =~ s/^#//) { $place = 'fragment'; $fragment = '' }
                }
                else { $fragment .= $text; $text = '' }
            }
            next;
        }
        my ($name, @transforms) = split /\|/, $$piece;
        $place = 'path' if $place eq 'authority' && $name eq 'path';
        my ($kind, $value) = exists $match->{captures}{$name} ? ('path', $match->{captures}{$name})
            : exists $match->{query_captures}{$name} ? ('raw', $match->{query_captures}{$name})
            : exists $match->{host_captures}{$name} ? ('host', $match->{host_captures}{$name})
            : $name eq 'path' ? ('path', $path) : $name eq 'host' ? ('host', $host)
            : $name eq 'scheme' ? ('host', $request->{scheme})
            : $name eq 'query' ? ('raw', $request->{query} // '') : die "naive: no value for {$name}";
        $takes_query = 1 if $name eq 'query';
        $value = transform($_, $value) for @transforms;
        if ($place eq 'authority') { $front .= $value }
        elsif ($place eq 'path') {
            # The request was `/a` itself: the slash before a final star goes too.
            $way =~ s{/$}{} if $name eq '*' && $match->{bare} && $i == $#glued && $way ne '/';
            $way .= $kind eq 'path' ? $value : encode_segment($value);
        }
        elsif ($place eq 'query') {
            $query .= $name eq 'query' && $alone ? encode_uri($value)
                : $kind eq 'path' ? encode_path_value($value) : encode_value($value);
        }
        else { $fragment .= $kind eq 'path' ? $value : encode_fragment($value) }
    }
    if (grep { ref } @glued) {
        return if grep { $_ eq '.' || $_ eq '..' } split m{/}, $way, -1;
        # Behind an authority a second slash does no harm; in front it would be an authority.
        $way =~ s{^/+}{/} if $front eq '';
    }
    $query = undef if $takes_query && defined $query && $query eq '';
    my $url = $front . $way;
    return $url . (defined $query ? "?$query" : '') . (defined $fragment ? "#$fragment" : '') if $takes_query;
    return append_query($rule, $match, $request, $url, $query, $fragment);
}

# In a path an escape is one character, whose hexadecimal digits no transform touches.
sub transform {
    my ($how, $text) = @_;
    if ($how eq 'dashes') { $text =~ s/%20|[_ ]/-/g }
    elsif ($how eq 'lower') { $text =~ s{(%[0-9A-F]{2})|([A-Z])}{$1 // lc $2}ge }
    else { $text =~ s{(%[0-9A-F]{2})|([a-z])}{$1 // uc $2}ge }
    return $text;
}

sub encode_fragment { my ($text) = @_; $text =~ s{([^A-Za-z0-9\-._~!\$&'()*+,;=:\@/?])}{sprintf '%%%02X', ord $1}ge; return $text }

# `?{query}` and nothing else in the query: the request's query as it was sent.
sub query_stands_alone {
    my @glued = @_;
    for my $i (1 .. $#glued) {
        next if !ref $glued[$i] || ${ $glued[$i] } ne 'query';
        return 1 if !ref $glued[$i - 1] && $glued[$i - 1] =~ /\?$/
            && ($i == $#glued || (!ref $glued[$i + 1] && $glued[$i + 1] =~ /^#/));
    }
    return 0;
}

sub append_query {
    my ($rule, $match, $request, $url, $query, $fragment) = @_;
    my ($policy, @names) = @{ $rule->{query} };
    my %own = map { $_->[1] => 1 } parameters($query);
    my @added;
    for my $parameter (@{ $request->{parameters} }) {
        my ($whole, $name) = @$parameter;
        next if $policy eq 'drop' || $own{$name} || $match->{consumed}{$name};
        my $named = grep { my $known = $_; $known =~ s/\*$// ? index($name, $known) == 0 : $name eq $known } @names;
        next if ($policy eq 'only' && !$named) || ($policy eq 'except' && $named);
        push @added, encode_uri($whole);
    }
    my $all = join '&', grep { defined && $_ ne '' } $query, @added;
    return $url . ($all ne '' ? "?$all" : '') . (defined $fragment ? "#$fragment" : '');
}

# A request as the matcher needs it, of "METHOD URL".
sub request {
    my ($method, $url) = @_;
    my %request = (method => $method, scheme => 'http', host => '', port => 80);
    if ($url =~ s{^(https?)://(\[[^\]]*\]|[^/?#:]*)(?::([0-9]*))?}{}i) {
        @request{qw(scheme host)} = (lc $1, lc $2);
        $request{port} = defined $3 && $3 ne '' ? $3 : $request{scheme} eq 'https' ? 443 : 80;
        $request{host} =~ s/^\[(.*)\]$/$1/;
        $request{host} =~ s/\.$//;
        $url = "/$url" if $url !~ m{^/};
    }
    my ($path, $query) = split /\?/, $url, 2;
    $request{query} = $query;
    $request{parameters} = [parameters($query)];
    @request{qw(segments slash)} = normal_path($path);
    return \%request;
}

# "STATUS LOCATION", "STATUS" or "pass", and the rule that gave it (undef: none).
sub answer {
    my ($self, $method, $url) = @_;
    my $request = request($method, $url);
    return 'pass' if !$request->{segments};
    my @matches;
    for my $rule (@{ $self->{rules} }) {
        my $host = match_host($rule->{hosts}, $request) or next;
        my $exact = match_path($rule, $request->{segments}, $request->{slash}, '');
        my $path = $rule->{case} eq 'ignore' ? match_path($rule, $request->{segments}, $request->{slash}, 'i') : $exact;
        next if !$path;
        # The written form: where it takes the path in the same way.
        undef $exact if $exact && grep { $exact->{captures}{$_} ne $path->{captures}{$_} } keys %{ $exact->{captures} };
        my $query = match_query($rule, $request->{parameters}) or next;
        my $fixed = grep { $_->{fixed} } @{ $rule->{parameters} };
        my $folded = $path->{slash} + ($exact ? 0 : 2);
        push @matches, { rule => $rule, bare => $path->{bare}, captures => $path->{captures}, host_captures => $host->[1],
            query_captures => $query->{captures}, consumed => $query->{consumed},
            rank => [$rule->{override} ? 0 : 1, $host->[0], $path->{rank}, [-@{ $rule->{parameters} }, -$fixed], $folded, $rule->{order}] };
    }
    for my $match (sort { compare($a->{rank}, $b->{rank}) } @matches) {
        my $rule = $match->{rule};
        next if !conditions_hold($rule, $request);
        my $action = $rule->{action};
        return ('pass', $rule) if $action->{kind} eq 'pass';
        my $codes = $STATUS{ $action->{word} // $rule->{status} } or die "naive: no such status";
        my $code = $codes->[$method eq 'GET' || $method eq 'HEAD' ? 0 : 1];
        return ($code, $rule) if $action->{kind} eq 'status';
        my $location = location($rule, $match, $request);
        return ("$code $location", $rule) if defined $location;
    }
    return 'pass';
}

1;
