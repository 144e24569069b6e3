#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The command line itself: what is asked wrongly is told with the nearest right word, and --help and rulec(1) name the
# same subcommands and options.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Rulec qw(rulec rules run_in folder rulec_path read_bytes source_folder);
use Test::More;

sub refused {
    my ($words, $says, $name) = @_;
    my ($status, $output) = rulec(@$words);
    is($status, 2, "$name: exit status 2");
    like($output, $says, "$name: says so");
}

my ($status, $help) = rulec('--help');
is($status, 0, '--help is no mistake');
my @commands = $help =~ /^  (\w+) +\S/mg;
is_deeply([sort @commands], [sort qw(compile check test answer explain info verify dump diff fmt deploy rollback releases)],
    '--help lists every subcommand');
for my $command (@commands) {
    my ($exit, $text) = rulec($command, '--help');
    is($exit, 0, "$command --help");
    like($text, qr/^usage: rulec $command /m, "$command --help shows how it is used");
    is((rulec('help', $command))[1], $text, "help $command is the same");
}
like((rulec('--version'))[1], qr/^rulec \d+\.\d+\.\d+\n\z/, '--version');

refused([], qr/^usage:/m, 'nothing at all');
refused(['complie', 'a.redir'], qr/unknown subcommand "complie"\nhelp: did you mean "compile"\?/, 'a slip in a subcommand');
refused(['--hlep'], qr/unknown option "--hlep"/, 'a slip in an option of rulec');
refused(['compile', '--timing', 'a.redir'], qr/unknown option "--timing"\nhelp: did you mean "--timings"\?/, 'a slip in an option');
refused(['compile', '--xyzzy', 'a.redir'], qr/unknown option "--xyzzy"\nhelp: rulec compile --help/, 'an option near to none');
refused(['compile', '-x', 'a.redir'], qr/unknown option "-x"/, 'an unknown letter');
refused(['compile', '--timings=yes', 'a.redir'], qr/"--timings" takes no value/, 'a value where none is taken');
refused(['compile', 'a.redir', '--label'], qr/"--label" needs a value: --label TEXT/, 'a long option without its value');
refused(['compile', 'a.redir', '-o'], qr/"-o" needs a value: -o FILE/, 'a short option without its value');
refused(['check', '--color', 'pink', 'a.redir'], qr/auto, always or never, not "pink"/, 'a colour that is none');
refused(['compile'], qr/usage: rulec compile/, 'no file');
refused(['verify', 'a', 'b'], qr/"b" is one word too many\nusage: rulec verify/, 'a file too many');
refused(['check'], qr/rulec check: FILE\.redir is missing\n/, 'the word that is missing is named');
refused(['diff', 'a'], qr/rulec diff: NEW is missing\n/, 'the second one, too');
refused(['explain', 'a', 'GET'], qr/rulec explain: URL is missing\n/, 'and the third');

# Options and words in any order, `--` before a name that starts with a dash, letters in one word.
rules('a', "/a -> /b\n");
is((rulec('compile', 'a.redir', '-q', '-o', 'x.r307'))[0], 0, 'an option behind the file');
is((rulec('compile', '-qox.r307', 'a.redir'))[0], 0, 'a letter with its value, behind another letter');
is((rulec('compile', '-q', '--output=x.r307', '--', 'a.redir'))[0], 0, '--name=VALUE, and -- ends the options');
rules('-a', "/a -> /b\n");
is((rulec('check', '-q', '--', '-a.redir'))[0], 0, 'a file whose name starts with a dash');

# Colours: never into a file, always where asked for, and NO_COLOR does not beat --color.
rules('wrong', "/a -> ftp://x/\n");
unlike((rulec('check', 'wrong.redir'))[1], qr/\033\[/, 'no colour into a file');
like((rulec('check', '--color=always', 'wrong.redir'))[1], qr/\033\[/, '--color=always');
unlike((rulec('check', '--color=never', 'wrong.redir'))[1], qr/\033\[/, '--color=never');

# rulec(1) and --help.
my $manual = read_bytes(source_folder() . '/docs/rulec.1');
my %section = $manual =~ /^\.Ss (\w+)\n(.*?)(?=^\.S[sh] )/msg;
is_deeply([sort keys %section], [sort @commands], 'rulec(1) has a section for each subcommand, and no other');

sub options_of_help { return sort map { s/^--//r } (shift =~ /^  .*?(--[\w-]+)/mg) }

sub options_of_manual {
    my ($text) = @_;
    my @options;
    for my $item ($text =~ /^\.It Fl (.*)$/mg) {
        push @options, $item =~ /-([a-z][\w-]+)/ ? $1 : $item;
    }
    return sort @options;
}

my ($common) = $manual =~ /^Every subcommand takes these options:\n(.*?)^\.El/ms;
my @common = options_of_manual($common);
for my $command (@commands) {
    my ($exit, $text) = rulec($command, '--help');
    is_deeply([options_of_help($text)], [sort @common, options_of_manual($section{$command})],
        "$command: --help and rulec(1) name the same options");
    my %is_common = map { $_ => 1 } @common;
    my ($synopsis) = $manual =~ /^\.Sh SYNOPSIS\n(.*?)^\.Sh /ms;
    like($synopsis, qr/^\.Cm $command$/m, "$command is in the synopsis");
}
SKIP: {
    chomp(my $mandoc = `command -v mandoc 2>/dev/null`);
    skip 'mandoc is not installed', 1 unless $mandoc;
    my ($exit, $said) = run_in(folder(), $mandoc, '-Tlint', '-Wwarning', source_folder() . '/docs/rulec.1');
    is($said, '', 'rulec(1) renders without a warning');
}
done_testing();
