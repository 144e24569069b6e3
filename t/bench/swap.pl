#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Swaps under load: a load generator (wrk) asks a running httpd while rule files take turns by rename. Prints requests,
# errors, and how long it takes from the rename until the new rules answer everywhere. Measures, judges nothing.
#   t/bench/swap.pl [--rules N] [--seconds S] [--every MS] [--watch TIME] [--connections C]
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Getopt::Long;
use Redir307::Damage;
use Redir307::Httpd;
use Test::More;
use Time::HiRes qw(time sleep);

my %option = (rules => 10_000, seconds => 20, every => 500, watch => '100ms', connections => 32);
GetOptions(\%option, 'rules=i', 'seconds=i', 'every=i', 'watch=s', 'connections=i') or die "see the head of $0\n";
plan(skip_all => 'no wrk') if !grep { -x "$_/wrk" } split /:/, $ENV{PATH};

my $many = join '', map { "/some/old/path/number/$_ -> /a/new/place/for/it/$_\n" } 1 .. $option{rules};
my @files = map { read_file(compile_rules($_, "/which -> /$_\n/steady -> /steady-target\n$many")) } qw(one two);
my $path = folder() . '/rules.r307';
put_bytes($path, $files[0]);
serve(watch => $option{watch}, children => 2, threads => 64, loglevel => 'warn', conf => "MaxKeepAliveRequests 0\n");

my $report = folder() . '/wrk.out';
my $load = fork // die "fork: $!";
if (!$load) {
    open STDOUT, '>', $report or die "$report: $!";
    exec 'wrk', '-t1', "-c$option{connections}", "-d$option{seconds}s", '--latency', url('/steady') or POSIX::_exit(127);
}

sub which { return request('GET', '/which')->field('Location') // '' }

my (@first, @all, $wrong);
my $end = time + $option{seconds} - 1;
for (my $turn = 1; time < $end; $turn++) {
    my ($new, $old) = $turn % 2 ? ('/two', '/one') : ('/one', '/two');
    put_bytes($path, $files[$turn % 2]);
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
waitpid $load, 0;

sub spread {
    my @sorted = sort { $a <=> $b } grep { defined } @_;
    return @sorted ? sprintf('median %.0f ms, longest %.0f ms', 1000 * $sorted[@sorted / 2], 1000 * $sorted[-1]) : 'none';
}
my $text = read_file($report);
my ($requests) = $text =~ /(\d+) requests in/;
my ($errors) = $text =~ /(Socket errors: .*)/;
my ($others) = $text =~ /Non-2xx or 3xx responses: (\d+)/;
printf "rule files       %d rules, %.1f MB\n", $option{rules} + 2, length($files[0]) / 1e6;
printf "swaps            %d, one each %d ms, Redir307Watch %s\n", scalar @all, $option{every}, $option{watch};
printf "requests         %s in %d s (%.0f a second)\n", $requests // '?', $option{seconds}, ($requests // 0) / $option{seconds};
printf "errors           %s\n", $errors // '0';
printf "wrong answers    %d of the load, %d of the questions in between\n", $others // 0, $wrong // 0;
printf "first new answer %s after the rename\n", spread(@first);
printf "only new answers %s after the rename\n", spread(@all);
print map { "latency          $_\n" } $text =~ /^\s+((?:50|99)% .*)$/gm;
stop();
done_testing();
