#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The documents say what is true: every example in them compiles (or fails with the code that stands beside it), every
# directive has its page, every diagnostic its section, every link its file.
#
# A fence's first line tells what a block is:
#   ```redir               compiles, with no message, and its expect lines hold
#   ```redir R307-041      gives a message of this code
#   ```redir shop.redir    compiles and is kept under that name for the blocks below it
#   ```csv moved.csv       any file that the blocks below need
#   ```apache              a configuration that httpd accepts
#   ```console             in the tutorial: `$ rulec ...` lines, each with the output that stands below it, if any does;
#                          a line `...` stands for the rest
use strict;
use warnings;
use Test::More;
use File::Basename qw(dirname);
use File::Find ();
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use FindBin;

my $source_folder = $ENV{REDIR307_SRCDIR} // "$FindBin::Bin/..";
my $build_folder  = $ENV{REDIR307_BUILDDIR} // "$FindBin::Bin/../build";
my $rulec         = "$build_folder/rulec/rulec";
my $module        = "$build_folder/.libs/mod_redir307.so";
-x $rulec or BAIL_OUT("$rulec is not built");

sub read_file {
    my ($path) = @_;
    open my $in, '<:raw', $path or die "$path: $!";
    local $/;
    return scalar <$in>;
}

sub write_file {
    my ($path, $text) = @_;
    make_path(dirname($path));
    open my $out, '>:raw', $path or die "$path: $!";
    print $out $text;
    close $out or die "$path: $!";
    return;
}

# Exit status and everything printed.
sub run {
    my ($folder, @command) = @_;
    my $pid = open(my $out, '-|') // die "fork: $!";
    if (!$pid) {
        chdir $folder or die "$folder: $!";
        open STDIN,  '<',  '/dev/null' or die $!;
        open STDERR, '>&', \*STDOUT    or die $!;
        exec @command or exit 127;
    }
    local $/;
    my $text = <$out> // '';
    close $out;
    return ($? >> 8, $text);
}

sub documents {
    my @found = grep { -f "$source_folder/$_" } 'README.md';
    File::Find::find({ no_chdir => 1, wanted => sub {
        push @found, $File::Find::name =~ s{^\Q$source_folder\E/}{}r if /\.md\z/;
    } }, "$source_folder/docs");
    return sort @found;
}

