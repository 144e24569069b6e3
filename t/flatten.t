#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What `rulec compile --flatten` makes of random rule sets leads every request to the same end, with the same method, and
# calls it permanent where all hops together were.
#   REDIR307_SEED=N    another first seed (one a rule set, counted up; printed with each mismatch)
#   REDIR307_SETS=N    so many rule sets
use strict;
use warnings;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Redir307::Generate qw(all_rules drop_rules);
use Redir307::GenerateLoops qw(generate_set requests is_named);
use Redir307::RuleText qw(rule_text write_rule_files);
use Redir307::Rulec qw(folder run_in rulec_path);

my $FIRST_SEED = $ENV{REDIR307_SEED} // 307;
my $SETS = $ENV{REDIR307_SETS} // 60;
my $HOPS = 20;
my $SHOWN = 5;

$SIG{ALRM} = sub { diag('this test took too long'); exit 255 };
alarm 3_600;

my $folder = folder();

# Compiles a set both ways, without the rules that are mistaken. How many targets were changed; undef where nothing is
# left.
sub compile {
    my ($set) = @_;
    for (1 .. 30) {
        return if !all_rules($set->{items});
        write_rule_files($set, $folder);
        my ($exit, $said) = run_in($folder, rulec_path(), 'compile', '-o', 'plain.r307', 'set.redir');
        if ($exit eq '0') {
            ($exit, $said) = run_in($folder, rulec_path(), 'compile', '--flatten', '-o', 'flat.r307', 'set.redir');
            my ($changed) = $said =~ /^(\d+) targets? changed by --flatten$/m;
            return $exit eq '0' ? $changed // 0 : die "--flatten: exit status $exit\n$said\n" . rule_text($set);
        }
        my %lines = map { $_ => 1 } $said =~ m{^(set\.redir:\d+):\d+: error: }mg;
        drop_rules($set->{items}, \%lines) or die "exit status $exit\n$said\n" . rule_text($set);
    }
    return;
}

# Where a client ends that begins with each request: [METHOD URL, all hops were permanent]...
sub ends {
    my ($items, $file, @requests) = @_;
    my @at = map { [$_, 1, ''] } @requests;
    my @open = @at;
    for (1 .. $HOPS) {
        last if !@open;
        my (undef, $out) = run_in($folder, rulec_path(), 'answer', $file, '-', { separate => 1, input => join '', map { "$_->[0]\n" } @open });
        my @answers = split /\n/, $out;
        die "$file: " . @answers . ' answers to ' . @open . ' requests' if @answers != @open;
        my @next;
        for my $i (0 .. $#open) {
            my ($status, $to) = $answers[$i] =~ /^(30\d) (\S+)$/ or next;
            my ($method, $url) = split / /, $open[$i][0], 2;
            my ($origin) = $url =~ m{^(\w+://[^/?]+)};
            $to = "$origin$to" if $to =~ m{^/};
            $open[$i][1] = 0 if $status !~ /^30[18]$/;
            $method = 'GET' if $status == 303 || ($method eq 'POST' && $status =~ /^30[12]$/);
            $open[$i][0] = "$method $to";
            # Whether a host that nobody names is answered here, the rules do not say.
            push @next, $open[$i] if index($to, $origin) == 0 || ($to =~ m{^https?://([^/?]+)} && is_named($items, $1));
        }
        @open = @next;
    }
    $_->[0] = 'on and on' for @open;
    return map { $_->[0] . ($_->[1] ? ' permanent' : '') } @at;
}

my ($wrong, $changed, $changed_sets, $pairs) = (0, 0, 0, 0);
for my $seed ($FIRST_SEED .. $FIRST_SEED + $SETS - 1) {
    srand $seed;
    my $set = generate_set(1);
    my $count = compile($set);
    next if !$count;
    $changed += $count;
    $changed_sets++;
    my @requests = grep { !/ \S*\.\.?(?:\/|$)/ } requests($set->{features});
    @requests = @requests[0 .. 599] if @requests > 600;
    my @plain = ends($set->{items}, 'plain.r307', @requests);
    my @flat = ends($set->{items}, 'flat.r307', @requests);
    $pairs += @requests;
    my ($first) = grep { $plain[$_] ne $flat[$_] } 0 .. $#requests;
    next if !defined $first;
    diag("seed $seed: $requests[$first] ends at $plain[$first], flattened at $flat[$first]; rules:\n" . rule_text($set)) if $wrong++ < $SHOWN;
}
is($wrong, 0, "flattened rules lead where the rules do, for $SETS rule sets from seed $FIRST_SEED");
note("$changed targets changed in $changed_sets sets, $pairs requests");
diag("$changed targets changed in $changed_sets sets, $pairs requests") if $ENV{REDIR307_SETS};
cmp_ok($changed_sets, '>=', $SETS / 20, 'enough of them had something to flatten');
done_testing();
