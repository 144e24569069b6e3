# SPDX-License-Identifier: Apache-2.0
# The naive matcher with all that a request may be asked beside its URL: conditions, windows, choices of targets, and
# what caches are told. It follows docs/language.md as plainly as it can and shares nothing with the engine: local time
# is the C library's, lists are cut by Perl's regexes, networks are strings of bits.
#
# Over Redir307::Naive a rule set has:
#   CLAUSE  [when|unless, kind, words...] ['from', TIME] ['until', TIME] ['daily', text] ['weekly', text]
#           ['timezone', name] ['cache', words...] ['vary', names...] ['override'] ['preflight', word]
#   TIME    { text, at => Unix time } or { text, local => [year, month, day, hour, minute, second] }
#   ACTION  { kind => 'choice', by, name, lines => [{ keys => [...], otherwise, weight, pieces, word }...], word }
# A request is { method, url, headers => [{ name, value }...], env, flags, client, at => Unix time, chance, busy }.
package Redir307::NaiveConditions;
use strict;
use warnings;
use Redir307::Naive;
use POSIX ();
use Socket qw(AF_INET AF_INET6 inet_pton);
use Time::Local qw(timegm);

our @ISA = ('Redir307::Naive');

# ---- local time: what the C library says ----

my $zone_now = '';

# Year, month, day, hour, minute, second, day of the week (0: Sunday) of an instant, and the offset from UTC.
sub local_time {
    my ($zone, $at) = @_;
    if ($zone ne $zone_now) {
        $ENV{TZ} = $zone_now = $zone;
        POSIX::tzset();
    }
    my @local = localtime $at;
    return ($local[5] + 1900, $local[4] + 1, @local[3, 2, 1, 0, 6], timegm(@local[0 .. 5]) - $at);
}

# A local time that comes twice is the first of both; one that is leapt over is as much later as the clock leaps.
sub instant_of {
    my ($zone, $year, $month, $day, $hour, $minute, $second) = @_;
    my $wanted = timegm($second, $minute, $hour, $day, $month - 1, $year);
    my @offsets = map { (local_time($zone, $wanted + $_ * 3600))[7] } -48 .. 48;
    my ($first) = sort { $a <=> $b } grep { (local_time($zone, $_))[7] + $_ == $wanted } map { $wanted - $_ } @offsets;
    return $first // $wanted - (local_time($zone, $wanted - 86400))[7];
}

