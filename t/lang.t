#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What rulec says about rules: for each t/lang/NAME.redir the output of `rulec check NAME.redir` and its exit status
# are t/lang/NAME.expect, byte for byte. `make update-golden` writes them anew: read the difference before it is kept.
# A first line "# rulec check OPTIONS" adds options. REDIR307_LANG names some cases only: REDIR307_LANG="loop table" t/lang.t
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Redir307::Rulec qw(rulec_path run_in read_bytes write_bytes);
use Test::More;

my $folder = "$FindBin::Bin/lang";
my $updates = $ENV{REDIR307_UPDATE_GOLDEN} || $ENV{UPDATE_GOLDEN};
my @names = $ENV{REDIR307_LANG} ? split ' ', $ENV{REDIR307_LANG}
    : map { m{([^/]+)\.redir$} ? $1 : () } sort glob "$folder/*.redir";

plan skip_all => 'no case in t/lang' unless @names;
for my $name (@names) {
    my ($options) = read_bytes("$folder/$name.redir") =~ /\A# rulec check (.*)/;
    my ($status, $output) = run_in($folder, rulec_path(), 'check', split(' ', $options // ''), "$name.redir");
    my $got = $output . ($output eq '' || $output =~ /\n\z/ ? '' : "\n") . "exit $status\n";

    write_bytes("$folder/$name.expect", $got) if $updates;
    if (!-e "$folder/$name.expect") {
        fail("$name: there is no $name.expect; `make update-golden` writes it");
        diag($got);
        next;
    }
    is($got, read_bytes("$folder/$name.expect"), $name);
}
# An expectation whose rules are gone would never be looked at again.
for my $expect (sort glob "$folder/*.expect") {
    (my $rules = $expect) =~ s/expect$/redir/;
    ok(-e $rules, "$expect has its rules") unless -e $rules;
}
done_testing();
