#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# rulec --threads: neither the rule file nor a message depends on how many threads share the work.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Rulec qw(rulec rules folder read_bytes write_bytes);
use Test::More;

my $folder = folder();

# Exit status, messages and bytes with so many threads.
sub compiled_by {
    my ($threads, $rules) = @_;
    unlink "$folder/out.r307";
    my ($status, $said) = rulec('compile', '--threads', $threads, '-q', '-o', 'out.r307', "$rules.redir");
    return { status => $status, said => $said, bytes => -e "$folder/out.r307" ? read_bytes("$folder/out.r307") : '' };
}

sub is_the_same {
    my ($rules, $status, $name) = @_;
    my $one = compiled_by(1, $rules);
    is($one->{status}, $status, "$name: one thread") or diag(substr $one->{said}, 0, 2000);
    for my $threads (2, 4, 64) {
        my $more = compiled_by($threads, $rules);
        is($more->{said}, $one->{said}, "$name: $threads threads say the same");
        ok($more->{bytes} eq $one->{bytes} && $more->{status} eq $one->{status}, '... and write the same bytes');
    }
    return $one;
}

# Enough rules that each thread has some; chains, loops and ends all over them.
sub many {
    my (%extra) = @_;
    my @lines = map { "/from/here/$_.html -> /to/there/" . ($_ % 20_011 == 0 ? 'shared' : $_) } 1 .. 40_000;
    $lines[$_] = "/chain/$_ -> /from/here/$_.html" for map { 997 * $_ } 1 .. 35;
    $lines[$_] = "/end/$_ gone\n/to-end/$_ -> https://shop.example/end/$_" for map { 1009 * $_ } 1 .. 30;
    $lines[$_] = "/tree/$_/* -> /other/$_/*" for map { 1013 * $_ } 1 .. 30;
    $lines[$_] = "/when/$_ -> /from/here/$_.html { when header X }" for map { 1019 * $_ } 1 .. 30;
    $lines[$_] = $extra{$_} for keys %extra;
    return "site shop.example www.shop.example:8080 {\n" . join("\n", @lines) . "\n}\n";
}

rules('good', many());
my $good = is_the_same('good', 0, 'rules with chains');
like($good->{said}, qr/R307-200/, '... which are told') or diag(substr $good->{said}, 0, 500);
ok(length $good->{bytes}, '... and the rules are compiled');
# Records that are as long as what a host captured, between others that are only copied; chains of one source; a list all over.
rules('hosts', "site {lang:en|de}.shop.example {\n" . join('', map {
    $_ % 3 ? "/plain/$_/ -> /there/$_\n" : "/own/$_ -> https://{lang}.far.example/$_ { when header X }\n/own/$_ -> /same/for/all\n"
} 1 .. 20_000) . "}\n");
ok(length is_the_same('hosts', 0, 'rules with templates and shared targets')->{bytes}, '... are compiled');
rules('loops', many(39_000 => '/round/1 -> /round/2', 100 => '/round/2 -> /round/1'));
like(is_the_same('loops', 1, 'rules with a loop')->{said}, qr/leads back to itself/, '... which is told');
for my $threads (1, 2) {
    write_bytes("$folder/kept.r307", 'the old file');
    rulec('compile', '--threads', $threads, '-q', '-o', 'kept.r307', 'loops.redir');
    is(read_bytes("$folder/kept.r307"), 'the old file', "$threads threads: what the proofs refuse leaves the old file");
    is(join(' ', glob "$folder/kept.r307.*"), '', '... and nothing beside it');
}

for my $wrong ('0', '65', '-1', 'two', '1x', '') {
    my ($status, $said) = rulec('check', '--threads', $wrong, 'good.redir');
    is($status, 2, "--threads \"$wrong\" is refused");
    like($said, qr/--threads/, '... and named');
}

SKIP: {
    my $corpus = $ENV{REDIR307_CORPUS};
    my @tables = $corpus ? (glob("$corpus/mdn-en-us/*_redirects.txt"), glob("$corpus/alphagov/data/mappings/*.csv")) : ();
    @tables = sort { -s $b <=> -s $a } grep { -s $_ > 500_000 } @tables;
    skip 'REDIR307_CORPUS does not name the folder of real lists', 1 if !@tables;
    for my $table (@tables[0 .. ($#tables < 4 ? $#tables : 4)]) {
        my ($name) = $table =~ m{([^/]+)$};
        my $columns = $table =~ /csv$/ ? 'columns from to status - - -; heading' : 'columns from to';
        rules('real', "case ignore\ntable \"$table\" { $columns }\n");
        is_the_same('real', compiled_by(1, 'real')->{status}, $name);
    }
}
done_testing();