sub clock_of { my ($text) = @_; my ($hour, $minute, $second) = split /:/, $text; return $hour * 3600 + $minute * 60 + ($second // 0) }

my %DAYS = (sun => 0, mon => 1, tue => 2, wed => 3, thu => 4, fri => 5, sat => 6);

sub days_of {
    my ($text) = @_;
    my %days;
    for my $part (split /[, ]/, $text) {
        my ($first, $last) = map { $DAYS{$_} } split /-/, $part;
        $last //= $first;
        for (my $day = $first;; $day = ($day + 1) % 7) { $days{$day} = 1; last if $day == $last }
    }
    return \%days;
}

# Does a window that starts at that time of those days hold? One over midnight belongs to the day it starts on.
sub recurring_holds {
    my ($window, $at) = @_;
    my @local = local_time($window->{zone}, $at);
    my $clock = $local[3] * 3600 + $local[4] * 60 + $local[5];
    my ($start, $end) = @$window{qw(start end)};
    return $window->{days}{ $local[6] } && $clock >= $start && $clock < $end if $start < $end;
    return 1 if $window->{days}{ $local[6] } && $clock >= $start;
    return $window->{days}{ ($local[6] + 6) % 7 } && $clock < $end;
}

# ---- fields ----

sub trim { my ($text) = @_; $text =~ s/^[ \t]+//; $text =~ s/[ \t]+$//; return $text }

# Cut at a separator that does not stand in quotes.
sub cut {
    my ($text, $separators) = @_;
    my @parts = ('');
    while ($text =~ /\G("(?:[^"\\]|\\.)*"|.)/gs) {
        if (length $1 == 1 && index($separators, $1) >= 0) { push @parts, '' }
        else { $parts[-1] .= $1 }
    }
    return map { trim($_) } @parts;
}

# The value of a field: its lines joined; undef where there is none.
sub field {
    my ($request, $name) = @_;
    my @values = map { trim($_->{value}) } grep { lc $_->{name} eq lc $name } @{ $request->{headers} };
    return @values ? trim(join ', ', @values) : undef;
}

sub cookie {
    my ($request, $name) = @_;
    my $cookies = field($request, 'Cookie') // return;
    # Quotes hide no separator: neither can be in a cookie's value (RFC 6265, 4.1.1).
    for my $pair (split /[;,]/, $cookies) {
        my ($have, $value) = map { trim($_) } split /=/, $pair, 2;
        next if !defined $value || $have ne $name;
        $value =~ s/^"(.*)"$/$1/s;
        return $value;
    }
    return;
}

# [range, weight]... of Accept or Accept-Language; what is malformed is not there.
sub ranges {
    my ($field) = @_;
    my @ranges;
    ELEMENT: for my $element (cut($field // '', ',')) {
        my ($range, @parameters) = cut($element, ';');
        next if !defined $range || $range eq '';
        my $weight = 1;
        for my $parameter (@parameters) {
            my ($name, $value) = map { trim($_) } split /=/, $parameter, 2;
            next if !defined $value || lc $name ne 'q';
            next ELEMENT if $value !~ /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/;
            $weight = $value + 0;
            last;
        }
        push @ranges, [lc $range, $weight];
    }
    return @ranges;
}

# The weight that a field gives a key: 0 where it is refused, -1 where it is not named.
sub weight {
    my ($list, $field, $key) = @_;
    my ($best, $weight) = (0, -1);
    $key = lc $key;
    for (ranges($field)) {
        my ($range, $have) = @$_;
        my $rank = 0;
        if ($list eq 'accept') {
            my ($type) = split m{/}, $key;
            $rank = $range eq $key ? 2 : $range eq "$type/*" ? 1 : 0;
        }
        elsif ($range ne '*') { $rank = length $range if "$key-" =~ /^\Q$range\E-/ || $have && "$range-" =~ /^\Q$key\E-/ }
        next if !$rank || $rank < $best;
        $weight = $have if $rank > $best || $have > $weight;
        $best = $rank;
    }
    return $weight;
}

sub takes_anything {
    my ($list, $field) = @_;
    return 1 if !defined $field || trim($field) eq '';
    my $star = $list eq 'accept' ? '*/*' : '*';
    return scalar grep { $_->[0] eq $star && $_->[1] > 0 } ranges($field);
}

sub address_bits {
    my ($text) = @_;
    # An IPv4 client of a socket for both families.
    my $four = inet_pton(AF_INET, $text =~ s/^::ffff:(?=[0-9.]+$)//r);
    return unpack 'B32', $four if defined $four;
    return unpack 'B128', inet_pton(AF_INET6, $text);
}

sub in_network {
    my ($client, $network) = @_;
    my ($address, $prefix) = split m{/}, $network;
    my ($have, $bits) = (address_bits($client), address_bits($address));
    return 0 if length $have != length $bits;
    $prefix //= length $bits;
    return substr($have, 0, $prefix) eq substr($bits, 0, $prefix);
}

# ---- clauses ----

sub new {
    my ($class, $set) = @_;
    my $self = bless { rules => [] }, $class;
    $self->_walk($set->{items}, { status => 'temporary', case => 'exact', slash => 'ignore', query => ['keep'], conditions => [], let => {},
        hosts => [{ kind => 'any' }], asked => [], from => undef, until => undef, dailies => [], weeklies => [], vary => [], cache => undef, override => 0, preflight => 'pass' });
    return $self;
}

sub _walk {
    my ($self, $items, $outer) = @_;
    for my $item (@$items) {
        my %inner = (%$outer, asked => [@{ $outer->{asked} }], dailies => [@{ $outer->{dailies} }], weeklies => [@{ $outer->{weeklies} }]);
        my @clauses = @{ $item->{clauses} // [] };
        for (grep { $_->[0] eq 'timezone' } @clauses) { $inner{zone} = $_->[1] }
        for my $clause (@clauses) {
            my ($name, @words) = @$clause;
            if ($name eq 'when' || $name eq 'unless') { push @{ $inner{asked} }, [$name, @words] }
            elsif ($name eq 'from' || $name eq 'until') {
                my $at = $words[0]{at} // instant_of($inner{zone}, @{ $words[0]{local} });
                my $is_narrower = !defined $inner{$name} || ($name eq 'from' ? $at > $inner{$name} : $at < $inner{$name});
                $inner{$name} = $at if $is_narrower;
            }
            elsif ($name eq 'daily') { push @{ $inner{dailies} }, [$inner{zone}, map { clock_of($_) } split /-/, $words[0]] }
            elsif ($name eq 'weekly') { push @{ $inner{weeklies} }, [$inner{zone}, days_of($words[0])] }
            elsif ($name eq 'override') { $inner{override} = 1 }
            elsif ($name eq 'cache' || $name eq 'vary' || $name eq 'query') { $inner{$name} = [@words] }
            elsif ($name ne 'timezone') { $inner{$name} = $words[0] }
        }
        if ($item->{kind} eq 'rule') { $self->_add($item, \%inner) }
        else { $self->_walk($item->{items}, \%inner) }
    }
    return;
}

sub _add {
    my ($self, $item, $scope) = @_;
    # The names of all days on which its windows may start: those of every `weekly`.
    my %days = map { $_ => 1 } 0 .. 6;
    for my $weekly (@{ $scope->{weeklies} }) { delete $days{$_} for grep { !$weekly->[1]{$_} } keys %days }
    my @recurring = map { { zone => $_->[0], days => \%days, start => $_->[1], end => $_->[2] == 0 ? 86400 : $_->[2] } } @{ $scope->{dailies} };
    push @recurring, { zone => $scope->{zone}, days => \%days, start => 0, end => 86400 } if @{ $scope->{weeklies} } && !@recurring;
    my %kinds;
    @kinds{qw(method scheme header cookie accept language query client env flag chance busy)} = 0 .. 11;
    # Asked kind by kind; of one kind `when` first, then by name.
    my @asked = sort { $kinds{ $a->[1] } <=> $kinds{ $b->[1] } || $b->[0] cmp $a->[0] || ($a->[1] eq 'header' ? $a->[2] cmp $b->[2] : 0) } @{ $scope->{asked} };
    $self->SUPER::_add($item, { %$scope, line => $item->{line}, asked => \@asked, recurring => \@recurring });
    return;
}

# ---- one condition ----

my %STATUS = (
    'temporary' => [307, 307], 'permanent' => [308, 308], 'found' => [302, 302], 'moved' => [301, 301],
    'temporary auto' => [302, 307], 'permanent auto' => [301, 308], 'see-other' => [303, 303], 'gone' => [410, 410],
    map { $_ => [$_, $_] } 301, 302, 303, 307, 308, 403, 404, 406, 410, 451, 503,
);

sub read_field { my ($reads, $name) = @_; push @{ $reads->{fields} }, $name if !grep { lc $_ eq lc $name } @{ $reads->{fields} }; return }

sub value_holds {
    my ($value, $operator, @values) = @_;
    return 0 if !defined $value;
    return 1 if !defined $operator;
    return scalar grep { $_ eq $value } @values if $operator eq '=';
    return $value =~ /$values[0]/ ? 1 : 0;
}

# Millionths; a draw is always less than all of them.
sub draw { my ($request) = @_; return $request->{chance} >= 100 ? 999_999 : $request->{chance} * 10_000 }

sub holds {
    my ($condition, $request, $reads) = @_;
    my (undef, $kind, @words) = @$condition;
    my $method = $request->{method} eq 'HEAD' ? 'GET' : $request->{method};
    return scalar grep { ($_ eq 'HEAD' ? 'GET' : $_) eq $method } @words if $kind eq 'method';
    return scalar grep { $_ eq $request->{scheme} } @words if $kind eq 'scheme';
    if ($kind eq 'header') {
        my $name = shift @words;
        read_field($reads, $name);
        return value_holds(field($request, $name), @words);
    }
    if ($kind eq 'cookie') {
        my $name = shift @words;
        read_field($reads, 'Cookie');
        return value_holds(scalar cookie($request, $name), @words);
    }
    if ($kind eq 'accept' || $kind eq 'language') {
        my $name = $kind eq 'accept' ? 'Accept' : 'Accept-Language';
        read_field($reads, $name);
        return scalar grep { weight($kind, field($request, $name), $_) > 0 } @words;
    }
    if ($kind eq 'query') {
        my ($name, $operator, @values) = @words;
        return scalar grep { $_->[1] eq $name && value_holds($_->[2] // '', $operator, @values) } @{ $request->{parameters} };
    }
    # What no field of Vary can tell.
    $reads->{more} = 1;
    return scalar grep { in_network($request->{client}, $_) } @words if $kind eq 'client';
    return value_holds($request->{env}{ $words[0] }, @words[1 .. $#words]) if $kind eq 'env';
    if ($kind eq 'flag') {
        my %on = map { $_ => 1 } @{ $request->{flags} };
        return scalar grep { $on{$_} } @words;
    }
    my ($share) = $words[0] =~ /^([0-9.]+)%$/;
    return draw($request) < $share * 10_000 ? 1 : 0 if $kind eq 'chance';
    return $request->{busy} >= $share ? 1 : 0 if $kind eq 'busy';
    die "naive: no condition $kind";
}

sub rule_holds {
    my ($rule, $request, $reads) = @_;
    for my $condition (@{ $rule->{asked} }) {
        my $holds = holds($condition, $request, $reads) ? 1 : 0;
        return 0 if $holds == ($condition->[0] eq 'when' ? 0 : 1);
    }
    my $now = $request->{at};
    if (defined $rule->{from} && $now < $rule->{from}) { push @{ $reads->{edges} }, $rule->{from}; return 0 }
    return 0 if defined $rule->{until} && $now >= $rule->{until};
    push @{ $reads->{edges} }, $rule->{until} if defined $rule->{until};
    for my $window (@{ $rule->{recurring} }) {
        $reads->{recurs} = 1;
        return 0 if !recurring_holds($window, $now);
    }
    return 1;
}

# The lines that may answer: one, or several where a hash decides; none where the form does not hold.
sub choose {
    my ($action, $request, $reads) = @_;
    my ($by, @lines) = ($action->{by}, @{ $action->{lines} });
    my ($otherwise) = grep { $_->{otherwise} } @lines;
    if ($by eq 'accept' || $by eq 'language') {
        my $name = $by eq 'accept' ? 'Accept' : 'Accept-Language';
        read_field($reads, $name);
        my $field = field($request, $name);
        my ($best, $chosen) = (0);
        for my $line (@lines) {
            for my $key (@{ $line->{keys} }) {
                my $weight = weight($by, $field, $key);
                ($best, $chosen) = ($weight, $line) if $weight > $best;
            }
        }
        my ($not_refused) = grep { grep { weight($by, $field, $_) } @{ $_->{keys} } } @lines;
        $chosen //= $otherwise // (takes_anything($by, $field) ? $not_refused : undef);
        return grep { $_ } $chosen;
    }
    if ($by eq 'header' || $by eq 'cookie' || $by eq 'method') {
        read_field($reads, $by eq 'header' ? $action->{name} : 'Cookie') if $by ne 'method';
        my $value = $by eq 'header' ? field($request, $action->{name}) : $by eq 'cookie' ? cookie($request, $action->{name})
            : $request->{method} eq 'HEAD' ? 'GET' : $request->{method};
        my ($chosen) = grep { my $line = $_; defined $value && grep { $_ eq $value } @{ $line->{keys} } } @lines;
        return grep { $_ } $chosen // $otherwise;
    }
    $reads->{more} = 1;
    return @lines if $by eq 'client';
    my $sum = 0;
    $sum += $_->{weight} for @lines;
    my $left = int(draw($request) * $sum / 1_000_000);
    for my $line (@lines) {
        return $line if $left < $line->{weight};
        $left -= $line->{weight};
    }
    die 'naive: no line was drawn';
}

# ---- the answer ----

# { outcome, rule, status, locations => [...], vary => [...], cache (text or undef), recurs: max-age may be less }
sub answer {
    my ($self, $facts) = @_;
    my $request = { %{ Redir307::Naive::request($facts->{method}, $facts->{url}) }, %$facts };
    my %reads = (fields => [], edges => [], more => 0, recurs => 0);
    my $preflight = $request->{method} eq 'OPTIONS' && defined field($request, 'Origin') && defined field($request, 'Access-Control-Request-Method');
    my @matches;
    for my $rule (@{ $self->{rules} }) {
        my $host = Redir307::Naive::match_host($rule->{hosts}, $request) or next;
        my $path = Redir307::Naive::match_path($rule, $request->{segments}, $request->{slash}, '') or next;
        my $query = Redir307::Naive::match_query($rule, $request->{parameters}) or next;
        my $fixed = grep { $_->{fixed} } @{ $rule->{parameters} };
        push @matches, { rule => $rule, bare => $path->{bare}, captures => $path->{captures}, host_captures => $host->[1],
            query_captures => $query->{captures}, consumed => $query->{consumed},
            rank => [$rule->{override} ? 0 : 1, $host->[0], $path->{rank}, [-@{ $rule->{parameters} }, -$fixed], $path->{slash}, $rule->{order}] };
    }
    for my $match (sort { Redir307::Naive::compare($a->{rank}, $b->{rank}) } @matches) {
        my $rule = $match->{rule};
        my $action = $rule->{action};
        next if $preflight && $rule->{preflight} ne 'redirect' && $action->{kind} ne 'pass';
        read_field(\%reads, $_) for @{ $rule->{vary} };
        next if !rule_holds($rule, $request, \%reads);
        return { outcome => 'pass', rule => $rule, vary => $reads{fields} } if $action->{kind} eq 'pass';
        my @lines = $action->{kind} eq 'choice' ? choose($action, $request, \%reads) : $action;
        next if !@lines;
        my @answers;
        for my $line (@lines) {
            my $codes = $STATUS{ $line->{word} // $action->{word} // $rule->{status} };
            my $status = $codes->[$request->{method} eq 'GET' || $request->{method} eq 'HEAD' ? 0 : 1];
            my $target = $line->{pieces} ? Redir307::Naive::location({ %$rule, action => { kind => 'target', pieces => $line->{pieces} } }, $match, $request) : undef;
            push @answers, { status => $status, location => $target };
        }
        return { outcome => 'send', rule => $rule, answers => \@answers, vary => $reads{fields}, reads => \%reads, at => $request->{at} };
    }
    return { outcome => 'none', vary => $reads{fields} };
}

# What Cache-Control may say: (text before, seconds), or (text); nothing where the field is not sent.
sub cache_control {
    my ($self, $answer, $status) = @_;
    my ($rule, $reads) = @$answer{qw(rule reads)};
    my @cache = @{ $rule->{cache} // [] };
    return if @cache && $cache[0] eq 'default';
    return 'no-store' if @cache && $cache[0] eq 'none';
    my $before = @cache && $cache[0] eq 'private' ? 'private, ' : '';
    my $seconds;
    if (@cache) {
        my ($number, $unit) = $cache[-1] =~ /^([0-9]+)([smhdw])$/;
        $seconds = $number * { s => 1, m => 60, h => 3600, d => 86400, w => 604800 }->{$unit};
    }
    else {
        return 'no-store' if $reads->{more};
        return 'no-cache' if $status != 301 && $status != 308 && $status != 410;
        $seconds = 3600;
    }
    # A second less than are left: a cache may count from a part of one.
    for my $edge (@{ $reads->{edges} }) { $seconds = $edge - $answer->{at} - 1 if $edge - $answer->{at} - 1 < $seconds }
    return ("${before}max-age=", $seconds);
}

1;
