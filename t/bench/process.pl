#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What rules cost httpd's processes, beside httpd without this module: the time of a start until a rule answers, memory
# at rest, under load (wrk) and after many requests for paths that no rule has. Measures, judges nothing.
#   t/bench/process.pl [--rules N] [--rounds R] [--threads T] [--seconds S] [--misses M]
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Getopt::Long;
use Redir307::Bench qw(row_table);
use Redir307::Httpd;
use Test::More;
use Time::HiRes qw(time sleep);

my %option = (rules => 1_000_000, rounds => 15, threads => 32, seconds => 10, misses => 0);
GetOptions(\%option, 'rules=i', 'rounds=i', 'threads=i', 'seconds=i', 'misses=i') or die "see the head of $0\n";
my ($wrk) = grep { -x } map { "$_/wrk" } split /:/, $ENV{PATH};
alarm 0;
$| = 1;
Test::More->builder->output('/dev/null');    # tables alone; what httpd should not have said is on standard error

rules(join '', map { "/some/old/path/number/$_ -> /a/new/place/for/it/$_\n" } 1 .. $option{rules});
my %servers = (alone => { without_module => 1 }, rules => {});
my %common = (watch => '1s', children => 2, threads => $option{threads}, loglevel => 'warn', conf => "MaxKeepAliveRequests 0\n");

sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[@sorted / 2] }

# ---- start ----

# CPU time of all threads, in ms.
sub cpu_ms {
    my $sum = 0;
    for my $file (map { glob "/proc/$_/task/*/schedstat" } @_) {
        open my $in, '<', $file or next;
        $sum += $1 if (<$in> // '') =~ /^(\d+)/;
    }
    return $sum / 1e6;
}

sub is_answered {
    my ($status) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => port(), Proto => 'tcp') or return 0;
    print $socket "GET /some/old/path/number/$option{rules} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    return (<$socket> // '') =~ m{^HTTP/1.1 $status };
}

# [ms until the last rule answers, or 404 without rules; ms of CPU until then]
sub start_once {
    my ($name) = @_;
    Redir307::Httpd::write_conf(%common, %{ $servers{$name} });
    my $began = time;
    my $pid = Redir307::Httpd::launch();
    sleep 0.0005 until is_answered($name eq 'alone' ? 404 : 307) || time > $began + 60;
    my $figures = [1000 * (time - $began), cpu_ms($pid, children($pid))];
    kill 'TERM', $pid;
    waitpid $pid, 0;
    return $figures;
}

