#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Swaps under load: a load generator (wrk) asks a running httpd while rule files take turns by rename. Prints requests,
# errors, the longest waits beside those of runs without a swap, how long it takes from the rename until the new rules
# answer everywhere, and how many rule files a process had mapped at a time. Measures, judges nothing.
#   t/bench/swap.pl [--rules N] [--seconds S] [--every MS] [--watch TIME] [--connections C] [--runs R]
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Getopt::Long;
use Redir307::Httpd;
use Test::More;
use Time::HiRes qw(time sleep);

my %option = (rules => 10_000, seconds => 20, every => 500, watch => '100ms', connections => 32, runs => 1);
GetOptions(\%option, 'rules=i', 'seconds=i', 'every=i', 'watch=s', 'connections=i', 'runs=i') or die "see the head of $0\n";
plan(skip_all => 'no wrk') if !grep { -x "$_/wrk" } split /:/, $ENV{PATH};
alarm 0;

my $many = join '', map { "/some/old/path/number/$_ -> /a/new/place/for/it/$_\n" } 1 .. $option{rules};
my @files = map { compile_rules($_, "/which -> /$_\n/steady -> /steady-target\n$many") } qw(one two);
my $path = folder() . '/rules.r307';

# Written before: what is measured is the swap, not the disk.
sub put_file {
    my ($file) = @_;
    link $file, "$path.tmp" or die "$path.tmp: $!";
    rename "$path.tmp", $path or die "$path: $!";
    return;
}
put_file($files[0]);
serve(watch => $option{watch}, children => 2, threads => 64, loglevel => 'warn', conf => "MaxKeepAliveRequests 0\n");

sub start_load {
    my $load = fork // die "fork: $!";
    if (!$load) {
        open STDOUT, '>', folder() . '/wrk.out' or die "wrk.out: $!";
        exec 'wrk', '-t1', "-c$option{connections}", "-d$option{seconds}s", '--latency', url('/steady') or POSIX::_exit(127);
    }
    return $load;
}

# wrk's own words for a time, in ms.
sub milliseconds { my ($text) = @_; return $text =~ /^([\d.]+)(us|ms|s|m)$/ ? $1 * { us => 1e-3, ms => 1, s => 1e3, m => 6e4 }->{$2} : undef }

sub end_load {
    my ($load) = @_;
    waitpid $load, 0;
    my $text = read_file(folder() . '/wrk.out');
    my ($longest) = $text =~ /Latency +\S+ +\S+ +(\S+)/;
    my ($requests) = $text =~ /(\d+) requests in/;
    my ($errors) = $text =~ /(Socket errors: .*)/;
    my ($others) = $text =~ /Non-2xx or 3xx responses: (\d+)/;
    return { longest => milliseconds($longest // ''), requests => $requests // 0, errors => $errors, others => $others // 0, latency => [$text =~ /^\s+((?:50|99)% .*)$/gm] };
}

sub which { return request('GET', '/which')->field('Location') // '' }

# Tells through a pipe the most rule files that a process had mapped, once nobody holds the other end.
sub start_counting {
    my ($end) = @_;
    pipe my $in, my $out or die "pipe: $!";
    my $counter = fork // die "fork: $!";
    if (!$counter) {
        my $most = 0;
        while (time < $end) {
            for my $pid (Redir307::Httpd::server_pid(), children()) {
                open my $maps, '<', "/proc/$pid/maps" or next;
                my %mapped = map { /^(?:\S+ ){3}(\S+) (\d+) +\S+\.r307/ ? ("$1 $2" => 1) : () } <$maps>;
                $most = keys %mapped if keys %mapped > $most;
            }
            sleep 0.001;
        }
        syswrite $out, "$most\n";
        POSIX::_exit(0);
    }
    return [$counter, $in];
}

my (@first, @all, $wrong, @calm, @swapped, $most_mapped);
my $turn = 0;
for (1 .. $option{runs}) {
    push @calm, end_load(start_load());
    my $load = start_load();
    my $end = time + $option{seconds} - 1;
    my $counter = start_counting($end);
    while (time < $end) {
        my ($new, $old) = ++$turn % 2 ? ('/two', '/one') : ('/one', '/two');
        put_file($files[$turn % 2]);
        my $began = time;
        my ($first, $in_a_row);
        # Two children answer: a row of new answers means that both have the file.
        while (($in_a_row // 0) < 12 && time - $began < 10) {
            my $answer = which();
            $wrong++ if $answer ne $new && $answer ne $old;
            $first //= time - $began if $answer eq $new;
            $in_a_row = $answer eq $new ? ($in_a_row // 0) + 1 : 0;
        }
        push @first, $first;
        push @all, time - $began;
        my $rest = $option{every} / 1000 - (time - $began);
        sleep $rest if $rest > 0;
    }
    push @swapped, end_load($load);
    my $told = readline $counter->[1];
    waitpid $counter->[0], 0;
    $most_mapped = $told if !$most_mapped || $told > $most_mapped;
}

sub spread {
    my @sorted = sort { $a <=> $b } grep { defined } @_;
    return @sorted ? sprintf('median %.0f ms, longest %.0f ms', 1000 * $sorted[@sorted / 2], 1000 * $sorted[-1]) : 'none';
}
sub sum { my ($key, @runs) = @_; my $sum = 0; $sum += $_->{$key} for @runs; return $sum }
sub listed { my ($key, @runs) = @_; return join ' ', map { sprintf '%.1f', $_->{$key} // -1 } @runs }

my $requests = sum('requests', @swapped);
my @errors = grep { defined } map { $_->{errors} } @swapped;
printf "rule files       %d rules, %.1f MB\n", $option{rules} + 2, (-s $files[0]) / 1e6;
printf "swaps            %d in %d runs of %d s, one each %d ms, Redir307Watch %s\n", scalar @all, @swapped + 0, $option{seconds}, $option{every}, $option{watch};
printf "requests         %d (%.0f a second; without swaps %.0f)\n", $requests, $requests / $option{seconds} / @swapped, sum('requests', @calm) / $option{seconds} / @calm;
printf "errors           %s\n", @errors ? join('; ', @errors) : 0;
printf "wrong answers    %d of the load, %d of the questions in between\n", sum('others', @swapped), $wrong // 0;
printf "first new answer %s after the rename\n", spread(@first);
printf "only new answers %s after the rename\n", spread(@all);
printf "longest wait     %s ms; in turns with runs without a swap: %s ms\n", listed('longest', @swapped), listed('longest', @calm);
printf "mapped           %d rule files at most at a time by a process\n", $most_mapped;
print map { "latency          $_\n" } @{ $swapped[-1]{latency} };
stop();
done_testing();
