#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Three real lists of redirects, through `table` and a few lines of the language each (t/corpus/). What cannot be a
# rule, contradicts itself or leads in a circle must be named by `rulec check`; all other rows must be answered as the
# list says, by `rulec answer` and by httpd. What is expected is worked out in Redir307::List.
# REDIR307_CORPUS names the folder of the lists; they are not part of the project. Arguments: the lists to ask.
use strict;
use warnings;
use Test::More;
use File::Basename qw(basename);
use File::Copy qw(copy);
use FindBin;
use IO::Socket::INET;
use IO::Uncompress::Gunzip qw(gunzip $GunzipError);
use lib "$FindBin::Bin/lib";
use Redir307::List;
use Redir307::Rulec qw(folder read_bytes run_in rulec_path write_bytes);

my $corpus = $ENV{REDIR307_CORPUS};
plan skip_all => 'REDIR307_CORPUS does not name the folder of the real lists' if !defined $corpus || $corpus eq '';
-d $corpus or BAIL_OUT("REDIR307_CORPUS: $corpus is no folder");

my $VARIANTS = 20_000;
my $HTTP_REQUESTS = 2_000;
my $ROUNDS = 30;
my $PATIENCE = 3_000; # seconds for all of it, sanitized and on a loaded machine
my $SEED = $ENV{REDIR307_SEED} // 307;

$SIG{ALRM} = sub { diag('this test took too long'); exit 255 };
alarm $PATIENCE;

my $folder = folder();

# Gzipped or not.
sub read_file {
    my ($path) = @_;
    my $text = read_bytes($path);
    return $text if $path !~ /\.gz$/;
    gunzip(\$text => \my $plain) or die "$path: $GunzipError";
    return $plain;
}

# Runs rulec: its exit status. What it said is in the two.
my ($out, $err);
sub run_rulec {
    my ($input, @words) = @_;
    (my $status, $out, $err) = run_in($folder, rulec_path(), @words, { separate => 1, input => $input });
    return $status;
}

# ---- the lists: { name, tables => [{ file, name (of the plain table), lines => [...] }], rows, sites (text) } ----

sub read_table {
    my ($file) = @_;
    my @lines = split /\n/, read_file($file), -1;
    pop @lines if @lines && $lines[-1] eq '';
    (my $name = basename($file)) =~ s/\.gz$//;
    return { file => $file, name => $name, lines => \@lines };
}

sub read_mdn {
    my ($name) = @_;
    my %list = (name => $name, tables => [], rows => []);
    for my $file (sort glob "$corpus/$name/files/*/_redirects.txt") {
        my ($locale) = $file =~ m{([^/]+)/_redirects\.txt$};
        my $table = read_table($file);
        $table->{name} = $name eq 'mdn-en-us' ? 'mdn-en-us.txt' : "$locale.txt";
        push @{ $list{tables} }, $table;
        my $line = 0;
        for my $text (@{ $table->{lines} }) {
            $line++;
            next if $text =~ /^#/ || $text eq '';
            my ($from, $to) = split /\t/, $text, -1;
            push @{ $list{rows} }, { id => "$table->{name}:$line", file => $table->{name}, line => $line, site => 0,
                hosts => ['developer.mozilla.org'], from => $from, to => $to, status => 301 };
        }
    }
    return \%list;
}