sub measure_start {
    my %figures;
    serve(%common);    # finds a port, warms the page cache
    stop();
    for (1 .. $option{rounds}) { push @{ $figures{$_} }, start_once($_) for qw(alone rules) }
    my @rows;
    for my $what ([0, 'ms until the last rule answers'], [1, 'ms of CPU']) {
        my ($column, $says) = @$what;
        my ($alone, $rules) = map { my $server = $_; [map { $_->[$column] } @{ $figures{$server} }] } qw(alone rules);
        my @least = map { (sort { $a <=> $b } @$_)[0] } $alone, $rules;
        push @rows, [$says, map({ sprintf '%.1f (%.1f)', $least[$_], median(@{ ($alone, $rules)[$_] }) } 0, 1),
            sprintf '%.1f (%.1f)', $least[1] - $least[0], median(map { $rules->[$_] - $alone->[$_] } 0 .. $#$rules)];
    }
    print "\nStart, least and (median) of $option{rounds} rounds in turns\n\n", row_table(['', 'httpd alone', "with $option{rules} rules", 'difference'], @rows);
    return;
}

# ---- memory ----

# KiB of each kind: PSS of all processes; "child": private memory of the youngest child.
sub memory_of {
    my ($pid) = @_;
    my %sum = map { $_ => 0 } qw(file counters own module code all child);
    my @all = ($pid, children($pid));
    for my $process (@all) {
        my $kind = 'own';
        open my $in, '<', "/proc/$process/smaps" or next;
        while (<$in>) {
            if (/^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+\s*(.*)/) {
                $kind = $1 =~ /\.r307/ ? 'file' : $1 =~ m{^/dev/zero|^/SYSV} ? 'counters' : $1 =~ /mod_redir307|pcre2/ ? 'module' : $1 =~ m{^/} ? 'code' : 'own';
            }
            $sum{$kind} += $1, $sum{all} += $1 if /^Pss:\s+(\d+)/;
            $sum{child} += $1 if $process == $all[-1] && $kind ne 'file' && /^Private_\w+:\s+(\d+)/;
        }
    }
    return \%sum;
}

# What wrk asks for: any rule; or in turns paths that nobody asked for before.
sub write_load {
    my ($kind, $from) = @_;
    my $ask = $kind eq 'hit' ? "math.random($option{rules})" : 'next_one()';
    my $path = $kind eq 'hit' ? '/some/old/path/number/' : '/no/such/path/number/';
    return write_file("$kind.lua", <<"LUA");
local n = $from
function next_one() n = n + 1; return n end
function request() return wrk.format("GET", "$path" .. $ask) end
LUA
}

sub load_for {
    my ($kind, $seconds, $from) = @_;
    write_load($kind, $from);
    my $connections = 2 * $option{threads};
    my $report = qx($wrk -t1 -c$connections -d${seconds}s -s @{[folder()]}/$kind.lua @{[url('/')]} 2>&1);
    return $report =~ /(\d+) requests in/ ? $1 : die "wrk: $report";
}

sub mib { return map { sprintf '%.2f', $_ / 1024 } @_ }

my @KINDS = ([all => 'all processes (PSS)'], [file => 'of it: the rule file'], [counters => 'shared memory (counter table, scoreboard)'], [own => 'stacks and heap'],
    [module => 'the module and PCRE2'], [code => 'other programs and libraries'], [child => 'private to a child']);

sub measure_memory {
    my %figures;
    for my $name (qw(alone rules)) {
        serve(%common, %{ $servers{$name} });
        announce(qr/AH00484/);    # wrk keeps as many connections as there are threads
        my $pid = Redir307::Httpd::server_pid();
        sleep 2;
        $figures{$name} = [memory_of($pid)];
        if ($wrk) {
            load_for('hit', $option{seconds}, 0);
            push @{ $figures{$name} }, memory_of($pid);
        }
        measure_misses($pid) if $wrk && $name eq 'rules' && $option{misses};
        stop();
    }
    my @moments = $wrk ? ('at rest', 'after load') : 'at rest';
    my @rows;
    for my $kind (@KINDS) {
        push @rows, [$kind->[1], map { my $i = $_; my ($alone, $rules) = map { $figures{$_}[$i]{ $kind->[0] } } qw(alone rules); mib($alone, $rules, $rules - $alone) } 0 .. $#moments];
    }
    print "\nMemory, MiB; 2 children of $option{threads} threads, a rule file of ", mib((-s folder() . '/rules.r307') / 1024), " MiB",
        $wrk ? ", load: $option{seconds} s of hits\n\n" : "; no wrk, no load\n\n", row_table(['', map { ("httpd alone, $_", 'with rules', 'difference') } @moments], @rows);
    return;
}

sub measure_misses {
    my ($pid) = @_;
    my ($asked, @rows) = (0);
    while (1) {
        my $now = memory_of($pid);
        push @rows, [sprintf('%.1f M', $asked / 1e6), mib($now->{file}, $now->{counters}, $now->{own})];
        last if $asked >= $option{misses};
        $asked += load_for('miss', 20, $asked + 1);
    }
    print "\nMemory after so many requests for paths that were never asked for, MiB\n\n", row_table(['misses', 'the rule file', 'shared memory', 'stacks and heap'], @rows);
    return;
}

measure_start() if $option{rounds};
measure_memory();
done_testing();
