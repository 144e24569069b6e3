#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Swaps under load with ThreadSanitizer: module and engine are compiled with it, and the soak test runs on event for some
# seconds. httpd and its libraries are as they are, so what they do among themselves is not looked at.
#   TSAN_SECONDS   how long, 6 unless given
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Redir307::Build;
use Redir307::Make qw(make_value);
use Redir307::Httpd;
use Test::More;

plan(skip_all => 'another sanitizer is at work') if $ENV{REDIR307_PRELOAD};
my ($library) = grep { m{/} && -f } map { chomp(my $path = `@{[make_value('CC')]} -print-file-name=$_`); $path } qw(libtsan.so libtsan.so.2);
plan(skip_all => 'no libtsan (gcc has one)') if !$library;

my $module = build_shared('mod_redir307.so', [module_sources(), engine_sources()], '-fsanitize=thread', '-fno-omit-frame-pointer');
# Children run as another user where httpd is started by root.
my $reports = folder() . '/reports';
mkdir $reports or die $!;
chmod 01777, $reports;
write_file('suppressions', <<'END');
# The SIGBUS guard maps a zero page over one that has no file below it, while others may read there or its mapping goes:
# that is what it is for, and readers are told apart from no bytes by the engine's checks.
race:zero_page
END

my ($status, $said) = do {
    local @ENV{qw(REDIR307_MODULE REDIR307_PRELOAD REDIR307_MPM SOAK_MPMS REDIR307_SOAK_SECONDS TSAN_OPTIONS)} = ($module, $library, 'event', 'event',
        $ENV{TSAN_SECONDS} || 6, "ignore_noninstrumented_modules=1:log_path=$reports/tsan:suppressions=@{[folder()]}/suppressions:exitcode=0");
    Redir307::Httpd::run($^X, "$FindBin::Bin/soak.t");
};
my ($figures) = $said =~ /^# (event, .*requests.*)$/m;
if ($said =~ /^1\.\.0 # skip (.*)/mi) { plan(skip_all => "soak.t skips: $1") }
is($status, 0, 'the soak test holds with it') or diag($said);
note($figures // $said);
my @reports = glob "$reports/*";
is(scalar @reports, 0, 'and nothing is reported') or diag(map { read_file($_) } @reports[0 .. ($#reports < 2 ? $#reports : 2)]);
done_testing();