sub read_alphagov {
    my %list = (name => 'alphagov', tables => [], rows => []);
    for my $file (sort glob "$corpus/alphagov/data/mappings/*.csv $corpus/alphagov/data/mappings/*.csv.gz") {
        my $table = read_table($file);
        push @{ $list{tables} }, $table;
        $table->{columns} = 1 + ($table->{lines}[0] =~ tr/,//);
        my $site = @{ $list{tables} };
        my (%hosts, @rows);
        my $line = 1;
        for my $text (@{ $table->{lines} }[1 .. $#{ $table->{lines} }]) {
            $line++;
            my ($from, $to, $status) = split /,/, $text, -1;
            my ($host) = $from =~ m{^https?://([^/?#]+)} or die "$file:$line: no URL";
            $hosts{ lc $host } = 1;
            push @rows, { id => "$table->{name}:$line", file => $table->{name}, line => $line, site => $site, from => $from, to => $to,
                status => $status };
        }
        # The hosts that the site's own file names, and those of its rows.
        (my $yaml = "$corpus/alphagov/data/transition-sites/$table->{name}") =~ s/csv$/yml/;
        if (-e $yaml) {
            my $text = read_file($yaml);
            $hosts{ lc $1 } = 1 if $text =~ /^host:\s*["']?([A-Za-z0-9.-]+)/m;
            $hosts{ lc $_ } = 1 for $text =~ /^aliases:\n((?:- .*\n?)+)/m ? $1 =~ /^- ["']?([A-Za-z0-9.-]+)/mg : ();
        }
        $table->{hosts} = [sort keys %hosts];
        $_->{hosts} = $table->{hosts} for @rows;
        push @{ $list{rows} }, @rows;
    }
    return \%list;
}

# ---- tables for rulec ----

# A control byte, as 574 rows of hmrc.csv have one in a column that nobody reads. rulec takes no such row; without
# the byte it is as good as any.
my $CONTROL = qr/[\x00-\x08\x0b-\x1f\x7f]/;

# A folder with the list's .redir and its tables: links to the real ones, or plain copies in which the rows left out
# are comments and control bytes are gone, so that all lines keep their numbers.
sub lay_out {
    my ($list, $to, $left_out) = @_;
    mkdir $to or die "$to: $!" if !-d $to;
    copy("$FindBin::Bin/corpus/$list->{name}.redir", "$to/$list->{name}.redir") or die "$list->{name}.redir: $!";
    my $sites = '';
    for my $table (@{ $list->{tables} }) {
        my $name = $table->{name};
        if ($left_out) {
            my @lines = @{ $table->{lines} };
            s/$CONTROL//g for @lines;
            $lines[$_ - 1] = "# left out: $lines[$_ - 1]" for grep { $left_out->{"$name:$_"} } 1 .. @lines;
            unlink "$to/$name";
            write_bytes("$to/$name", join '', map { "$_\n" } @lines);
        }
        else {
            $name .= '.gz' if $table->{file} =~ /\.gz$/;
            symlink $table->{file}, "$to/$name" or die "$to/$name: $!";
        }
        next if !$table->{hosts};
        my $columns = join ' ', 'from to status', ('-') x ($table->{columns} - 3);
        $sites .= "site @{ $table->{hosts} } {\n    table \"$name\" { columns $columns; heading }\n}\n";
    }
    write_bytes("$to/sites.redir", $sites) if $sites ne '';
    return "$to/$list->{name}.redir";
}

# Errors of the last run: [row id, ids in its notes...]
sub named_rows {
    my @errors;
    for my $line (split /\n/, $err . $out) {
        next if $line !~ m{(?:^|/)([^/\s:]+):(\d+):\d+: (error|note|warning): (.*)};
        my ($id, $kind, $text) = ("$1:$2", $3, $4);
        $id =~ s/\.gz:/:/;
        if ($kind eq 'error') { push @errors, [$id, $text] }
        elsif ($kind eq 'note' && @errors) { push @{ $errors[-1] }, $id }
    }
    return @errors;
}

sub check_list {
    my ($list) = @_;
    my ($good, $findings) = Redir307::List::sort_out($list->{rows});
    my %out = map { $_->{id} => 1 } map { @{ $_->{left_out} } } @$findings;
    is(@$good + keys %out, scalar @{ $list->{rows} }, sprintf '%s: %d rows, %d rules and %d left out',
        $list->{name}, scalar @{ $list->{rows} }, scalar @$good, scalar keys %out);
    for my $finding (@$findings) {
        note("$_->{id}: left out: $finding->{why}: $_->{from}", $_->{to} eq '' ? '' : " -> $_->{to}", " $_->{status}") for @{ $finding->{left_out} };
    }
    my %why;
    for my $finding (@$findings) { (my $why = $finding->{why}) =~ s/(?: of|:).*//; $why{$why} += @{ $finding->{left_out} } }
    diag("$list->{name}: left out: ", join ', ', map { "$why{$_} for $_" } sort keys %why) if %why;

    # The real tables first, then without the rows just named, for a run names so many and no more.
    my %has_control;
    for my $table (@{ $list->{tables} }) {
        for my $line (grep { $table->{lines}[$_ - 1] =~ $CONTROL } 1 .. @{ $table->{lines} }) { $has_control{"$table->{name}:$line"} = 1 }
    }
    diag("$list->{name}: ", scalar keys %has_control, ' rows are taken without their control byte') if %has_control;
    my (%named, @strange, %removed);
    my $path = lay_out($list, "$folder/raw-$list->{name}");
    my $exit = 1;
    my $round = 0;
    while ($exit eq '1' && $round++ < $ROUNDS) {
        $exit = run_rulec('', 'check', $path);
        my @errors = named_rows();
        last if $exit ne '1' || !@errors;
        for my $error (@errors) {
            my ($id, $text, @notes) = @$error;
            # Gone in the next round.
            next if $has_control{$id} && $text =~ /\[R307-002\]/ && $round == 1;
            $named{$_} = 1 for $id, @notes;
            $removed{$id} = 1;
            push @strange, "$id: $text" if !grep { $out{$_} } $id, @notes;
        }
        $path = lay_out($list, "$folder/round-$list->{name}", \%removed);
    }
    is($exit, 0, "$list->{name}: rulec check is content once the rows are gone that it named ($round runs)")
        or diag("exit status $exit\n", substr $err, 0, 3000);
    is(scalar @strange, 0, "$list->{name}: every error names a row that is left out")
        or diag(join "\n", @strange > 20 ? @strange[0 .. 19] : @strange);
    my @missed = grep { !grep { $named{ $_->{id} } } @{ $_->{rows} } } @$findings;
    is(scalar @missed, 0, "$list->{name}: every row left out is named by an error, or another of its circle")
        or diag(join "\n", map { "$_->{rows}[0]{id}: $_->{why}: $_->{rows}[0]{from}" } @missed > 20 ? @missed[0 .. 19] : @missed);
    return ($good, \%out);
}

# ---- what is asked ----

# [request URL, wanted answer]... of every row kept.
sub ask_all {
    my ($list, $good, $meaning) = @_;
    my (@asked, @hidden);
    for my $row (@$good) {
        my $answer = $meaning->answer(Redir307::List::url_of($row));
        # Rows written twice are one answer.
        push @hidden, $row if !$answer || $answer->[0]{to} ne $row->{to} || $answer->[0]{status} ne $row->{status};
        push @asked, [Redir307::List::url_of($row), $row->{status} . ($row->{to} eq '' ? '' : ' ' . Redir307::Naive::encode_uri($row->{to}))];
    }
    is(scalar @hidden, 0, "$list->{name}: no row is hidden by another")
        or diag(join "\n", map { "$_->{id} $_->{from}" } @hidden > 20 ? @hidden[0 .. 19] : @hidden);
    return \@asked;
}

# The same sources as somebody else would write them: other case, other last slash, other escapes, an alias host, more
# parameters. What comes out is the matcher's word, not the list's.
sub ask_variants {
    my ($good, $meaning) = @_;
    srand $SEED;
    my @asked;
    while (@asked < $VARIANTS) {
        my $row = $good->[rand @$good];
        my $url = Redir307::List::url_of($row, $row->{hosts}[rand @{ $row->{hosts} }]);
        my ($origin, $path, $query) = $url =~ m{^(http://[^/?]*)([^?]*)(.*)$};
        $path = '/' if $path eq '';
        my $how = int rand 6;
        if ($how == 0) { $path =~ s{((?:%..)|[^%])}{length $1 == 1 && rand() < 0.5 ? uc $1 : $1}ge }
        elsif ($how == 1) { $path =~ s{/$}{} || ($path .= '/') }
        elsif ($how == 2) { $path =~ s{([A-Za-z0-9_~.-])}{rand() < 0.1 ? sprintf '%%%02x', ord $1 : $1}ge }
        elsif ($how == 3) { $query .= ($query eq '' ? '?' : '&') . 'utm_source=x%20y' }
        elsif ($how == 4) { $path =~ s{/}{//}; $path = lc $path if $path !~ /%/ }
        else { $path .= 'x' }
        $path = '/' if $path eq '';
        my $answer = $meaning->answer("$origin$path$query");
        push @asked, ["$origin$path$query", !$answer ? 'pass' : $answer->[0]{status} . (defined $answer->[1] ? " $answer->[1]" : '')];
    }
    return \@asked;
}

sub compare_answers {
    my ($asked, $rules, $what) = @_;
    my $exit = run_rulec(join('', map { "GET $_->[0]\n" } @$asked), 'answer', $rules, '-');
    my @answers = split /\n/, $out, -1;
    pop @answers;
    is($exit, 0, "$what: rulec answer ends well") or diag($err);
    is(scalar @answers, scalar @$asked, "$what: an answer to each request");
    my @wrong = grep { ($answers[$_] // '(none)') ne $asked->[$_][1] } 0 .. $#$asked;
    is(scalar @wrong, 0, "$what: " . @$asked . ' answers as expected')
        or diag(join "\n", map { "GET $asked->[$_][0]\n  wanted: $asked->[$_][1]\n  got:    " . ($answers[$_] // '(none)') } @wrong > 10 ? @wrong[0 .. 9] : @wrong);
    return;
}

# ---- over HTTP ----

# Loaded late: without httpd the rest of this test still tells something.
sub have_httpd {
    return -x ($ENV{HTTPD} // '/usr/sbin/apache2') && require Redir307::Httpd;
}

# Status and Location of each GET, over connections that are kept; as `rulec answer` writes them.
sub ask_httpd {
    my ($urls) = @_;
    my ($socket, $buffer, @answers) = (undef, '');
    for my $url (@$urls) {
        my ($host, $target) = $url =~ m{^http://([^/?]*)(.*)$};
        $target = "/$target" if $target !~ m{^/};
        my ($head, $rest);
        # A connection that httpd has closed in the meantime is opened again, once.
        for my $try (1, 2) {
            if (!$socket) {
                $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => Redir307::Httpd::port(), Proto => 'tcp', Timeout => 10) or last;
                $buffer = '';
            }
            local $SIG{PIPE} = 'IGNORE';
            syswrite $socket, "GET $target HTTP/1.1\r\nHost: $host\r\n\r\n";
            while ($buffer !~ /\r\n\r\n/) { last if !sysread $socket, $buffer, 65536, length $buffer }
            last if ($head, $rest) = $buffer =~ /^(.*?\r\n)\r\n(.*)$/s;
            undef $socket;
        }
        if (!defined $head) { push @answers, '(no answer)'; next }
        my ($status) = $head =~ m{^HTTP/1\.1 (\d+)};
        my ($location) = $head =~ /^Location: *([^\r]*)\r$/mi;
        my ($length) = $head =~ /^Content-Length: *(\d+)\r$/mi;
        if (defined $length) { while (length $rest < $length) { last if !sysread $socket, $rest, 65536, length $rest } }
        if (!defined $length || $head =~ /^Connection: *close/mi) { undef $socket }
        $buffer = defined $length ? substr $rest, $length : '';
        push @answers, $status . (defined $location ? " $location" : '');
    }
    return \@answers;
}

sub compare_over_http {
    my ($asked, $rules, $what) = @_;
    srand $SEED;
    my @chosen = map { $asked->[rand @$asked] } 1 .. $HTTP_REQUESTS;
    copy($rules, Redir307::Httpd::folder() . "/$what.r307") or die "$rules: $!";
    chmod 0644, Redir307::Httpd::folder() . "/$what.r307";
    Redir307::Httpd::serve(rules => Redir307::Httpd::folder() . "/$what.r307", watch => '1s', conf => "AllowEncodedSlashes NoDecode\nMaxKeepAliveRequests 0\n");
    my $answers = ask_httpd([map { $_->[0] } @chosen]);
    my @wrong = grep { $answers->[$_] ne $chosen[$_][1] } 0 .. $#chosen;
    is(scalar @wrong, 0, "$what: httpd gives the list's answer to " . @chosen . " of its sources (seed $SEED)")
        or diag(join "\n", map { "GET $chosen[$_][0]\n  wanted: $chosen[$_][1]\n  got:    $answers->[$_]" } @wrong > 10 ? @wrong[0 .. 9] : @wrong);
    Redir307::Httpd::stop();
    return;
}

my %read = ('mdn-en-us' => \&read_mdn, 'mdn-locales' => \&read_mdn, 'alphagov' => \&read_alphagov);
for my $name (@ARGV ? @ARGV : ('mdn-en-us', 'mdn-locales', 'alphagov')) {
    my $list = $read{$name}->($name);
    cmp_ok(scalar @{ $list->{rows} }, '>', 10_000, "$name: " . @{ $list->{rows} } . ' rows in ' . @{ $list->{tables} } . ' tables');
    my ($good, $out) = check_list($list);
    my $path = lay_out($list, "$folder/clean-$name", $out);
    my $rules = "$folder/$name.r307";
    my $exit = run_rulec('', 'compile', '-o', $rules, $path);
    is($exit, 0, "$name: the rows kept compile without an error") or diag(substr $err, 0, 3000);
    next if $exit ne '0';
    my $meaning = Redir307::List->new($good);
    my $asked = ask_all($list, $good, $meaning);
    compare_answers($asked, $rules, "$name, every source");
    SKIP: {
        skip "no httpd to ask for $name", 1 if !have_httpd();
        alarm $PATIENCE;
        compare_over_http($asked, $rules, $name);
    }
    compare_answers(ask_variants($good, $meaning), $rules, "$name, sources as others write them (seed $SEED)");
}
done_testing();
