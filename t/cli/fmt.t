#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# rulec fmt: one layout, which keeps words, comments and meaning; formatting twice changes nothing more.
#   REDIR307_SEED=N    another first seed; REDIR307_SETS=N    so many rule sets
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use Redir307::Generate qw(generate_set generate_requests);
use Redir307::RuleText 'rule_text';
use Redir307::Rulec qw(rulec rules run_in folder rulec_path read_bytes write_bytes source_folder);
use Test::More;

my $folder = folder();
my $long = '/' . 'x' x 60;

sub formatted {
    my ($text) = @_;
    my ($status, $out, $error) = run_in($folder, rulec_path(), 'fmt', '-', { input => $text, separate => 1 });
    return $status eq '0' ? $out : "exit $status: $error";
}

sub becomes {
    my ($before, $after, $name) = @_;
    is(formatted($before), $after, $name);
    is(formatted($after), $after, "$name; once more changes nothing") if $before ne $after;
}

becomes(<<'BEFORE', <<'AFTER', 'rules of a block stand in columns');


site   shop.example.com {

  cache 1h      # for all
  /cart -> /basket permanent # 308
	/sale/* ->   /deals/* found    # 302
  # own line
  /search?q={t} -> /find?query={t}
  /old-shop gone # 410


  /form->x pass; /a -> /b { when method POST;   until 2026-12-31; } # both
  ~ "^/x/(\d+)\"$"  -> /ä/{1}   permanent auto

}
BEFORE
site shop.example.com {
    cache 1h                                   # for all
    /cart         -> /basket         permanent # 308
    /sale/*       -> /deals/*        found     # 302
    # own line
    /search?q={t} -> /find?query={t}
    /old-shop     gone                         # 410

    /form->x         pass
    /a               -> /b { when method POST; until 2026-12-31 } # both
    ~ "^/x/(\d+)\"$" -> /ä/{1} permanent auto
}
AFTER
becomes("group { /a -> /b; /c -> /d }\ngroup \"x\" {\n}\n", "group {\n    /a -> /b\n    /c -> /d\n}\ngroup \"x\" {}\n", 'blocks of rules have lines of their own');
becomes("/a -> /b { note \"x\"\n}\n", "/a -> /b {\n    note \"x\"\n}\n", 'braces over several lines stay so');
becomes("/a -> /b { # why\n note \"x\" }\n", "/a -> /b { # why\n    note \"x\"\n}\n", 'a comment behind a brace');
becomes("/a -> /b {}\n/c -> /d { ; }\n", "/a -> /b {}\n/c -> /d {}\n", 'empty braces');
becomes("/a -> by language { de /de/; en-GB /en/ found\n otherwise /en/ } found # x\n",
    "/a -> by language {\n    de        /de/\n    en-GB     /en/ found\n    otherwise /en/\n} found # x\n", 'lines of a choice');
becomes("/a -> by client { 70 /x; 30 /y }\n", "/a -> by client { 70 /x; 30 /y }\n", 'a choice on one line');
becomes("expect GET /a -> 307 /b\nexpect POST /abc with { flag f\n} at 2026-01-01 -> 302 { header A \"b\" }\n",
    "expect GET  /a -> 307 /b\nexpect POST /abc with {\n    flag f\n} at 2026-01-01 -> 302 { header A \"b\" }\n", 'tests');
becomes("expect GET /a -> 307 /b\nexpect POST /abc at 2026-01-01 -> pass\nexpect GET /abc/$long -> 404\n",
    "expect GET  /a                 -> 307 /b\nexpect POST /abc at 2026-01-01 -> pass\nexpect GET  /abc/$long -> 404\n", 'the arrows of tests');
becomes("/a -> /b\r\n\r\n\r\n\r\n/c -> /d   # x  \r\n", "/a -> /b\n\n/c -> /d # x\n", 'CRLF, empty lines, blanks at the end');
becomes("\xef\xbb\xbf/a -> /b", "/a -> /b\n", 'a byte order mark, no line end at the end');
becomes('', '', 'an empty file');
becomes("\n\n", '', 'empty lines alone');
becomes("# only", "# only\n", 'a comment alone');
becomes("/a -> /b\n$long -> /c found\n/de -> /f moved\n", "/a  -> /b\n$long -> /c found\n/de -> /f moved\n", 'a long source sticks out alone');
becomes("include \"missing/*.redir\"\ntable   \"missing.csv\"\n", "include \"missing/*.redir\"\ntable \"missing.csv\"\n", 'files that are named need not be there');

# Files.
my ($status, $said, $error);
write_bytes("$folder/w.redir", "/a   -> /b\n");
write_bytes("$folder/good.redir", "/a -> /b\n");
chmod 0640, "$folder/w.redir";
($status, $said) = rulec('fmt', '--check', 'w.redir', 'good.redir');
is("$status $said", "1 w.redir\n", '--check names what would change, and exits with 1');
is(read_bytes("$folder/w.redir"), "/a   -> /b\n", '... and writes nothing');
symlink 'w.redir', "$folder/link.redir";
($status, $said) = rulec('fmt', '-w', 'link.redir', 'good.redir');
is("$status $said", "0 link.redir\n", '-w names what it wrote');
is(read_bytes("$folder/w.redir"), "/a -> /b\n", '... and it is written');
is(sprintf('%o', (stat "$folder/w.redir")[2] & 07777), '640', '... the mode stays');
ok(-l "$folder/link.redir", '... a link stays a link');
is((rulec('fmt', '--check', 'w.redir'))[0], 0, '... now --check is content');
is(join(' ', glob "$folder/*.tmp-*"), '', 'no temporary file is left');
write_bytes("$folder/bad.redir", "/a   -> /b\n/c oops oops -> /d\n/e   -> { \n");
($status, $said, $error) = run_in($folder, rulec_path(), 'fmt', '-w', 'bad.redir', { separate => 1 });
is("$status$said", '1', 'a file with mistakes: exit status 1');
like($error, qr/^bad\.redir:2:\d+: error: /, '... with what is wrong');
is(read_bytes("$folder/bad.redir"), "/a   -> /b\n/c oops oops -> /d\n/e   -> { \n", '... and is left alone');
is((rulec('fmt', 'missing.redir'))[0], 3, 'a missing file: exit status 3');
is((rulec('fmt', '-w', '-'))[0], 2, 'standard input cannot be written');
is((rulec('fmt', '-w', '--check', 'w.redir'))[0], 2, '-w and --check are two wishes');

# All rules there are, in a copy of their folders: what check says of them stays the same but for the places.
sub findings {
    my ($in, $name) = @_;
    my ($exit, $json) = run_in($in, rulec_path(), 'check', '--format', 'json', $name, { separate => 1 });
    my $found = eval { decode_json($json) } or return "exit $exit";
    # In the order of their places, which a mistake about several lines may change: sorted by text.
    my @texts = map { my $d = $_; "$d->{code} " . ($d->{message} =~ s/\d+/N/gr) } @{ $found->{diagnostics} };
    return join "\n", $exit, $found->{errors}, $found->{warnings}, $found->{rules}, sort @texts;
}
my ($unchanged, $broken, @wrong) = (0, 0);
for my $place (qw(t/lang docs/examples)) {
    my $copy = "$folder/" . $place =~ s/\W/-/gr;
    system('cp', '-R', source_folder() . "/$place", $copy) == 0 or die 'cp';
    system('chmod', '-R', 'u+w', $copy);
    chomp(my @names = `cd '$copy' && find . -name '*.redir' | LC_ALL=C sort`);
    for my $name (@names) {
        my $text = read_bytes("$copy/$name");
        my ($exit) = run_in($copy, rulec_path(), 'fmt', '-q', $name, { separate => 1 });
        if ($exit eq '1') { $broken++; next }
        my $before = findings($copy, $name);
        my ($wrote) = run_in($copy, rulec_path(), 'fmt', '-q', '-w', $name);
        my $after = findings($copy, $name);
        my ($stays) = run_in($copy, rulec_path(), 'fmt', '--check', $name);
        push @wrong, "$name: $before\n--- now\n$after" if "$wrote $stays" ne '0 0' || $before ne $after;
        my ($old, $new) = map { s/[\s;]+//gr =~ s/^\xef\xbb\xbf//r } $text, read_bytes("$copy/$name");
        push @wrong, "$name: words changed" if $old ne $new;
        $unchanged++;
    }
}
# ---- our own examples ----
my ($as_they_are) = run_in(source_folder(), rulec_path(), 'fmt', '--check', map { s{^\Q${\source_folder()}\E/}{}r } glob source_folder() . '/docs/examples/{*,parts/*}.redir');
is($as_they_are, 0, 'the examples in docs are in this layout');
is(scalar(@wrong), 0, "$unchanged files keep words and meaning, $broken with syntax errors are left alone") or diag(join "\n", @wrong);
cmp_ok($unchanged, '>', 10, '... that is enough of them');

becomes(<<'BEFORE', <<'AFTER', 'a comment behind a brace that closes stands there');
/y3 -> /z { # behind the brace
 cache 1h # behind a clause
} # behind the end
/long-source -> /z {} # of a rule
BEFORE
/y3 -> /z { # behind the brace
    cache 1h # behind a clause
} # behind the end
/long-source -> /z {} # of a rule
AFTER

# Random rule sets in a random layout.
sub scramble {
    my ($text) = @_;
    my @blanks = (' ', '  ', "\t", '   ');
    my $blank = sub { $blanks[rand @blanks] };
    my ($out, $number) = ('', 0);
    for my $line (split /\n/, $text) {
        $number++;
        $line =~ s/^ +/$blank->() x int(rand 3)/e;
        $line =~ s/ -> /$blank->() . '->' . $blank->()/e;
        if (rand() < .3 && $line =~ /^[^"]* \{ [^"]* \}$/) { $line =~ s/ \{ / { # block $number\n/; $line =~ s/; /\n/g if rand() < .5 }
        $line .= rand() < .2 ? " # \"{ -> $number" : rand() < .2 && $line !~ /\{$/ ? ' ;' : '';
        $out .= $line . (rand() < .1 ? "\n\n\n" : "\n");
        $out .= $blank->() . "#own; comment\n" if rand() < .1;
    }
    return $out;
}
my $first = $ENV{REDIR307_SEED} // 1;
my $sets = $ENV{REDIR307_SETS} // 30;
my ($asked, $compared, @failed) = (0, 0);
for my $seed ($first .. $first + $sets - 1) {
    srand $seed;
    my $set = generate_set();
    my $text = scramble(rule_text($set));
    my $once = formatted($text);
    if ($once =~ /^exit/) { push @failed, "seed $seed: $once"; next }
    push @failed, "seed $seed: formatting twice changes something" if formatted($once) ne $once;
    # Sets whose rules contradict each other do not compile: then check has to say the same of both.
    rules('set', $text);
    rules('nice', $once);
    my ($before, $after) = map { (run_in($folder, rulec_path(), 'compile', '-q', "$_.redir", { separate => 1 }))[0] } qw(set nice);
    if ($before ne $after) { push @failed, "seed $seed: compile says $before, then $after"; next }
    if ($before ne '0') {
        push @failed, "seed $seed: check says something else" if findings($folder, 'set.redir') ne findings($folder, 'nice.redir');
        next;
    }
    $compared++;
    my $requests = generate_requests($set, 200);
    my $input = join '', map { "$_\n" } @$requests;
    my @answers = map { (run_in($folder, rulec_path(), 'answer', '--chance', '0', $_, '-', { input => $input }))[1] } qw(set.r307 nice.r307);
    push @failed, "seed $seed: other answers" if $answers[0] ne $answers[1];
    $asked += @$requests;
}
is(scalar(@failed), 0, "$sets rule sets: $compared compile and answer $asked requests alike") or diag(join "\n", @failed[0 .. ($#failed < 9 ? $#failed : 9)]);
done_testing();
