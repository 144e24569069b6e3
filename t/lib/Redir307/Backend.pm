# SPDX-License-Identifier: Apache-2.0
# A tiny server behind httpd: it answers with the request that it got, byte for byte, and with length and hash of its
# body. A process of its own, and one for each connection; stopped by its pid when the test ends.
#
# /redirect?TARGET answers with that Location, to show what a reverse proxy makes of it.
package Redir307::Backend;
use strict;
use warnings;
use Digest::SHA ();
use Exporter 'import';
use IO::Socket::INET;
use POSIX ();

our @EXPORT = qw(backend_start);

my $test_pid = $$;
my @pids;

sub read_line {
    my ($in) = @_;
    my $line = readline $in;
    return defined $line ? $line =~ s/\r?\n\z//r : '';
}

# Hands `size` bytes to `take`, in pieces; false where the client ended before.
sub read_bytes {
    my ($in, $size, $take) = @_;
    while ($size > 0) {
        my $got = read($in, my $piece, $size < 65536 ? $size : 65536) or return 0;
        $take->($piece);
        $size -= $got;
    }
    return 1;
}

sub read_body {
    my ($in, $fields, $take) = @_;
    return read_bytes($in, $fields->{'content-length'} // 0, $take) if ($fields->{'transfer-encoding'} // '') !~ /chunked/i;
    while ((my $size = hex read_line($in)) > 0) {
        read_bytes($in, $size, $take) or return;
        read_line($in);
    }
    read_line($in);
    return;
}

sub answer {
    my ($socket) = @_;
    my $line = read_line($socket);
    my (%fields, @told);
    while (length(my $field = read_line($socket))) {
        my ($name, $value) = split /:\s*/, $field, 2;
        $fields{lc $name} = $value;
        push @told, $field;
    }
    my $sum = Digest::SHA->new(256);
    my $size = 0;
    syswrite $socket, "HTTP/1.1 100 Continue\r\n\r\n" if lc($fields{expect} // '') eq '100-continue';
    read_body($socket, \%fields, sub { $sum->add($_[0]); $size += length $_[0] });
    my $status = '200 OK';
    my $location = '';
    if ($line =~ m{/redirect\?(\S+)}) { ($status, $location) = ('302 Found', "Location: $1\r\n") }
    my $body = join "\n", $line, @told, "size=$size", 'sha256=' . $sum->hexdigest, '';
    $body = '' if $line =~ /^HEAD /;
    syswrite $socket, "HTTP/1.1 $status\r\n${location}Content-Type: text/plain\r\nContent-Length: @{[length $body]}\r\nConnection: close\r\n\r\n$body";
    shutdown $socket, 1;
    return;
}

# Starts it, and returns its port.
sub backend_start {
    my $listener = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1', Proto => 'tcp') or die "no port: $!";
    my $pid = fork // die "fork: $!";
    if ($pid) {
        push @pids, $pid;
        return $listener->sockport;
    }
    local $SIG{CHLD} = 'IGNORE';
    local $SIG{TERM} = 'DEFAULT';
    # Whatever becomes of the test, this ends.
    alarm 1300;
    local $SIG{ALRM} = 'DEFAULT';
    while (1) {
        my $socket = $listener->accept or next;
        my $child = fork // next;
        if (!$child) {
            alarm 120;
            answer($socket);
            close $socket;
            POSIX::_exit(0);
        }
        close $socket;
    }
    POSIX::_exit(0);
}

END {
    if ($test_pid == $$) {
        my $status = $?;
        for my $pid (@pids) { kill 'TERM', $pid; waitpid $pid, 0 }
        $? = $status;
    }
}

1;
