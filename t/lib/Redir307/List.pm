# SPDX-License-Identifier: Apache-2.0
# What a list of exact redirects means, worked out without rulec and the engine: which rows cannot be rules and why,
# which row answers a URL, and where rows lead in circles. A hash of buckets, for the lists are long; in a bucket the
# rows are compared one by one, as docs/language.md ranks them.
#
# A row: { id => "file:line", file, line, site => number, hosts => [...], from, to, status }. Rows hold for all hosts
# of their site; case is ignored, the last slash too.
package Redir307::List;
use strict;
use warnings;
use Redir307::Naive;

my %STATUS_WITH_TARGET = map { $_ => 1 } 301, 302, 303, 307, 308;
my %STATUS_WITHOUT = map { $_ => 1 } 403, 404, 406, 410, 451, 503;

# Why a row alone cannot be a rule; undef where it can. Fills in what the rest of this file needs.
sub judge {
    my ($row) = @_;
    return 'a status that is no answer of a redirect' if !$STATUS_WITH_TARGET{ $row->{status} } && !$STATUS_WITHOUT{ $row->{status} };
    return 'a target where the status takes none' if $STATUS_WITHOUT{ $row->{status} } && $row->{to} ne '';
    return 'no target' if $STATUS_WITH_TARGET{ $row->{status} } && $row->{to} eq '';
    return 'a fragment in the source' if $row->{from} =~ /#/;
    return 'a target with a "%" that is no escape' if $row->{to} =~ /%(?![0-9A-Fa-f]{2})/;
    my $rest = $row->{from};
    $row->{host} = $rest =~ s{^https?://([^/?#]+)}{}i ? lc $1 : $row->{hosts}[0];
    $rest = "/$rest" if $rest !~ m{^/};
    my ($path, $query) = split /\?/, $rest, 2;
    my ($segments, $slash) = Redir307::Naive::normal_path($path) or return 'a source that is no valid path';
    $row->{path} = '/' . join '/', @$segments;
    $row->{slash} = $slash && @$segments ? 1 : 0;
    $row->{parameters} = [map { [$_->[1], $_->[2]] } Redir307::Naive::parameters($query)];
    my %names;
    return 'a parameter twice in the source' if grep { $names{ $_->[0] }++ } @{ $row->{parameters} };
    # The same source: path, slash and parameters, in any order.
    $row->{same} = join "\0", $row->{site}, $row->{path}, $row->{slash},
        sort map { defined $_->[1] ? "$_->[0]=$_->[1]" : $_->[0] } @{ $row->{parameters} };
    my $to = $row->{to};
    my $is_here = $to =~ m{^/} || ($to =~ s{^https?://([^/?#:]+)}{}i && grep { $_ eq lc $1 } @{ $row->{hosts} });
    my $from_path = $row->{path} . ($row->{slash} ? '/' : '');
    if ($is_here && $to !~ /[?#]/ && !@{ $row->{parameters} }) {
        my ($to_segments, $to_slash) = Redir307::Naive::normal_path($to eq '' ? '/' : $to);
        $row->{is_slash_exact} = 1 if $to_segments && '/' . join('/', @$to_segments) eq $row->{path} && $to_slash != $row->{slash};
    }
    return;
}

# A list of good rows, ready to be asked.
sub new {
    my ($class, $rows) = @_;
    my $self = bless { sites => {}, rows => {} }, $class;
    my $order = 0;
    for my $row (@$rows) {
        $row->{order} = $order++;
        $self->{sites}{$_}{ $row->{site} } = 1 for @{ $row->{hosts} };
        # One path of a real list has 15,990 rows that differ in two parameters.
        my $parameters = $row->{parameters};
        my $key = @$parameters > 2 ? 'many' : join '&', sort map { defined $_->[1] ? "$_->[0]=$_->[1]" : $_->[0] } @$parameters;
        push @{ $self->{rows}{"$row->{site} " . lc $row->{path}}{$key} }, $row;
    }
    return $self;
}

sub _matches {
    my ($row, $parameters) = @_;
    for my $wanted (@{ $row->{parameters} }) {
        my ($name, $value) = @$wanted;
        return 0 if !grep { $_->[1] eq $name && (!defined $value || ($_->[2] // '') eq $value) } @$parameters;
    }
    return 1;
}

# [row, Location] for a GET of http://HOST/...; nothing where no row answers. The Location is undef where there is none.
sub answer {
    my ($self, $url) = @_;
    my $request = Redir307::Naive::request('GET', $url);
    return if !$request->{segments};
    my $path = '/' . join '/', @{ $request->{segments} };
    my $slash = $request->{slash} && @{ $request->{segments} } ? 1 : 0;
    my ($best, $best_rank);
    my @texts = map { ("$_->[1]=" . ($_->[2] // ''), $_->[1]) } @{ $request->{parameters} };
    my %keys = map { $_ => 1 } '', 'many', @texts;
    for my $one (@texts) { $keys{ join '&', sort $one, $_ } = 1 for @texts }
    for my $site (sort keys %{ $self->{sites}{ $request->{host} } // {} }) {
        my $rows = $self->{rows}{"$site " . lc $path} or next;
        for my $row (map { @{ $rows->{$_} // [] } } keys %keys) {
            next if !_matches($row, $request->{parameters});
            my $slash_differs = $row->{slash} != $slash ? 1 : 0;
            next if $slash_differs && $row->{is_slash_exact};
            my $fixed = grep { defined $_->[1] } @{ $row->{parameters} };
            my $rank = [-@{ $row->{parameters} }, -$fixed, $slash_differs + ($row->{path} eq $path ? 0 : 2), $row->{order}];
            ($best, $best_rank) = ($row, $rank) if !$best || Redir307::Naive::compare($rank, $best_rank) < 0;
        }
    }
    return if !$best;
    return [$best, undef] if $best->{to} eq '';
    my $to = Redir307::Naive::encode_uri($best->{to});
    my ($front, $query, $fragment) = $to =~ /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;
    my %consumed = map { $_->[0] => 1 } @{ $best->{parameters} };
    my $location = Redir307::Naive::append_query({ query => ['keep'] }, { consumed => \%consumed }, $request, $front, $query, $fragment);
    # Nothing was added: the target as it is written, a bare "?" included.
    $location = $to if $location eq $front . (defined $query && $query ne '' ? "?$query" : '') . (defined $fragment ? "#$fragment" : '');
    return [$best, $location];
}

# The source of a row as a URL that a client could send.
sub url_of {
    my ($row, $host) = @_;
    my $rest = $row->{from};
    $rest =~ s{^https?://[^/?#]+}{}i;
    return 'http://' . ($host // $row->{host}) . Redir307::Naive::encode_uri($rest);
}

# What a client does next: (row, URL to go to); without a row or a URL where the way ends. A state has one spelling
# here: no rule asks for the scheme, and a bare "?" is no query.
sub _step {
    my ($self, $url) = @_;
    my $answer = $self->answer($url) or return;
    my ($row, $next) = @$answer;
    return $row if !defined $next;
    $next =~ s/#.*//s;
    $next =~ s/\?$//;
    my ($origin) = $url =~ m{^(https?://[^/?#]*)};
    $next = "$origin$next" if $next =~ m{^/};
    $next =~ s{^https:}{http:}i;
    return ($row, $next);
}

# The rows on circles: [row...] a circle. Every state but the first is some row's Location, so walking from each
# row's own source finds all of them.
sub circles {
    my ($self, $rows) = @_;
    my (%done, @circles);
    for my $start (@$rows) {
        # Most of a list leads away for good.
        next if $start->{to} =~ m{^https?://([^/?#:]+)}i && !$self->{sites}{ lc $1 };
        my $url = url_of($start);
        my (@way, %at);
        while (defined $url && !$done{$url}) {
            if (exists $at{$url}) { push @circles, [@way[$at{$url} .. $#way]]; last }
            $at{$url} = @way;
            (my $row, $url) = $self->_step($url);
            push @way, $row;
        }
        @done{ keys %at } = (1) x keys %at;
    }
    return @circles;
}

# Takes out what cannot be a rule or leads in a circle, until the rest is sound. Gives the rows kept and a list of
# { why, rows => [...], left_out => [...] }.
sub sort_out {
    my ($rows) = @_;
    my (@findings, @good, %first);
    for my $row (@$rows) {
        my $why = judge($row);
        if (defined $why) { push @findings, { why => $why, rows => [$row], left_out => [$row] }; next }
        my $same = $first{ $row->{same} };
        if ($same && ($same->{to} ne $row->{to} || $same->{status} ne $row->{status})) {
            push @findings, { why => "another answer to the source of $same->{id}", rows => [$same, $row], left_out => [$row] };
            next;
        }
        $first{ $row->{same} } //= $row;
        push @good, $row;
    }
    while (my @circles = __PACKAGE__->new(\@good)->circles(\@good)) {
        my (%out, %known);
        for my $circle (@circles) {
            my %seen;
            my @on = grep { !$seen{ $_->{id} }++ } @$circle;
            next if $known{ join ' ', sort map { $_->{id} } @on }++;
            push @findings, { why => @on == 1 ? 'leads to itself' : 'leads in a circle: ' . join(' ', map { $_->{id} } @on), rows => [@on],
                left_out => [grep { !$out{ $_->{id} } } @on] };
            $out{ $_->{id} } = 1 for @on;
        }
        @good = grep { !$out{ $_->{id} } } @good;
    }
    return (\@good, \@findings);
}

1;
