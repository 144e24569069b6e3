#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Every diagnostic that t/lang shows, in each format for programs: the same findings at the same places, well formed.
# SARIF is held against the schema of the standard (2.1.0, OASIS): REDIR307_SARIF_SCHEMA names the file, or it lies
# beside the corpus.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use Redir307::Rulec qw(run_in folder rulec_path read_bytes write_bytes source_folder);
use Test::More;

my $lang = source_folder() . '/t/lang';
my $folder = folder();
my (%codes, @reports, %wrong);

sub check {
    my ($format, $name, @options) = @_;
    my ($status, $said, $error) = run_in($lang, rulec_path(), 'check', '--format', $format, @options, "$name.redir", { separate => 1 });
    push @{ $wrong{$format} }, "$name: exit status $status, standard error: $error" if $status !~ /^[01]$/ || $error ne '';
    return $said;
}

# "file:line:column severity code" of each finding.
sub found_in_text { return map { /^(\S.*?):(\d+):(\d+): (error|warning): .*\[(R307-\d{3})\]$/ ? "$1:$2:$3 $4 $5" : () } split /\n/, $_[0] }

sub found_in_json {
    my $report = decode_json($_[0]);
    my %counts = (error => 0, warning => 0);
    $counts{ $_->{severity} }++ for @{ $report->{diagnostics} };
    die "counts\n" if $counts{error} != $report->{errors} || $counts{warning} != $report->{warnings};
    die "no message\n" if grep { !length $_->{message} || !length $_->{name} } @{ $report->{diagnostics} };
    return map { "$_->{file}:$_->{line}:$_->{column} $_->{severity} $_->{code}" } @{ $report->{diagnostics} };
}

sub found_in_sarif {
    my ($run) = @{ decode_json($_[0])->{runs} };
    my @rules = map { $_->{id} } @{ $run->{tool}{driver}{rules} };
    push @reports, sprintf 'report-%d.sarif', scalar @reports;
    write_bytes("$folder/$reports[-1]", $_[0]);
    return map {
        my $result = $_;
        my $place = $result->{locations}[0]{physicalLocation};
        die "$result->{ruleId} is not among the rules of the tool\n" if !grep { $_ eq $result->{ruleId} } @rules;
        "$place->{artifactLocation}{uri}:$place->{region}{startLine}:$place->{region}{startColumn} $result->{level} $result->{ruleId}"
    } @{ $run->{results} };
}

sub found_in_github {
    return map {
        /^::(error|warning) file=([^,:]+),line=(\d+),(?:endLine=\d+,)?col=(\d+),(?:endColumn=\d+,)?title=(R307-\d{3}) [\w-]+::\S[^\r\n]*$/
            or die "no annotation: $_\n";
        "$2:$3:$4 $1 $5"
    } split /\n/, $_[0];
}

for my $path (sort glob "$lang/*.redir") {
    my ($name) = $path =~ m{([^/]+)\.redir$};
    my @options = split ' ', (read_bytes($path) =~ /\A# rulec check (.*)/)[0] // '';
    my @wanted = sort(found_in_text(check('text', $name, @options)));
    $codes{$_} = 1 for map { /(R307-\d+)$/ } @wanted;
    for (['json', \&found_in_json], ['sarif', \&found_in_sarif], ['github', \&found_in_github]) {
        my ($format, $read) = @$_;
        my $said = check($format, $name, @options);
        my @got = eval { sort($read->($said)) };
        push @{ $wrong{$format} }, "$name: $@" if $@;
        push @{ $wrong{$format} }, "$name: @{[grep { my $one = $_; !grep { $_ eq $one } @got } @wanted]}" if !$@ && "@got" ne "@wanted";
    }
}
is(join("\n", @{ $wrong{$_} // [] }), '', "$_: the findings of all rules in t/lang") for qw(text json sarif github);
my %known = read_bytes(source_folder() . '/grammar/diag_codes.def') =~ /^DIAG_CODE\((\w+),\s*(\d+),/gm;
my @missing = grep { !$codes{ sprintf 'R307-%03d', $known{$_} } } sort keys %known;
is("@missing", '', scalar(keys %codes) . ' codes, which are all there are');

SKIP: {
    my ($schema) = grep { defined && -r } $ENV{REDIR307_SARIF_SCHEMA},
        $ENV{REDIR307_CORPUS} && "$ENV{REDIR307_CORPUS}/../schema/sarif-schema-2.1.0.json";
    skip 'no SARIF schema: REDIR307_SARIF_SCHEMA names none, and none lies beside REDIR307_CORPUS', 3 unless $schema;
    skip 'python3-jsonschema is not installed', 3 if system('python3 -c "import jsonschema" 2>/dev/null') != 0;
    # Names that are no plain references, bytes that are no UTF-8, and nothing at all.
    mkdir "$folder/a,b:c";
    write_bytes("$folder/a,b:c/100% ü.redir", "/a -> /b oops\n");
    write_bytes("$folder/bytes.redir", "/a\xff -> /b\n/c -> /d\n");
    write_bytes("$folder/good.redir", "/c -> /d\n");
    for my $rules ('a,b:c/100% ü.redir', 'bytes.redir', 'good.redir', "$folder/bytes.redir") {
        push @reports, sprintf 'report-%d.sarif', scalar @reports;
        write_bytes("$folder/$reports[-1]", (run_in($folder, rulec_path(), 'check', '--format', 'sarif', $rules, { separate => 1 }))[1]);
    }
    my $validate = <<'PYTHON';
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
validator = jsonschema.validators.validator_for(schema)(schema)
for name in sys.argv[2:]:
    for error in validator.iter_errors(json.load(open(name))):
        print(name, list(error.absolute_path), error.message[:200])
PYTHON
    my ($exit, $output) = run_in($folder, 'python3', '-c', $validate, $schema, @reports);
    is($exit, 0, 'the schema can be read') or diag($output);
    is($output, '', scalar(@reports) . ' reports follow the schema');
    write_bytes("$folder/broken.sarif", '{ "version": "2.1.0", "runs": [ { "results": [ { "level": "fatal" } ] } ] }');
    isnt((run_in($folder, 'python3', '-c', $validate, $schema, 'broken.sarif'))[1], '', '... and one that does not is found out');
}
done_testing();
