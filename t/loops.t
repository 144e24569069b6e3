#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What `rulec check` says of loops, against asking for everything: small random rule sets, all URLs up to a length, each
# followed with the naive matcher until a request comes again. Every loop found so must be told, as an error
# (R307-041) or as undecided (R307-207); and every URL that an error names must go round.
#   REDIR307_SEED=N    another first seed (one a rule set, counted up; printed with each mismatch)
#   REDIR307_SETS=N    so many rule sets
use strict;
use warnings;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Redir307::Generate qw(all_rules drop_rules);
use Redir307::GenerateLoops qw(generate_set worlds set_in_world requests is_named);
use Redir307::Naive;
use Redir307::RuleText qw(rule_text write_rule_files);
use Redir307::Rulec qw(folder run_in rulec_path);

my $FIRST_SEED = $ENV{REDIR307_SEED} // 307;
my $SETS = $ENV{REDIR307_SETS} // 80;
my $HOPS = 40; # past them, a path that has become longer grows for ever
my $LONGEST = 2_000; # and past so many bytes, for what doubles with each hop
my $SHOWN = 5;

$SIG{ALRM} = sub { diag('this test took too long'); exit 255 };
alarm 7_200;

my $folder = folder();

# ---- following ----

# Where a client goes next, as METHOD URL; undef where the answer is no redirect, or leads to a host of nobody's.
sub next_request {
    my ($naive, $items, $request) = @_;
    my ($method, $url) = split / /, $request, 2;
    my ($status, $location) = split / /, ($naive->answer($method, $url))[0], 2;
    return if !defined $location;
    $location =~ s/#.*//;
    my ($origin) = $url =~ m{^(\w+://[^/?]+)};
    if ($location =~ m{^\w+://([^/?]+)}) {
        my $host = $1;
        return if !is_named($items, $host);
        $location =~ s{^(\w+://[^/?]+)(?=\?|$)}{$1/};
    }
    else { $location = "$origin$location" }
    $method = 'GET' if $status == 303 || ($method eq 'POST' && $status =~ /^30[12]$/);
    return "$method $location";
}

# 'loop' or 'growth' or ''; what is known of a request holds for those that lead to it.
sub fate {
    my ($naive, $items, $known, $request) = @_;
    my (@way, %seen);
    my $fate = '';
    my $at = $request;
    while (defined $at) {
        if (defined $known->{$at}) { $fate = $known->{$at}; last }
        if ($seen{$at}++) { $fate = 'loop'; last }
        push @way, $at;
        if (@way > $HOPS || length $at > $LONGEST) { $fate = 'growth'; last }
        $at = next_request($naive, $items, $at);
    }
    $known->{$_} = $fate for @way;
    return $fate;
}

# The naive matchers of all worlds.
sub matchers { my ($set) = @_; return map { Redir307::Naive->new({ items => set_in_world($set->{items}, $_) }) } worlds($set->{features}) }

# The first request that goes round or grows, and which; nothing where none does.
sub brute_force {
    my ($set) = @_;
    my @requests = requests($set->{features});
    for my $naive (matchers($set)) {
        my %known;
        for my $request (@requests) {
            my $fate = fate($naive, $set->{items}, \%known, $request);
            return ($request, $fate) if $fate ne '';
        }
    }
    return;
}

# True where the URL of a message goes round for some method and scheme, in some world.
sub goes_round {
    my ($set, $url, $method) = @_;
    my @urls = $url =~ m{^/} ? map { "$_://any.invalid$url" } 'http', 'https' : $url;
    my @methods = $method ? $method : ('GET');
    for my $naive (matchers($set)) {
        for my $request (map { my $one = $_; map { "$one $_" } @urls } @methods) {
            my %seen;
            my $at = $request;
            while (defined $at && keys %seen < $HOPS && length $at < $LONGEST) {
                # It comes back to where it began, or goes round without it.
                return 1 if $seen{$at} && $at eq $request;
                last if $seen{$at}++;
                $at = next_request($naive, $set->{items}, $at);
            }
        }
    }
    return 0;
}

# ---- asking rulec ----

# Its exit status, and what it said.
sub check {
    my ($set) = @_;
    write_rule_files($set, $folder);
    return run_in($folder, rulec_path(), 'check', 'set.redir');
}

# Checks the set without the rules in conflict. What is said of loops; undef where it fails for another reason.
sub check_loops {
    my ($set) = @_;
    for (1 .. 30) {
        return '' if !all_rules($set->{items});
        my ($exit, $said) = check($set);
        return $said if $exit eq '0' || ($exit eq '1' && $said !~ /: error: (?![^\n]*\[R307-041\])/);
        my %lines = map { $_ => 1 } $said =~ m{^(set\.redir:\d+):\d+: error: [^\n]*\[R307-(?!041)\d+\]}mg;
        next if $exit eq '1' && drop_rules($set->{items}, \%lines);
        diag("exit status $exit of rulec check:\n$said\nfor\n" . rule_text($set));
        return;
    }
    return;
}

my ($rules, %seen) = (0);

# What is wrong with a set; '' where nothing is.
sub mismatch {
    my ($set) = @_;
    my $said = check_loops($set) // return 'rulec check fails';
    my ($request, $fate) = brute_force($set);
    my $is_told = $said =~ /\[R307-(?:041|207)\]/;
    $rules += all_rules($set->{items});
    $seen{ ($fate || 'no loop') . ($said =~ /\[R307-041\]/ ? ', an error' : $is_told ? ', undecided' : ', nothing said') }++;
    return "$request: $fate, and nothing was said" if $fate && !$is_told;
    # One error after the other is mended, until none is left.
    while ($said =~ m{^(set\.redir:\d+):\d+: error: redirect "([^"]+)" leads back to itself([^\[\n]*)\[R307-041\]}m) {
        my ($line, $url, $more) = ($1, $2, $3);
        my ($method) = $more =~ /, for (\w+)/;
        $method = 'PUT' if ($method // '') eq 'other';
        return "$url does not go round" if !goes_round($set, $url, $method);
        $seen{'errors confirmed'}++;
        drop_rules($set->{items}, { $line => 1 }) or return "no rule on $line";
        return '' if !all_rules($set->{items});
        $said = check_loops($set) // return 'rulec check fails';
    }
    return '' if $said =~ /\[R307-207\]/;
    ($request, $fate) = brute_force($set);
    return $fate ? "$request: $fate, once the errors are mended, and nothing was said" : '';
}

my ($wrong, $seed) = (0, $FIRST_SEED);
for (; $seed < $FIRST_SEED + $SETS; $seed++) {
    srand $seed;
    my $set = generate_set();
    my $what = mismatch($set);
    next if $what eq '';
    diag("seed $seed: $what; rules:\n" . rule_text($set)) if $wrong++ < $SHOWN;
}
is($wrong, 0, "rulec check knows the loops of $SETS rule sets, from seed $FIRST_SEED");
note("$rules rules; ", join '; ', map { "$_: $seen{$_}" } sort keys %seen);
diag("$rules rules; ", join '; ', map { "$_: $seen{$_}" } sort keys %seen) if $ENV{REDIR307_SETS};
# A generator that makes no loops would prove nothing.
cmp_ok($seen{'errors confirmed'} // 0, '>=', $SETS / 10, 'enough loops were errors');
cmp_ok($seen{'no loop, nothing said'} // 0, '>=', $SETS / 10, '... and enough rule sets have none');
done_testing();
