#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Rules that `rulec check` says can never fire (R307-047) or stand there twice (R307-046), against asking for everything: small random rule
# sets, all URLs up to a length, in every state of cookie, flags and time that they ask for. None of these rules may
# ever answer.
#   REDIR307_SEED=N    another first seed (one a rule set, counted up; printed with each mismatch)
#   REDIR307_SETS=N    so many rule sets
use strict;
use warnings;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Redir307::Generate 'all_rules';
use Redir307::GenerateLoops qw(generate_set worlds set_in_world requests);
use Redir307::Naive;
use Redir307::RuleText qw(rule_text write_rule_files);
use Redir307::Rulec qw(folder run_in rulec_path);

my $FIRST_SEED = $ENV{REDIR307_SEED} // 307;
my $SETS = $ENV{REDIR307_SETS} // 60;
my $SHOWN = 5;

$SIG{ALRM} = sub { diag('this test took too long'); exit 255 };
alarm 7_200;

my $folder = folder();

# The lines of rules that can never fire.
sub told_lines {
    my ($set) = @_;
    write_rule_files($set, $folder);
    my ($exit, $said) = run_in($folder, rulec_path(), 'check', 'set.redir');
    return $exit =~ /^[01]$/ ? { map { $_ => 1 } $said =~ /^(set\.redir:\d+):\d+: \w+: [^\n]*\[R307-04[67]\]$/mg } : undef;
}

# Sources once more, under the conditions and on the hosts of other rules.
sub crowd {
    my ($set) = @_;
    my @rules = map { $_->[0] } all_rules($set->{items});
    my @places = ($set->{items}, map { $_->{items} } grep { $_->{items} } map { $_, @{ $_->{items} // [] } } @{ $set->{items} });
    for (1 .. 2 + rand 4) {
        my ($one, $other) = map { $rules[rand @rules] } 1 .. 2;
        next if $one->{action}{kind} eq 'https';
        my @clauses = grep { $one->{action}{kind} eq 'target' || $_->[0] ne 'query' } @{ $other->{clauses} };
        my $place = $places[rand @places];
        splice @$place, rand(@$place + 1), 0, { %$one, source => { %{ $one->{source} } }, clauses => [map { [@$_] } @clauses] };
    }
    return;
}

my ($wrong, $told, $silent, $rules) = (0, 0, 0, 0);
for my $seed ($FIRST_SEED .. $FIRST_SEED + $SETS - 1) {
    srand $seed;
    my $set = generate_set();
    crowd($set);
    my $lines = told_lines($set);
    if (!$lines) { $wrong++; diag("seed $seed: rulec check fails"); next }
    $rules += my @rules = all_rules($set->{items});
    $told += keys %$lines;
    next if !%$lines && !$ENV{REDIR307_SILENT};
    my %answered;
    for my $world (worlds($set->{features})) {
        my $naive = Redir307::Naive->new({ items => set_in_world($set->{items}, $world) });
        for my $request (requests($set->{features})) {
            my (undef, $rule) = $naive->answer(split / /, $request, 2);
            $answered{ $rule->{source} } //= $request if $rule;
        }
    }
    my @fired = grep { $lines->{ $_->{line} } && $answered{ $_->{source} } } map { $_->[0] } @rules;
    my @never = grep { !$lines->{ $_->{line} } && !$answered{ $_->{source} } } map { $_->[0] } @rules;
    $silent += @never;
    diag("seed $seed: nobody asks for @{[map { $_->{line} } @never]}; rules:\n" . rule_text($set)) if $ENV{REDIR307_SILENT} && @never;
    next if !@fired;
    diag("seed $seed: $fired[0]{line} can never fire, and it answers $answered{ $fired[0]{source} }; rules:\n" . rule_text($set)) if $wrong++ < $SHOWN;
}
is($wrong, 0, "what can never fire never does, in $SETS rule sets from seed $FIRST_SEED");
note("$rules rules, $told can never fire");
diag("$rules rules, $told can never fire, $silent more were not met") if $ENV{REDIR307_SETS};
cmp_ok($told, '>=', $SETS / 10, 'enough of them were told');
done_testing();
