#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The engine against the naive matcher where answers hang on more than the URL: random rule sets full of conditions,
# windows, zones, `by` forms, override and cache clauses; for each request one answer, one Vary, one Cache-Control.
# A max-age is also looked at from the other side: until it is over, the same request has the same answer.
#   REDIR307_SEED=N    another first seed (one a rule set, counted up; printed with each mismatch)
#   REDIR307_SETS=N    so many rule sets
use strict;
use warnings;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Redir307::Generate 'drop_rules';
use Redir307::GenerateConditions qw(generate_set generate_requests condition_text @ZONES);
use Redir307::NaiveConditions;
use Redir307::Rulec qw(folder run_in rulec_path write_bytes);

my $FIRST_SEED = $ENV{REDIR307_SEED} // 307;
my $SETS = $ENV{REDIR307_SETS} // 300;
my $REQUESTS_EACH = 150;
my $SETS_A_TEST = 50;
my $SHOWN = 5;

plan(skip_all => 'no zone data in /usr/share/zoneinfo') if grep { !-f "/usr/share/zoneinfo/$_" } @ZONES;
$SIG{ALRM} = sub { diag('this test took too long'); exit 255 };
alarm 1_200;

my $folder = folder();
my $json = JSON::PP->new->canonical->utf8;

my ($out, $err);
sub run_rulec {
    my ($input, @words) = @_;
    (my $status, $out, $err) = run_in($folder, rulec_path(), @words, { separate => 1, input => $input });
    return $status;
}

# Compiles a set without the rules that the compiler finds in conflict; false where it fails for another reason.
sub compile {
    my ($set) = @_;
    for (1 .. 50) {
        write_bytes("$folder/set.redir", condition_text($set, 'set.redir'));
        my $exit = run_rulec('', 'compile', '-q', '-o', "$folder/set.r307", 'set.redir');
        return 1 if $exit eq '0';
        my $said = $err;
        my %lines = map { $_ => 1 } $said =~ m{^(set\.redir:\d+):\d+: error: [^\n]*\[R307-045\]}mg;
        if ($exit ne '1' || $said =~ /error: (?![^\n]*\[R307-045)/ || !drop_rules($set->{items}, \%lines)) {
            diag("exit status $exit of rulec compile:\n$said\nfor\n" . condition_text($set, 'set.redir'));
            return;
        }
    }
    return;
}

sub time_text { my ($at) = @_; my @t = gmtime $at; return sprintf '%04d-%02d-%02dT%02d:%02d:%02dZ', $t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0] }

sub engine_answers {
    my ($requests) = @_;
    my $exit = run_rulec(join('', map { $json->encode({ %$_, at => time_text($_->{at}) }) . "\n" } @$requests), 'answer', "$folder/set.r307", '-');
    my @answers = split /\n/, $out;
    return [map { $json->decode($_) } @answers] if $exit eq '0' && @answers == @$requests;
    diag("rulec answer: exit status $exit, ", scalar @answers, ' answers to ', scalar @$requests, " requests\n", $err);
    return;
}

my %seen;
my %side_of;

