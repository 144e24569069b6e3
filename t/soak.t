#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A long day in short: a load on kept, new and HTTP/2 connections, a swap or a fault every 200 ms, restarts in between.
# No request fails, every answer is one of the rules that were in force, no child dies, nothing grows.
#   REDIR307_SOAK_SECONDS   how long, 30 unless given (worker and prefork: a fifth of it each)
#   SOAK_MPMS      "event worker prefork" unless given
#   SOAK_CONTROL   1: the same load and restarts without this module, to see what is httpd's own
#   REDIR307_SEED  the same order of swaps and faults once more
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Open3;
use List::Util qw(max min sum0);
use Redir307::Damage;
use Redir307::Deaths;
use Redir307::Httpd;
use Redir307::Tls;
use Test::More;
use Time::HiRes qw(time sleep);

my $seconds = $ENV{REDIR307_SOAK_SECONDS} || 30;
my @mpms = split ' ', $ENV{SOAK_MPMS} || $ENV{REDIR307_MPM} || 'event worker prefork';
my $is_control = $ENV{SOAK_CONTROL};
my $seed = $ENV{REDIR307_SEED} // 307;
my $load = ($ENV{REDIR307_BUILDDIR} // $ENV{REDIR307_BUILD} // "$FindBin::Bin/../build") . '/t/soak/load';
-x $load or plan(skip_all => "$load is not built (make check-programs)");
`$load 2>&1`;
plan(skip_all => 'no libcurl') if $? >> 8 == 77;
alarm(3 * $seconds + 600);
srand $seed;
note("REDIR307_SEED=$seed");

my ($rules, $versions) = (500, 1000);
# Within this time after a swap every child has the new rules: one that is born while the file is bad starts from the last
# good one that any child has loaded. Looks are 50 ms apart; the rest is for a slow machine.
my $late_ms = 5000;
# Likewise after damage in place: who is born then has no rules until it looks.
my $settle_ms = 5000;
my @hosts = ({ name => 'mapped', copy => 'off' }, { name => 'copied', copy => 'on' });

# ---- the rule files: the same paths lead to /vNNN in each ----

sub version_text {
    my ($version) = @_;
    my $v = sprintf 'v%03d', $version;
    return join '', (map { "/r/$_ -> /$v/r/$_\n" } 1 .. $rules), "/t/* -> /$v/t/*\n", "/p/{id:int} -> /$v/p/{id}\n",
        "~ \"^/re/(?<id>[0-9]+)(?:-x)?\$\" -> /$v/re/{id}\n", "/w/{id} -> /$v/w/{id} { when header X-On = \"1\" }\n";
}
my @files;
sub bytes_of { my ($version) = @_; return $files[$version] //= read_file(compile_rules('version', version_text($version))) }

sub put_older { put_bytes(@_); utime 1e9, 1e9, $_[0]; return }
sub put_behind_link {
    my ($path, $bytes) = @_;
    my $release = $path . '.release-' . int rand 4;
    put_bytes($release, $bytes);
    unlink "$path.link";
    symlink $release, "$path.link" or die $!;
    rename "$path.link", $path or die "$path: $!";
    return;
}
sub put_hard_link {
    my ($path, $bytes) = @_;
    put_bytes("$path.other", $bytes);
    rename "$path.other", $path or die "$path: $!";
    return;
}
# What `cp` does.
sub write_in_place {
    my ($path, $bytes, $flags) = @_;
    open my $file, $flags, $path or die "$path: $!";
    syswrite $file, $bytes, int(length($bytes) / 3);
    syswrite $file, $bytes, length $bytes, int(length($bytes) / 3);
    close $file or die "$path: $!";
    return;
}
my @good = (
    ['by rename', \&put_bytes], ['older', \&put_older], ['by a symbolic link', \&put_behind_link],
    ['by rename', \&put_bytes], ['by another link', \&put_hard_link],
);
my @good_in_place = (
    ['cut and written in place', sub { write_in_place(@_, '>:raw') }],
    ['written over in place', sub { write_in_place(@_, '+<:raw') }],
);
sub scribble {
    my ($path, $at, $bytes) = @_;
    open my $file, '+<:raw', $path or die "$path: $!";
    sysseek $file, $at, 0;
    syswrite $file, $bytes;
    close $file;
    return;
}
my @harm = (
    ['cut to nothing in place', sub { truncate $_[0], 0 }],
    ['cut somewhere in place', sub { truncate $_[0], int rand -s $_[0] }],
    ['zeros in place', sub { scribble($_[0], int rand -s $_[0], "\0" x 20_000) }],
    ['garbage in place', sub { scribble($_[0], int rand -s $_[0], join '', map { chr int rand 256 } 1 .. 4000) }],
    ['garbage all over the live file', sub { scribble($_[0], 0, "\xff" x -s $_[0]) }],
);

# ---- what is told to the load ----

my ($to_load, $from_load, $load_pid);
sub tell_load {
    my ($command) = @_;
    print $to_load "$command\n" or die "the load has ended: $!";
    my $said = <$from_load>;
    $said eq "ok\n" or die "the load says: $said";
    return;
}

my (%count, $version);
# Every host gets the same at the same time.
sub swap {
    my ($how, $is_in_place) = @_;
    $version = ($version + 1) % $versions;
    my $bytes = bytes_of($version);
    for my $number (0, 1) {
        my $path = $hosts[$number]{path};
        remove_any($path) if !$is_in_place && (-d $path || -p $path);
        tell_load("damage $number") if $is_in_place && $number == 0;
        tell_load("next $number $version");
        $how->[1]->($path, $bytes);
        tell_load("put $number");
    }
    $count{swap}{ $how->[0] }++;
    return;
}
sub spoil {
    my ($how) = @_;
    for my $host (@hosts) {
        my $path = $host->{path};
        remove_any($path) if -d $path || -p $path;
        $how->[2]->($path, bytes_of($version));
    }
    $count{fault}{ $how->[0] }++;
    return;
}
sub harm {
    my ($how) = @_;
    tell_load('damage 0');
    $how->[1]->($_->{path}) for @hosts;
    $count{harm}{ $how->[0] }++;
    return;
}

# One step each 200 ms. One stretch of six also damages in place, so that in the others no answer may be missing.
sub step {
    my ($age, $stretch, $was_good) = @_;
    my $may_harm = int($age / $stretch) % 6 == 1;
    if ($may_harm && $was_good && rand() < 0.5) { harm($harm[rand @harm]); return 0 }
    if ($may_harm && $was_good && rand() < 0.3) { swap($good_in_place[rand @good_in_place], 1); return 1 }
    if (rand() < 0.4) { my @bad = damages(); spoil($bad[rand @bad]); return 0 }
    swap($good[rand @good]);
    return 1;
}

# ---- what may not grow ----

sub sizes {
    my ($process) = @_;
    my %of = (fds => scalar(() = glob "/proc/$process/fd/*"));
    my @maps = split /\n/, read_file("/proc/$process/maps");
    $of{maps} = @maps;
    $of{rule_maps} = grep { /\.r307/ } @maps;
    my $rollup = read_file("/proc/$process/smaps_rollup");
    ($of{pss}) = $rollup =~ /^Pss:\s+(\d+)/m;
    ($of{rss}) = $rollup =~ /^Rss:\s+(\d+)/m;
    return \%of;
}
sub show_sizes {
    my ($when, $parent, @children) = @_;
    return sprintf '%s: parent %d kB PSS, %d kB RSS, %d mappings (%d of rules), %d fds; %d children: %d kB PSS at most, %d kB RSS, %d mappings (%d of rules), %d fds',
        $when, @{$parent}{qw(pss rss maps rule_maps fds)}, scalar @children,
        map { my $what = $_; max map { $_->{$what} // 0 } @children } qw(pss rss maps rule_maps fds);
}
# All processes, when nobody asks any more: once none comes or goes and none opens or closes anything for a while, for
# connections of the load have to end, old children with them, and new ones have to be ready.
sub measure {
    my ($alike, $before, @sizes) = (0, '');
    for (1 .. 60) {
        sleep 0.5;
        my @processes = (Redir307::Httpd::server_pid(), children());
        @sizes = map { eval { sizes($_) } // { fds => 0, maps => 0, rule_maps => 0, pss => 0, rss => 0 } } @processes;
        my $now = join ' ', map { "$processes[$_]:$sizes[$_]{fds}:$sizes[$_]{rule_maps}" } 0 .. $#processes;
        $alike = $now eq $before && !(grep { !$_->{maps} } @sizes) ? $alike + 1 : 0;
        last if $alike == 3;
        $before = $now;
    }
    return @sizes;
}

# ---- one server ----

# HTTP/2 over TLS; 0 where that cannot be.
sub tls_port {
    my ($mpm) = @_;
    return $mpm ne 'prefork' && has_module('http2') && can_tls() ? Redir307::Httpd::free_port() : 0;
}

sub configuration {
    my ($mpm, $tls_port) = @_;
    my $limits = $mpm eq 'prefork' ? "ServerLimit 64\nStartServers 20\nMinSpareServers 5\nMaxSpareServers 30\nMaxRequestWorkers 40\n"
        : "ServerLimit 12\nStartServers 2\nThreadsPerChild 16\nThreadLimit 16\nMaxRequestWorkers 48\nMinSpareThreads 16\nMaxSpareThreads 48\n";
    my $conf = $limits . "KeepAliveTimeout 1\nMaxConnectionsPerChild 1500\n";
    my @ports = (port());
    if ($tls_port) {
        $conf .= "Listen 127.0.0.1:$tls_port https\n";
        push @ports, $tls_port;
    }
    for my $host (@hosts) {
        my $rules = $is_control ? '' : "Redir307Rules \"$host->{path}\"\nRedir307Copy $host->{copy}\n";
        $conf .= "<VirtualHost *:$_>\nServerName $host->{name}.test\n$rules" . ($_ == $tls_port ? tls_directives('h2 http/1.1') : '') . "</VirtualHost>\n" for @ports;
    }
    return $conf . crash_trace() . ($is_control ? "RedirectRelative On\nRedirectMatch 307 ^(/(?:r|t|p|re|w)/.*)\$ /v000\$1\n" : '');
}

sub abrupt_restart {
    tell_load('abrupt');
    ok(restart('HUP'), 'an abrupt restart') or die 'no server';
    tell_load('steady');
    $count{restart}{HUP}++;
    return;
}

sub soak {
    my ($mpm, $seconds) = @_;
    local $ENV{REDIR307_MPM} = $mpm;
    %count = ();
    $version = 0;
    for my $host ($is_control ? () : @hosts) {
        $host->{path} = folder() . "/$host->{name}.r307";
        remove_any($host->{path});
        put_bytes($host->{path}, bytes_of(0));
    }
    my $tls_port = tls_port($mpm);
    # The port is known when httpd is started, not before.
    my $conf = sub { configuration($mpm, $tls_port) };
    serve(rules => undef, watch => '50ms', loglevel => 'warn', without_module => $is_control, modules => ['alias', $tls_port ? qw(http2 ssl socache_shmcb) : ()], conf => $conf);
    # What a restart costs once is no growth.
    restart() or die 'no restart';
    my @before = measure();

    my $errors = folder() . "/load-$mpm.err";
    open my $err, '>', $errors or die "$errors: $!";
    $load_pid = open3($to_load, $from_load, '>&' . fileno $err, $load, port(), $tls_port, $rules, $late_ms, $settle_ms);
    my $began = time;
    my ($stretch, $each_usr1, $each_hup) = (min(10, $seconds / 6), min(5, $seconds / 4), min(18, 0.6 * $seconds));
    my ($was_good, $next, $usr1_at, $hup_at) = (1, $began, $began + $each_usr1, $began + $each_hup);
    while ((my $now = time) < $began + $seconds) {
        $was_good = step($now - $began, $stretch, $was_good) if !$is_control;
        if ($now > $hup_at) {
            abrupt_restart();
            ($hup_at, $usr1_at) = (time + $each_hup, time + $each_usr1);
        }
        elsif ($now > $usr1_at) {
            kill 'USR1', Redir307::Httpd::server_pid();
            $count{restart}{USR1}++;
            $usr1_at = $now + $each_usr1;
        }
        $next += 0.2;
        sleep($next - time) if $next > time;
        $next = time if $next < time - 1;
    }
    # The last good file is a while old when it is measured: then each child has it.
    swap($good[0]) if !$is_control;
    print $to_load "quit\n";
    my $said = join '', <$from_load>;
    waitpid $load_pid, 0;
    is($?, 0, 'the load ends well');
    my %sum = $said =~ /^(.+): (\d+)$/mg;
    my @after = measure();
    judge($mpm, $seconds, \%sum, \@before, \@after, read_file($errors));
    # What mod_ssl says of another library, of a certificate that nobody signed, and of no session cache.
    announce(qr/R307-90[23]/, qr/AH018(?:73|82)|AH0190[69]/);
    stop();
    return;
}

sub judge {
    my ($mpm, $seconds, $sum, $before, $after, $errors) = @_;
    my $asked = sum0(map { $sum->{$_} } grep { /^requests/ } keys %$sum);
    my %total = map { my $kind = $_; ($kind => sum0(values %{ $count{$kind} // {} })) } qw(swap fault harm restart);
    diag($_) for "$mpm, $seconds s: $asked requests ("
        . join(', ', map { "$_ " . $sum->{"requests, $_"} } 'keep-alive', 'new connections', 'HTTP/2') . ")",
        "  swaps $total{swap}, faults $total{fault}, damages in place $total{harm}, restarts "
        . join(' ', map { "$_ $count{restart}{$_}" } sort keys %{ $count{restart} // {} }),
        "  failed $sum->{failed}, wrong $sum->{wrong}, asked again on a kept connection $sum->{'asked again, keep-alive'}, over HTTP/2 $sum->{'asked again, HTTP/2'},"
        . " cut by HUP $sum->{'cut by an abrupt restart'}, "
        . "no rule while damaged in place $sum->{'no rule while damaged in place'}, odd then $sum->{'odd while damaged in place'}",
        "  old rules at most $sum->{'old rules at most ms after a swap'} ms after a swap, slowest answer $sum->{'slowest answer ms'} ms",
        '  ' . show_sizes('before', @$before), '  ' . show_sizes('after', @$after);
    cmp_ok($asked, '>', 50 * $seconds, "$mpm: there was a load");
    is($sum->{failed}, 0, "$mpm: no request failed") or diag($errors);
    is($sum->{wrong}, 0, "$mpm: no answer was wrong") or diag($errors);
    is(deaths(), '', "$mpm: no child died");
    return if $is_control;
    my ($parent_before, $parent_after) = ($before->[0], $after->[0]);
    is($parent_after->{fds}, $parent_before->{fds}, "$mpm: the parent has as many descriptors as before");
    # None, if it met damage in place and no good file since.
    cmp_ok($parent_after->{rule_maps}, '<=', $parent_before->{rule_maps}, "$mpm: and no more rule files mapped");
    is(join(' ', map { $_->{rule_maps} } @{$after}[1 .. $#$after]), join(' ', map { 1 } 1 .. $#$after), "$mpm: each child maps one");
    my $limit = sub { $_[0] * 1.1 + $_[1] };
    # A child had no connection before, and keeps memory of those since; what swaps leave behind is the parent's as well.
    for my $what (['maps', 6, 60, 'mappings'], ['pss', 2048, 16_384, 'kB']) {
        next if $ENV{REDIR307_PRELOAD};
        my ($name, $slack, $child_slack, $unit) = @$what;
        cmp_ok($parent_after->{$name}, '<=', $limit->($parent_before->{$name}, $slack), "$mpm: the parent has no more $unit");
        my ($was, $is) = map { max map { $_->{$name} } @{$_}[1 .. $#$_] } $before, $after;
        cmp_ok($is, '<=', $limit->($was, $child_slack), "$mpm: nor has a child");
    }
    cmp_ok(max(map { $_->{fds} } @{$after}[1 .. $#$after]), '<=', max(map { $_->{fds} } @{$before}[1 .. $#$before]), "$mpm: nor more descriptors");
    return;
}

for my $mpm (@mpms) {
    SKIP: {
        skip "no $mpm MPM", 1 if !has_module("mpm_$mpm");
        soak($mpm, $mpm eq 'event' || @mpms == 1 ? $seconds : max(5, $seconds / 5));
    }
}
done_testing();
