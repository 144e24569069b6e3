# SPDX-License-Identifier: Apache-2.0
# A table of requests, what a server says to them and writes into its logs, and whether two servers do so alike.
#
# Compared are the bytes as they came. What differs between two runs of one and the same server is written alike first:
# dates, ports, process and thread ids, lock tokens, nonces, boundaries, the borders of chunks, the order in lists that
# httpd takes out of a hash (methods in Allow, namespaces), and whether what a CGI says came at once (then it has a length).
package Redir307::Recorded;
use strict;
use warnings;
use Exporter 'import';
use IO::Socket::INET;
use Redir307::Httpd;
use Redir307::Site;
use Test::More;
use Time::HiRes qw(time sleep);

our @EXPORT = qw(table_of request_of curl_of record same_answers same_logs);

# ---- the table: { name, bytes or curl } ----

# HTTP/1.1 with this Host, and the connection ends after it.
sub request_of {
    my ($host, $method, $target, $fields, $body, %more) = @_;
    my $text = join "\r\n", "$method $target HTTP/1.1", "Host: $host", @$fields;
    $text .= "\r\nContent-Length: " . length $body if defined $body;
    return { name => join(' | ', "$host: $method $target", @$fields), host => $host, target => $target,
        bytes => "$text\r\nConnection: close\r\n\r\n" . ($body // ''), %more };
}

# Lines: "@host" for those below, "METHOD TARGET | Field: value | ... | = body", "#" comments.
sub table_of {
    my ($text) = @_;
    my ($host, @table);
    for my $line (split /\n/, $text) {
        next if $line =~ /^\s*(#|$)/;
        if ($line =~ /^\@(\S+)/) { $host = $1; next }
        my ($head, @fields) = split /\s+\|\s+/, $line;
        my ($body) = map { substr $_, 2 } grep { /^= / } @fields;
        my ($method, $target) = split ' ', $head, 2;
        push @table, request_of($host, $method, $target, [grep { !/^= / } @fields], $body);
    }
    return @table;
}

# What curl asks, and what it shows of the answers. `of`: the host and target, as above.
sub curl_of {
    my ($name, $of, @arguments) = @_;
    return { name => $name, %$of, curl => \@arguments };
}

# ---- asking ----

sub exchange {
    my ($to, $bytes) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $to, Proto => 'tcp', Timeout => 10) or return 'no connection';
    local $SIG{PIPE} = 'IGNORE';
    syswrite $socket, $bytes;
    return Redir307::Httpd::read_all($socket);
}

sub ask_one {
    my ($entry, $before) = @_;
    if ($entry->{curl}) {
        my ($status, $said) = Redir307::Httpd::run('curl', qw(-s -S -i -k -g --path-as-is --max-time 20),
            map { s/PORT-(\w+)/site_port($1)/er =~ s/\bPORT\b/port()/er } @{ $entry->{curl} });
        return "curl's status $status\n$said";
    }
    my $bytes = ref $entry->{bytes} ? $entry->{bytes}->($before) : $entry->{bytes};
    $bytes =~ s/PORT-(\w+)/site_port($1)/ge;
    return exchange($entry->{to} ? site_port($entry->{to}) : port(), $bytes);
}

# One body out of its chunks. Where a server cuts hangs on how the bytes came to it.
sub join_chunks {
    my ($body) = @_;
    my $whole = '';
    while ($body =~ s/\A([0-9a-f]+)\r\n//i) {
        my $size = hex $1;
        return "[chunks]$whole" if $size == 0;
        $whole .= substr $body, 0, $size, '';
        $body =~ s/\A\r\n//;
    }
    return "[broken chunks]$whole";
}

# Written alike: [pattern, text].
my @volatile = (
    [qr/^((?:Date|Expires|Age|date|expires|age): ).*$/m, '*'],
    [qr/((?:creationdate|getlastmodified|getetag)[^>]*>)[^<]*/, '*'],
    [qr/(opaquelocktoken:)[0-9a-f-]+/, '*'],
    [qr/(boundary=|^--)[0-9a-f]{12,}/m, '*'],
    [qr/(nonce=")[^"]*/, '*'],
    [qr/((?:REMOTE_PORT|SSL_SESSION_ID|SSL_SERVER_M_SERIAL|SSL_SERVER_V_START|SSL_SERVER_V_END|SSL_SERVER_V_REMAIN)=).*/, '*'],
    [qr/((?:127\.0\.0\.1|localhost|\.test|remote .*?):)\d+/, 'PORT'],
    [qr/(SERVER_PORT=|port |CONNECT \S*:)\d+/i, 'PORT'],
    [qr/(H2_STREAM_TAG=)\S+/, '*'],
);

sub in_order { my ($list, $separator) = @_; return join $separator, sort split /$separator/, $list }

sub written_alike {
    my ($text, $is_made) = @_;
    # curl has joined them already.
    my ($interim, $head, $body) = $text =~ m{\A((?:HTTP/1\.1 100 .*?\r\n\r\n)?)(HTTP/1\..*?\r\n\r\n)(.*)\z}s;
    $text = $interim . $head . join_chunks($body) if $head && $head =~ /^Transfer-Encoding: chunked\r$/m;
    # The site's scripts say so in a field.
    if ($is_made || $text =~ /^X-Made: /mi) {
        $text =~ s/^(?:Content-Length: \d+|Transfer-Encoding: chunked)\r\n//gim;
        $text =~ s/\[chunks\]//;
    }
    for my $pair (@volatile) { $text =~ s/$pair->[0]/$1$pair->[1]/g }
    # The length of a boundary hangs on the time and the process.
    $text =~ s/^(Content-Length: )\d+/$1*/im if $text =~ /^Content-Type: multipart/im;
    $text =~ s/^(Allow: )(.*?)(?=\r$)/$1 . in_order($2, ',')/gime;
    $text =~ s/(<D:response )([^>]*)/$1 . in_order($2, ' ')/ge;
    return $text;
}

# httpd's lists of modules and hooks without one of them.
sub without_us {
    my ($text) = @_;
    $text =~ s/^Content-Length: .*//m;
    $text =~ s{(?:&nbsp;)+ -?\d+ <a href="\?mod_redir307\.c">mod_redir307\.c</a> <br\s*/>|<dd>mod_redir307\.c</dd>}{}g;
    return $text;
}

# The status pages are as long as what they tell.
sub log_lines {
    my ($name) = @_;
    return grep { !m{/server-} } split /\n/, read_file($name);
}

# Asks all of the table; { answers => { name => text }, errors => [...], accesses => [...] }. `accesses_wanted`: how many
# lines of the access log are to come, which httpd writes after the answer. What is asked of lab.test for the paths
# `before` has no part in the record.
sub record {
    my ($table, $accesses_wanted, $before) = @_;
    my @unseen = map { qr/"GET \Q$_\E HTTP/ } @{ $before // [] };
    request('GET', $_) for @{ $before // [] };
    my %answers;
    my @start = log_lines('error.log');
    my $last = '';
    for my $entry (@$table) {
        my $began = time;
        $last = ask_one($entry, $last);
        my $text = written_alike($last, ($entry->{target} // '') =~ /\.shtml/);
        note(sprintf '%.2f s: %s', time - $began, $entry->{name}) if time - $began > 0.5;
        $answers{ $entry->{name} } = $entry->{only} ? $entry->{only}->($text) : $text;
    }
    my ($end, @accesses) = (time + 5);
    for (my $count = -1; time < $end; sleep 0.3) {
        @accesses = log_lines('access.log');
        for my $line (@unseen) { @accesses = grep { !/$line/ } @accesses }
        last if $accesses_wanted ? @accesses >= $accesses_wanted : @accesses == $count;
        $count = @accesses;
    }
    my @errors = log_lines('error.log');
    splice @errors, 0, scalar @start;
    # How a connection ended under TLS, and when HTTP/2's threads were made, comes now or later.
    @errors = grep { !/\[ssl:info\]|h2_workers: created/ } @errors;
    # Before the first request only what is worth a warning is compared.
    unshift @errors, grep { /:(?:warn|error|crit|alert|emerg)\]/ } @start;
    return { answers => \%answers, errors => [sort map { error_line($_) } @errors],
        accesses => [sort map { access_line($_) } @accesses] };
}

# Several ranges stand between boundaries of any length, and a CGI's environment holds numbers of any length.
sub access_line {
    my ($line) = @_;
    return written_alike($line =~ s/( 206 206| \d+ \d+(?= \d+ \S*(?:cgi|script|\.shtml))) \d+ /$1 * /r);
}

# Its time, process and thread are its own.
sub error_line {
    my ($line) = @_;
    $line =~ s/^\[[^\]]*\] //;
    $line =~ s/\[pid [^\]]*\] //;
    $line =~ s/\b(child|slot|worker|session|connection|pid) \d+/$1 N/g;
    return written_alike($line);
}

# ---- comparing ----

# The lines that differ, with those of `wanted` first.
sub difference {
    my ($wanted, $got) = @_;
    my %count;
    $count{$_}++ for @$wanted;
    $count{$_}-- for @$got;
    return join "\n", map { ($count{$_} > 0 ? '- ' : '+ ') . $_ } grep { $count{$_} } sort keys %count;
}

# The names in Vary, which compare without case; `more` among them.
sub vary_of {
    my ($text, @more) = @_;
    my %names = map { lc $_ => 1 } @more, map { split /\s*,\s*/ } $text =~ /^Vary: (.*?)\r?$/gim;
    return join ', ', sort keys %names;
}

# `field_read` says which field a rule looked at on the way to this answer, if any: it joins Vary, and nothing else differs.
sub same_answers {
    my ($table, $wanted, $got, $what, $field_read) = @_;
    for my $entry (@$table) {
        my $name = $entry->{name};
        my ($want, $is) = map { $_->{answers}{$name} } $wanted, $got;
        if (my $field = $field_read && $field_read->($entry)) {
            is(vary_of($is), vary_of($want, $field), "$what: $name: Vary says that $field was read");
            s/^Vary: .*\n//gim for $want, $is;
        }
        next if ok($want eq $is, "$what: $name");
        diag(difference([split /\n/, $want], [split /\n/, $is]) || "the order of lines differs:\n$want\n--- and\n$is");
    }
    return;
}

sub same_logs {
    my ($wanted, $got, $what) = @_;
    is(difference($wanted->{errors}, $got->{errors}), '', "$what: the error log says the same");
    is(difference($wanted->{accesses}, $got->{accesses}), '', "$what: the access log says the same");
    return;
}

1;
