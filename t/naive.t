#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The engine against a deliberately naive matcher: random rule sets, hundreds of requests each, one answer. Which rule
# wins, what a Location looks like and what is left alone must agree for all of them.
#   REDIR307_SEED=N    another first seed (one a rule set, counted up; printed with each mismatch)
#   REDIR307_SETS=N    so many rule sets
use strict;
use warnings;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Redir307::Generate qw(generate_set generate_requests all_rules drop_rules);
use Redir307::Naive;
use Redir307::RuleText qw(rule_text write_rule_files);
use Redir307::Rulec qw(folder run_in rulec_path);

my $FIRST_SEED = $ENV{REDIR307_SEED} // 307;
my $SETS = $ENV{REDIR307_SETS} // 600;
my $REQUESTS_EACH = 400;
my $SETS_A_TEST = 50;
my $SHOWN = 5;
my $MOVED_EVERY = 5; # one rule set in so many is asked again with its lines reversed

$SIG{ALRM} = sub { diag('this test took too long'); exit 255 };
alarm 1_800;

my $folder = folder();

# Runs rulec: its exit status. What it said is in the two.
my ($out, $err);
sub run_rulec {
    my ($input, @words) = @_;
    (my $status, $out, $err) = run_in($folder, rulec_path(), @words, { separate => 1, input => $input });
    return $status;
}

# Rules that the last run called hidden: they must win nothing. And whether rules were left out that led in a circle.
my (@hidden, $had_loop);