# What is wrong with an answer of the engine; '' where nothing is.
sub mismatch {
    my ($naive, $request, $engine) = @_;
    my $wanted = $naive->answer($request);
    my %fields;
    $fields{ $_->{name} } = $_->{value} for @{ $engine->{headers} };
    $seen{"outcome $wanted->{outcome}"}++;
    return "outcome $wanted->{outcome}" if $engine->{outcome} ne $wanted->{outcome};
    my $vary = join ', ', @{ $wanted->{vary} };
    $seen{'with Vary'}++ if $vary ne '';
    return "Vary: $vary" if lc($fields{Vary} // '') ne lc $vary;
    return '' if $wanted->{outcome} eq 'none';
    return "rule $wanted->{rule}{line}" if "$engine->{rule}{file}:$engine->{rule}{line}" ne $wanted->{rule}{line};
    return '' if $wanted->{outcome} eq 'pass';
    my $said = $engine->{status} . ' ' . ($fields{Location} // '');
    my ($chosen) = grep { $said eq $_->{status} . ' ' . ($_->{location} // '') } @{ $wanted->{answers} };
    return 'one of ' . join(' | ', map { "$_->{status} " . ($_->{location} // '') } @{ $wanted->{answers} }) if !$chosen;
    my $by = $wanted->{rule}{action}{by} // '';
    $seen{"by $by"}++ if $by;
    # The same client, the same target: whatever else it asks with.
    if ($by eq 'client') {
        my $client = $request->{client} =~ s/^::ffff://r;
        my $path = $said =~ s/\?.*//r =~ s/^\d+ //r;
        return 'the target that this client was sent to before' if ($side_of{$wanted->{rule}{line}}{$client} //= $path) ne $path;
    }
    my ($text, $seconds) = $naive->cache_control($wanted, $chosen->{status});
    my $have = $fields{'Cache-Control'};
    return 'no Cache-Control' if !defined $text && defined $have;
    return '' if !defined $text;
    $seen{"cache " . ($text =~ /^[a-z, -]*/ ? $& : '')}++;
    return "Cache-Control: $text" if !defined $seconds && ($have // '') ne $text;
    return '' if !defined $seconds;
    my ($age) = ($have // '') =~ /^\Q$text\E([0-9]+)$/ or return "Cache-Control: $text$seconds";
    if (!$wanted->{reads}{recurs}) { $seen{'max-age bounded by a window'}++ if @{ $wanted->{reads}{edges} }; return $age == $seconds ? '' : "Cache-Control: $text$seconds" }
    # `daily` and `weekly` end it somewhere; while it lasts, nothing changes.
    $seen{'max-age bounded by a recurring window'}++;
    return "Cache-Control: ${text}$seconds at most" if $age > $seconds;
    for my $at ($request->{at} + $age, map { $request->{at} + int($age * $_ / 8) } 1 .. 7) {
        my $later = $naive->answer({ %$request, at => $at });
        return "another answer at " . time_text($at) . ", before its max-age of $age s is over"
            if $later->{outcome} ne 'send' || $later->{rule} != $wanted->{rule};
    }
    return '';
}

# The fewest rules that still show a mismatch.
sub reduce {
    my ($set, $request) = @_;
    my $smaller = 1;
    while ($smaller) {
        $smaller = 0;
        my @places;
        my $walk;
        $walk = sub { for my $i (0 .. $#{ $_[0] }) { push @places, [$_[0], $i]; $walk->($_[0][$i]{items}) if $_[0][$i]{items} } };
        $walk->($set->{items});
        for my $place (@places) {
            my ($items, $i) = @$place;
            my @without = @$items;
            my ($gone) = splice @without, $i, 1;
            my @before = @$items;
            @$items = @without;
            %side_of = ();
            my $engine = run_good($set) && engine_answers([$request]);
            if ($engine && mismatch(Redir307::NaiveConditions->new($set), $request, $engine->[0]) ne '') { $smaller = 1; last }
            @$items = @before;
        }
    }
    condition_text($set, 'set.redir');
    return $set;
}
sub run_good {
    my ($set) = @_;
    write_bytes("$folder/set.redir", condition_text($set, 'set.redir'));
    return run_rulec('', 'compile', '-q', '-o', "$folder/set.r307", 'set.redir') eq '0';
}

my ($pairs, $shown) = (0, 0);
note("seeds $FIRST_SEED to ", $FIRST_SEED + $SETS - 1);
my $seed = $FIRST_SEED;
while ($seed < $FIRST_SEED + $SETS) {
    my $first = $seed;
    my $last = $seed + $SETS_A_TEST < $FIRST_SEED + $SETS ? $seed + $SETS_A_TEST : $FIRST_SEED + $SETS;
    my $wrong = 0;
    for (; $seed < $last; $seed++) {
        srand $seed;
        my $set = generate_set();
        if (!compile($set)) { $wrong++; diag("seed $seed does not compile"); next }
        my $requests = generate_requests($set, $REQUESTS_EACH);
        my $engine = engine_answers($requests);
        if (!$engine) { $wrong++; diag("seed $seed is not answered"); next }
        my $naive = Redir307::NaiveConditions->new($set);
        %side_of = ();
        my @bad;
        for my $i (0 .. $#$requests) {
            $pairs++;
            my $what = mismatch($naive, $requests->[$i], $engine->[$i]);
            push @bad, [$requests->[$i], $what, $engine->[$i]] if $what ne '';
        }
        next if !@bad;
        $wrong += @bad;
        next if $shown++ >= $SHOWN;
        my $request = $bad[0][0];
        my $small = reduce($set, $request);
        run_good($small);
        my $again = engine_answers([$request]);
        %side_of = ();
        diag(sprintf "seed %d, %d of %d requests differ; the first, with the fewest rules:\n%s\nrequest: %s\n  naive: %s (of all rules: %s)\n engine: %s\n", $seed, scalar @bad, scalar @$requests,
            condition_text($small, 'set.redir'), $json->encode({ %$request, at => time_text($request->{at}) }),
            $again ? mismatch(Redir307::NaiveConditions->new($small), $request, $again->[0]) : '', $bad[0][1], $again ? $json->encode($again->[0]) : '(none)');
    }
    is($wrong, 0, "one answer for the rule sets of seeds $first to " . ($last - 1));
}
note(join ', ', map { "$_: $seen{$_}" } sort keys %seen);
if ($SETS >= 300) {
    cmp_ok($pairs, '>=', 40_000, "$pairs pairs of a request and a rule set");
    # A generator whose requests meet no rule would prove nothing.
    cmp_ok($seen{$_} // 0, '>=', 100, "enough of: $_") for 'outcome send', 'outcome pass', 'outcome none', 'with Vary', (map { "by $_" } qw(accept language header cookie method client chance)),
        'cache no-store', 'cache no-cache', 'cache max-age', 'cache private, max-age', 'max-age bounded by a window', 'max-age bounded by a recurring window';
}
done_testing();