# The fenced blocks of a document: { line, kind, words, text }.
sub blocks {
    my ($path) = @_;
    my (@blocks, $open);
    my $line = 0;
    for (split /\n/, read_file("$source_folder/$path")) {
        $line++;
        if ($open) {
            if (/^```\s*$/) { push @blocks, $open; undef $open }
            else            { $open->{text} .= "$_\n" }
        } elsif (/^```(\w*)\s*(.*?)\s*$/) {
            $open = { line => $line, kind => $1, words => [split ' ', $2], text => '' };
        }
    }
    fail("$path:$open->{line}: this block is closed") if $open;
    return @blocks;
}

# ---- examples of the language ----

sub try_rules {
    my ($path, $block, $folder) = @_;
    my ($code) = grep { /^R307-\d+$/ } @{ $block->{words} };
    my ($name) = grep { m{\.redir$} } @{ $block->{words} };
    $name //= 'example.redir';
    write_file("$folder/$name", $block->{text});
    my ($status, $text) = run($folder, $rulec, 'check', $name);
    if ($code) {
        like($text, qr/\[\Q$code\E\]/, "$path:$block->{line}: this example gives $code");
        return;
    }
    my $good = is($status, 0, "$path:$block->{line}: this example compiles");
    $good &&= unlike($text, qr/\[R307-\d+\]/, "$path:$block->{line}: without a message");
    diag($text) if !$good;
    return if $block->{text} !~ /^\s*expect\b/m;
    ($status, $text) = run($folder, $rulec, 'test', $name);
    is($status, 0, "$path:$block->{line}: its expectations hold") or diag($text);
    return;
}

# The commands are run in the folder that the blocks above wrote their files into.
sub try_commands {
    my ($path, $block, $folder) = @_;
    local $ENV{PATH} = dirname($rulec) . ":$ENV{PATH}";
    my $line = $block->{line};
    for my $part (split /^(?=\$ )/m, $block->{text}) {
        my ($command, @wanted) = split /\n/, $part;
        $line++;
        my ($status, $text) = run($folder, 'sh', '-c', $command =~ s/^\$ //r);
        if (grep { /R307-\d+/ } @wanted) { is($status, 1, "$path:$line: this command refuses the rules") }
        else { is($status, 0, "$path:$line: this command is fine") or diag($text) }
        my @got = split /\n/, $text;
        if (@wanted && $wanted[-1] eq '...') {
            pop @wanted;
            splice @got, scalar @wanted if @got > @wanted;
        }
        is(join("\n", @got), join("\n", @wanted), "$path:$line: it says what stands there") if @wanted;
        $line += @wanted;
    }
    return;
}

my %seen;
for my $path (documents()) {
    my $folder = tempdir('redir307-docs-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    for my $block (blocks($path)) {
        my ($name) = grep { m{^[\w/-]+\.\w+$} } @{ $block->{words} };
        if ($block->{kind} eq 'redir') {
            try_rules($path, $block, $folder);
            $seen{$path}++;
        } elsif ($block->{kind} eq 'console' && $path =~ /tutorial/) {
            try_commands($path, $block, $folder);
        } elsif ($name) {
            write_file("$folder/$name", $block->{text});
        }
    }
}
ok($seen{'README.md'} && $seen{'docs/language.md'} && $seen{'docs/tutorial.md'}, 'the main documents have examples');

# Files meant to be run as they are.
for my $path (glob("'$source_folder/docs/examples/*.redir'"), glob("'$source_folder/docs/examples/parts/*.redir'")) {
    my $name = $path =~ s{^\Q$source_folder\E/}{}r;
    my ($status, $text) = run(dirname($path), $rulec, 'check', $path);
    is($status, 0, "$name compiles") or diag($text);
    unlike($text, qr/\[R307-\d+\]/, "$name gives no message");
    ($status, $text) = run(dirname($path), $rulec, 'test', $path);
    is($status, 0, "$name meets its expectations") or diag($text);
}

# ---- directives ----

my @directives;
for my $path (glob("'$source_folder/mod_redir307/mod_redir307*.c'")) {
    push @directives, read_file($path) =~ /AP_INIT_\w+\(\s*"(Redir307\w+)"/g;
}
cmp_ok(scalar @directives, '>=', 7, 'the module has its directives');
for my $directive (@directives) {
    my $path = "$source_folder/docs/directives/$directive.md";
    if (!ok(-f $path, "$directive has a page")) { next }
    my $text = read_file($path);
    for my $part ('Syntax', 'Default', 'Context') {
        like($text, qr/^\|?\s*\**$part/m, "$directive: its page tells the \l$part");
    }
    like($text, qr/^```apache/m, "$directive: its page has an example");
}
for my $page (glob("'$source_folder/docs/directives/Redir307*.md'")) {
    my ($name) = $page =~ m{([^/]+)\.md$};
    ok((grep { $_ eq $name } @directives), "$name, which has a page, is a directive");
}

# ---- diagnostics ----

my %codes = read_file("$source_folder/grammar/diag_codes.def") =~ /^DIAG_CODE\((\w+),\s*(\d+),/gm;
cmp_ok(scalar keys %codes, '>', 20, 'there are diagnostics');
my $diagnostics = read_file("$source_folder/docs/diagnostics.md");
for my $code (sort { $codes{$a} <=> $codes{$b} } keys %codes) {
    my $number = sprintf 'R307-%03d', $codes{$code};
    my $name   = lc $code =~ tr/_/-/r;
    ok($diagnostics =~ /^#+ .*\b$number\b.*\b\Q$name\E\b/m, "$number ($name) has a section");
}
my %numbers = map { sprintf('R307-%03d', $_) => 1 } values %codes;
my @unknown = grep { !$numbers{$_} } $diagnostics =~ /^#+ .*\b(R307-\d+)\b/gm;
is("@unknown", '', 'no section is about a code that does not exist');

# ---- links ----

for my $path (documents()) {
    my $text   = read_file("$source_folder/$path") =~ s/^```.*?^```//gmsr;
    my @broken = grep {
        !-e dirname("$source_folder/$path") . "/$_"
    } grep { length } map { s/#.*//r } grep { !/^\w+:/ } $text =~ /\]\(([^)\s]+)\)/g;
    is("@broken", '', "$path: each link leads to a file");
    my %anchors = map { lc(s/[^\w -]//gr) =~ tr/ /-/r => 1 } $text =~ /^#+ (.*?)\s*$/gm;
    my @lost    = grep { !$anchors{$_} } $text =~ /\]\(#([^)\s]+)\)/g;
    is("@lost", '', "$path: each link inside leads to a heading");
}

# ---- configurations ----

SKIP: {
    my $httpd   = $ENV{HTTPD}            // '/usr/sbin/apache2';
    my $modules = $ENV{HTTPD_MODULEDIR}  // '/usr/lib/apache2/modules';
    my @configs = map {
        my $path = $_;
        map { [$path, $_] } grep { $_->{kind} eq 'apache' } blocks($path)
    } documents();
    # The sample as it is installed, and with all that it proposes.
    my $sample = read_file("$source_folder/conf/redir307.conf");
    push @configs, ['conf/redir307.conf', { line => 1, text => $sample }],
        ['conf/redir307.conf', { line => 2, text => $sample =~ s/^(\s*)#(?=Redir307)/$1/gmr }];
    skip "no httpd at $httpd", scalar @configs if !-x $httpd;
    my $folder = tempdir('redir307-docs-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my ($status, $text) = run($folder, $rulec, 'compile', '-o', "$folder/rules.r307",
        "$source_folder/docs/examples/first.redir");
    is($status, 0, 'a rule file for the configurations') or diag($text);
    for (@configs) {
        my ($path, $block) = @$_;
        my $config = $block->{text} =~ s/^\s*LoadModule redir307_module .*$//gmr;
        $config =~ s{"?/[\w/.-]+\.r307"?}{"$folder/rules.r307"}g;
        $config =~ s{"/[\w/.-]+/flags"}{"$folder"}g;
        my $load = join '', map { -f "$modules/mod_$_.so" ? "LoadModule ${_}_module $modules/mod_$_.so\n" : '' }
            qw(mpm_event authz_core authz_host alias);
        my $preload = $ENV{REDIR307_PRELOAD};
        write_file("$folder/httpd.conf", <<"CONF");
ServerRoot "$folder"
PidFile "$folder/httpd.pid"
DefaultRuntimeDir "$folder"
ErrorLog "$folder/error.log"
ServerName localhost
Listen 127.0.0.1:65000
${load}LoadModule redir307_module "$module"
$config
CONF
        my $options   = join ':', grep { length } $ENV{ASAN_OPTIONS} // '', 'detect_leaks=0';
        my @sanitized = $preload ? ('env', "LD_PRELOAD=$preload", "ASAN_OPTIONS=$options") : ();
        ($status, $text) = run($folder, @sanitized, $httpd, '-t', '-f', "$folder/httpd.conf");
        is($status, 0, "$path:$block->{line}: httpd accepts this configuration") or diag($text);
    }
}

done_testing();
