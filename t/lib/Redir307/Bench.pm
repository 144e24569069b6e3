# SPDX-License-Identifier: Apache-2.0
# What the benchmarks share: generated rules of each kind and requests to them (a number gives a path, the same one
# each time), a real list, and running the programs. Generated paths have about 60 bytes and 2 to 5 segments, with
# directories in common as sites have them.
package Redir307::Bench;
use strict;
use warnings;
use Cwd qw(getcwd);
use Exporter 'import';
use File::Temp qw(tempdir);
use JSON::PP ();
use POSIX ();
use Redir307::Rulec qw(rulec_path source_folder);

our @EXPORT_OK = qw(build_folder count_of exact_path write_set read_alphagov run_program compile_rules machine write_json work_folder row_table
    write_requests kind_path write_text);

my $HOSTS = 'shop.example.com www.shop.example.com';
my @WORDS = qw(about account archive article blog books browse catalogue category company contact corporate details docs
    download education events family finance garden guide health help history home index info international item
    kitchen legal library local magazine media members music news office online order outdoor partners pages press
    product programme public reports research resources review sale science search section service shop society sport
    store story support technology topic travel update video weather wiki world);

my $work;
sub work_folder { return $work //= tempdir('redir307-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1) }

sub build_folder { (my $folder = rulec_path()) =~ s{/rulec/rulec$}{}; return $folder }

# "100k", "1M": a number.
sub count_of {
    my ($word) = @_;
    $word =~ /^(\d+)([kM]?)$/ or die "\"$word\" is no number of rules (1k, 100k, 1M)\n";
    return $1 * { '' => 1, k => 1_000, M => 1_000_000 }->{$2};
}

# ---- paths ----
sub mixed { return ($_[0] * 2654435761 + 12345) % 4294967296 }

my @directories;
sub directory {
    if (!@directories) {
        for my $i (0 .. 4095) {
            my ($seed, $path) = (mixed($i), '');
            for (0 .. $seed % 4) { $seed = mixed($seed >> 3); $path .= "/$WORDS[($seed >> 8) % @WORDS]" }
            push @directories, $path;
        }
    }
    return $directories[$_[0] % @directories];
}

sub exact_path {
    my ($i) = @_;
    my $seed = mixed($i);
    return directory($seed >> 7) . "/$WORDS[$seed % @WORDS]-$WORDS[($seed >> 16) % @WORDS]-and-$WORDS[($seed >> 24) % @WORDS]-$i"
        . ('', '.html', '/', '.php')[$seed >> 5 & 3];
}

# Of a number that no set of rules has.
sub no_exact_path { return exact_path(100_000_000 + $_[0]) }

sub slug { my $seed = mixed($_[0]); return "$WORDS[$seed % @WORDS]-$WORDS[($seed >> 16) % @WORDS]" }

# Kinds of rules beside exact paths: [source, target] of rule $i, a request that it meets, one that misses it.
my %KINDS = (
    subtree => {
        rule => sub { my ($i) = @_; my $lead = subtree_lead($i); return ("$lead/*", "/new$lead/*") },
        hit => sub { my ($i) = @_; return subtree_lead($i) . '/' . slug($i) . "/page-$i.html" },
        miss => sub { my ($i) = @_; return '/unknown' . ($i % 7919) . exact_path($i) },
        near => sub { my ($i) = @_; return '/area' . $i % 97 . '/part' . $i % 13 . "/none$i/" . slug($i) . '/a/b/c/d' },
    },
    placeholder => {
        rule => sub {
            my ($i) = @_;
            return (["/goods$i/{id:int}", "/g/$i/{id}"], ['/area' . $i % 97 . "/c$i/{name}/view", "/view/$i/{name}"],
                ['/area' . $i % 97 . "/c$i/item-{id:int}.html", "/item/$i/{id}"])[$i % 3]->@*;
        },
        hit => sub {
            my ($i) = @_;
            return ("/goods$i/4711", '/area' . $i % 97 . "/c$i/" . slug($i) . '/view', '/area' . $i % 97 . "/c$i/item-4711.html")[$i % 3];
        },
        miss => sub { my ($i) = @_; return '/unknown' . ($i % 7919) . exact_path($i) },
        near => sub { my ($i) = @_; return '/area' . $i % 97 . "/none$i/" . slug($i) . '/view' },
    },
    query => {
        rule => sub { my ($i) = @_; return $i % 2 ? ("/index.php?id=$i", "/article/$i") : ("/find$i?q={text}", "/search/$i/{text}") },
        hit => sub { my ($i) = @_; return $i % 2 ? "/index.php?id=$i&utm_source=mail" : "/find$i?q=some+words" },
        miss => sub { my ($i) = @_; return no_exact_path($i) . '?utm_source=mail&page=2' },
        near => sub { my ($i) = @_; return "/index.php?id=none$i&utm_source=mail" },
    },
    regex => {
        rule => sub { my ($i) = @_; return ("~ \"^/part$i/(\\d+)/([a-z-]+)\\.html\$\"", '/new/{1}/{2}') },
        hit => sub { my ($i) = @_; return "/part$i/4711/" . slug($i) . '.html' },
        miss => sub { my ($i) = @_; return no_exact_path($i) },
        near => sub { my ($i) = @_; return "/part$i/4711/" . slug($i) . '.php' },
    },
    # No literal prefix to hang on: every one is tried for every path that no better rule takes.
    'open regex' => {
        rule => sub { my ($i) = @_; return ("~ \"/old$i/([a-z-]+)\\.html\$\"", '/new/{1}') },
        hit => sub { my ($i) = @_; return directory($i) . "/old$i/" . slug($i) . '.html' },
        miss => sub { my ($i) = @_; return no_exact_path($i) },
    },
    conditions => {
        rule => sub {
            my ($i) = @_;
            my @when = ('when header X-A = "1"', 'when client 10.0.0.0/8', 'when method GET', 'unless query preview', 'when scheme http',
                'from 2020-01-01T00:00Z', 'until 2099-01-01T00:00Z', 'unless header Y-B')[0 .. (1, 4, 8)[$i % 3] - 1];
            return ("/when/$i", "/then/$i { " . join('; ', @when) . ' }');
        },
        (map { my $k = $_; ("hit$k" => sub { return '/when/' . (3 * $_[0] + { 1 => 0, 4 => 1, 8 => 2 }->{$k}) }) } 1, 4, 8),
    },
);

sub subtree_lead { my ($i) = @_; return ("/tree$i", '/area' . $i % 97 . "/tree$i", '/area' . $i % 97 . '/part' . $i % 13 . "/tree$i")[$i % 3] }

sub write_text {
    my ($name, $write) = @_;
    open my $out, '>', work_folder() . "/$name" or die "$name: $!";
    $write->($out);
    close $out or die "$name: $!";
    return work_folder() . "/$name";
}

# $exact exact rules and more of other kinds (kind => count...): a rules source.
sub write_set {
    my ($name, $exact, @more) = @_;
    return write_text("$name.redir", sub {
        my ($out) = @_;
        print $out "site $HOSTS {\n";
        for my $i (0 .. $exact - 1) { print $out exact_path($i), " -> /new/place/for/the/article/number/$i\n" }
        while (my ($kind, $count) = splice @more, 0, 2) {
            for my $i (0 .. $count - 1) { my ($source, $target) = $KINDS{$kind}{rule}->($i); print $out "$source -> $target\n" }
        }
        print $out "}\n";
    });
}

# Requests with numbers picked at random below $rules; $path makes a path of each (exact_path, kind_path).
sub write_requests {
    my ($name, $count, $rules, $path) = @_;
    srand 307;
    return write_text($name, sub { my ($out) = @_; print $out 'shop.example.com ', $path->(int rand $rules), "\n" for 1 .. $count });
}

sub kind_path { my ($kind, $what) = @_; return $KINDS{$kind}{$what} }

# ---- a real list: the sites that became www.gov.uk ----
# Returns { redir, rows => ["host path"...], left_out }, undef without REDIR307_CORPUS. Rows that rulec check calls wrong
# are left out (t/corpus.t looks at each).
sub read_alphagov {
    my $corpus = $ENV{REDIR307_CORPUS};
    return if !defined $corpus || !-d "$corpus/alphagov/data/mappings";
    my $folder = work_folder() . '/alphagov';
    mkdir $folder or die "$folder: $!";
    my (%lines, @rows, $left_out);
    my $sites = '';
    for my $file (sort glob "$corpus/alphagov/data/mappings/*.csv $corpus/alphagov/data/mappings/*.csv.gz") {
        (my $name = $file) =~ s{.*/|\.gz$}{}g;
        open my $in, '-|', $file =~ /\.gz$/ ? ('gzip', '-dc') : ('cat'), $file or die "$file: $!";
        my @all = <$in>;
        close $in or die "$file: cannot be read";
        tr/\x00-\x08\x0b-\x1f\x7f//d for @all;
        $lines{$name} = \@all;
        my %hosts;
        for my $line (@all[1 .. $#all]) { $hosts{ lc $1 } = 1 if $line =~ m{^https?://([^/?#,]+)} }
        my $columns = $all[0] =~ tr/,//;
        $sites .= "site @{[sort keys %hosts]} {\n    table \"$name\" { columns @{[qw(from to status), ('-') x ($columns - 2)]}; heading }\n}\n";
    }
    open my $out, '>', "$folder/sites.redir" or die;
    print $out "case ignore\n$sites";
    close $out;
    for (1 .. 30) {
        for my $name (keys %lines) { open my $table, '>', "$folder/$name" or die; print $table @{ $lines{$name} }; close $table }
        my $said = qx(cd '$folder' && '@{[rulec_path()]}' check sites.redir 2>&1);
        my %wrong = map { /(?:^|\/)([^\/\s:]+\.csv):(\d+):\d+: error: / ? ("$1:$2" => [$1, $2]) : () } split /\n/, $said;
        last if !%wrong;
        for my $row (values %wrong) { $lines{ $row->[0] }[$row->[1] - 1] = "# left out\n"; $left_out++ }
    }
    for my $name (sort keys %lines) {
        for (@{ $lines{$name} }) { push @rows, "$1 $2" if m{^https?://([^/?#,:]+)(/[^,#]*),} }
    }
    return { redir => "$folder/sites.redir", rows => \@rows, left_out => $left_out // 0 };
}

# ---- programs ----
# Runs t/bench/measure: exit, wall, user, system, peak (KiB). What the program says is shown where it fails.
sub run_program {
    my (@words) = @_;
    my ($figures, $said) = map { work_folder() . "/$_" } qw(figures said);
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', $said or POSIX::_exit(126);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
        exec build_folder() . '/t/bench/measure', $figures, @words or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    die "t/bench/measure did not run: make bench makes it\n" if $?;
    open my $in, '<', $figures or die "$figures: $!";
    my %figures;
    @figures{qw(exit wall user system peak)} = split ' ', scalar <$in>;
    if ($figures{exit}) { open my $log, '<', $said or die "$said: $!"; my $lines = 0; print STDERR $_ while $lines++ < 20 && defined($_ = <$log>) }
    return \%figures;
}

sub compile_rules {
    my ($redir) = @_;
    (my $file = $redir) =~ s/\.redir$/.r307/;
    my $figures = run_program(rulec_path(), 'compile', '-q', '-o', $file, $redir);
    die "rulec compile ended with $figures->{exit}\n" if $figures->{exit};
    return $file;
}

sub machine {
    my %machine = (cores => 0);
    open my $in, '<', '/proc/cpuinfo' or return \%machine;
    while (<$in>) { $machine{cpu} //= $1 if /^model name\s*:\s*(.*)/; $machine{cores}++ if /^processor/ }
    return \%machine;
}

sub write_json {
    my ($name, $data) = @_;
    my $path = "$name";
    open my $out, '>', $path or die "$path: $!";
    print $out JSON::PP->new->canonical->pretty->encode($data);
    close $out or die "$path: $!";
    print "\nAll figures: ", getcwd(), "/$path\n";
}

# Rows of cells in columns, the first one to the left; also a Markdown table.
sub row_table {
    my ($head, @rows) = @_;
    my @width = map { my $c = $_; my $most = 0; for ($head, @rows) { $most = length $_->[$c] if length $_->[$c] > $most } $most } 0 .. $#$head;
    my $line = sub { my ($cells) = @_; return '| ' . join(' | ', map { sprintf $_ ? "%$width[$_]s" : "%-$width[$_]s", $cells->[$_] } 0 .. $#$cells) . " |\n" };
    return join '', $line->($head), '|', join('|', map { $_ ? '-' x ($width[$_] + 1) . ':' : '-' x ($width[$_] + 2) } 0 .. $#width), "|\n", map { $line->($_) } @rows;
}

1;