# Compiles a set, without the rules that the compiler finds in conflict. The number dropped, or undef where it fails
# for another reason (which is a failed test).
sub compile {
    my ($set) = @_;
    my $dropped = $had_loop = 0;
    for (1 .. 50) {
        write_rule_files($set, $folder);
        my $exit = run_rulec('', 'compile', '-o', "$folder/set.r307", "$folder/set.redir");
        my $said = $err;
        if ($exit eq '0') {
            my %hidden = map { $_ => 1 } $said =~ m{^[^\n]*?(\w+\.redir:\d+):\d+: warning: this rule can never fire}mg;
            @hidden = map { $_->[0] } grep { $hidden{ $_->[0]{line} } } all_rules($set->{items});
            return $dropped;
        }
        my %lines = map { $_ => 1 } $said =~ m{^[^\n]*?(\w+\.redir:\d+):\d+: error: [^\n]*\[R307-(?:041|045)\]}mg;
        $had_loop ||= $said =~ /\[R307-041\]/;
        my $now = $exit eq '1' ? drop_rules($set->{items}, \%lines) : 0;
        if (!$now || $said =~ /error: (?![^\n]*\[R307-04[15])/) {
            diag("exit status $exit of rulec compile:\n$said\nfor\n" . rule_text($set));
            return;
        }
        $dropped += $now;
    }
    return;
}

# What rulec answers; undef where it fails.
sub engine_answers {
    my ($requests) = @_;
    my $exit = run_rulec(join('', map { "$_\n" } @$requests), 'answer', "$folder/set.r307", '-');
    my @answers = split /\n/, $out, -1;
    pop @answers;
    return \@answers if $exit eq '0' && @answers == @$requests;
    diag("rulec answer: exit status $exit, ", scalar @answers, ' answers to ', scalar @$requests, " requests\n", $err);
    return;
}

# The fewest rules that still give two answers to this request.
sub reduce {
    my ($set, $request) = @_;
    my $smaller = 1;
    while ($smaller) {
        $smaller = 0;
        for my $item (map { $_->[0] } all_rules($set->{items})) {
            my $try = without($set->{items}, $item);
            my %copy = (items => $try);
            next if !all_rules($try);
            my $dropped = compile(\%copy);
            next if !defined $dropped || $dropped;
            my $engine = engine_answers([$request]) or next;
            my ($naive) = Redir307::Naive->new(\%copy)->answer(split / /, $request, 2);
            next if $engine->[0] eq $naive;
            $set = \%copy;
            $smaller = 1;
            last;
        }
    }
    compile($set);
    return $set;
}
sub without {
    my ($items, $gone) = @_;
    return [map { $_->{items} ? { %$_, items => without($_->{items}, $gone) } : { %$_ } }
        grep { $_ != $gone && (!$_->{items} || grep { $_->[0] != $gone } all_rules($_->{items})) } @$items];
}

# The lines of each block from the last to the first.
sub reversed {
    my ($items) = @_;
    return [map { { %$_, $_->{items} ? (items => reversed($_->{items})) : () } } reverse @$items];
}

# Only the rules with these sources.
sub only {
    my ($items, @sources) = @_;
    return [map { { %$_, $_->{items} ? (items => only($_->{items}, @sources)) : () } }
        grep { my $item = $_; $item->{kind} ne 'rule' || grep { $_ == $item->{source} } @sources } @$items];
}

# True where two rules are of equal rank for a request: of the two alone, whichever stands first wins.
sub are_equal {
    my ($items, $request, @rules) = @_;
    my $two = only($items, map { $_->{source} } @rules);
    my @first = map { (Redir307::Naive->new({ items => $_ })->answer(split / /, $request, 2))[1] } $two, reversed($two);
    return $first[0] && $first[1] && $first[0]{source} != $first[1]{source};
}

# Lines may move: other answers come only from rules of equal rank, which the order decides between. The requests for
# which that is not so.
sub moved_answers {
    my ($set, $requests, $answers) = @_;
    my %moved = (items => reversed($set->{items}));
    my $dropped = compile(\%moved);
    # Which of two equals stands first decides whether a circle is closed.
    return if $dropped && $had_loop;
    return 'does not compile with its lines reversed' if !defined $dropped || $dropped;
    my $after = engine_answers($requests) or return 'is not answered with its lines reversed';
    my @naive = map { Redir307::Naive->new($_) } $set, \%moved;
    my @wrong;
    for my $i (grep { $answers->[$_] ne $after->[$_] } 0 .. $#$requests) {
        my @winners = map { ($_->answer(split / /, $requests->[$i], 2))[1] } @naive;
        push @wrong, $requests->[$i]
            if !$winners[0] || !$winners[1] || !are_equal($set->{items}, $requests->[$i], @winners);
    }
    return @wrong;
}

my ($pairs, $rules, $left_out, $shown, $hidden_count, %won) = (0, 0, 0, 0, 0);
note("seeds $FIRST_SEED to ", $FIRST_SEED + $SETS - 1);
my $seed = $FIRST_SEED;
while ($seed < $FIRST_SEED + $SETS) {
    my $last = $seed + $SETS_A_TEST;
    $last = $FIRST_SEED + $SETS if $last > $FIRST_SEED + $SETS;
    my $first = $seed;
    my ($wrong, @moved) = (0);
    for (; $seed < $last; $seed++) {
        srand $seed;
        my $set = generate_set();
        my $dropped = compile($set);
        if (!defined $dropped) { $wrong++; diag("seed $seed does not compile"); next }
        $left_out += $dropped;
        my @hidden_here = @hidden;
        $hidden_count += @hidden_here;
        my @kept = all_rules($set->{items});
        next if !@kept;
        $rules += @kept;
        my $requests = generate_requests($set, $REQUESTS_EACH);
        my $engine = engine_answers($requests);
        if (!$engine) { $wrong++; diag("seed $seed is not answered"); next }
        my $naive = Redir307::Naive->new($set);
        my @bad;
        for my $i (0 .. $#$requests) {
            my ($wanted, $rule) = $naive->answer(split / /, $requests->[$i], 2);
            $pairs++;
            $won{ !$rule ? 'no rule' : $rule->{source}{regex} ? 'regex' : $rule->{source}{tail} }++;
            $won{override}++ if $rule && $rule->{override};
            $won{"action $rule->{action}{kind}"}++ if $rule;
            $won{'query'}++ if $rule && @{ $rule->{source}{query} // [] };
            push @bad, [$requests->[$i], $wanted] if $engine->[$i] ne $wanted;
            next if !$rule || !grep { $_->{source} == $rule->{source} } @hidden_here;
            diag("seed $seed: rulec says that the rule on $_->{line} can never fire; it answers $requests->[$i]")
                for grep { $_->{source} == $rule->{source} } @hidden_here;
            $wrong++;
        }
        if ($seed % $MOVED_EVERY == 0 && !@bad) {
            push @moved, map { "seed $seed: $_" } moved_answers($set, $requests, $engine);
        }
        next if !@bad;
        $wrong += @bad;
        next if $shown++ >= $SHOWN;
        my ($request, undef) = @{ $bad[0] };
        my $small = reduce($set, $request);
        my $answers = engine_answers([$request]);
        my ($wanted) = Redir307::Naive->new($small)->answer(split / /, $request, 2);
        diag(sprintf "seed %d, %d of %d requests differ; the first, with the fewest rules:\n%s\nrequest: %s\n  naive: %s\n engine: %s\n",
            $seed, scalar @bad, scalar @$requests, rule_text($small), $request, $wanted, $answers ? $answers->[0] : '(none)');
    }
    is($wrong, 0, "one answer for the rule sets of seeds $first to " . ($last - 1));
    is_deeply(\@moved, [], '... and lines that are moved change none but those between equals');
}
note("$rules rules, $left_out left out for their conflicts, $hidden_count said to be hidden; who won: ", join ', ', map { "$_ $won{$_}" } sort keys %won);
if ($SETS >= 600) {
    cmp_ok($pairs, '>=', 200_000, "$pairs pairs of a request and a rule set");
    # A generator whose requests meet no rule would prove nothing.
    cmp_ok($won{$_} // 0, '>=', 1_000, "enough requests meet: $_")
        for qw(none subtree below many regex query override), 'action pass', 'action status', 'action target', 'action https', 'no rule';
}
done_testing();
