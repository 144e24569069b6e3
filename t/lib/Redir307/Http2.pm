# SPDX-License-Identifier: Apache-2.0
# An HTTP/2 connection (RFC 9113) that sends what a polite client refuses to: any bytes in a path, fields without a
# Host, a body that never ends. Fields go out as literals (RFC 7541, 6.2.2); the server is told to keep no table, so
# what comes back is literals, the static table and Huffman codes.
package Redir307::Http2;
use strict;
use warnings;
use Redir307::Response;
use Time::HiRes qw(time);

use constant { DATA => 0, HEADERS => 1, RST_STREAM => 3, SETTINGS => 4, PING => 6, GOAWAY => 7, WINDOW_UPDATE => 8, CONTINUATION => 9 };
use constant { END_STREAM => 1, ACK => 1, END_HEADERS => 4, PADDED => 8, PRIORITY => 32 };

# RFC 7541, appendix A; what has no value there has an empty one.
my @static = map { [split /=/, $_, 2] } qw(
    :authority :method=GET :method=POST :path=/ :path=/index.html :scheme=http :scheme=https :status=200 :status=204
    :status=206 :status=304 :status=400 :status=404 :status=500 accept-charset accept-encoding accept-language
    accept-ranges accept access-control-allow-origin age allow authorization cache-control content-disposition
    content-encoding content-language content-length content-location content-range content-type cookie date etag expect
    expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link location
    max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie
    strict-transport-security transfer-encoding user-agent vary via www-authenticate);

# RFC 7541, appendix B: how many bits the code of each byte has. The code is canonical, so that says all.
my @code_sizes = split ' ', <<'END';
13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28
6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10
13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6
15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28
20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24
22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23
26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27
20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26
END
my %byte_of_code;
{
    my ($code, $size) = (0, 0);
    for my $byte (sort { $code_sizes[$a] <=> $code_sizes[$b] || $a <=> $b } 0 .. 255) {
        $code <<= $code_sizes[$byte] - $size;
        $size = $code_sizes[$byte];
        $byte_of_code{ sprintf "%0${size}b", $code++ } = chr $byte;
    }
}

# ---- bytes ----

sub frame { my ($type, $flags, $stream, $payload) = @_; return substr(pack('N', length $payload), 1) . pack('CCN', $type, $flags, $stream) . $payload }

sub text {
    my ($bytes) = @_;
    my $size = length $bytes;
    return chr($size) . $bytes if $size < 127;
    my $head = chr 127;
    for ($size -= 127; $size > 127; $size >>= 7) { $head .= chr($size & 127 | 128) }
    return $head . chr($size) . $bytes;
}

sub take_integer {
    my ($block, $bits) = @_;
    my $limit = (1 << $bits) - 1;
    my $value = ord(substr $$block, 0, 1, '') & $limit;
    return $value if $value < $limit;
    for (my $shift = 0;; $shift += 7) {
        my $byte = ord substr $$block, 0, 1, '';
        $value += ($byte & 127) << $shift;
        return $value if $byte < 128;
    }
}

sub take_text {
    my ($block) = @_;
    my $is_coded = ord($$block) & 128;
    my $bytes = substr $$block, 0, take_integer($block, 7), '';
    return $bytes if !$is_coded;
    my ($plain, $code) = ('', '');
    for my $bit (split //, unpack 'B*', $bytes) {
        $code .= $bit;
        next if !exists $byte_of_code{$code};
        $plain .= $byte_of_code{$code};
        $code = '';
    }
    return $plain;
}

# The fields of a block: [name, value]...
sub fields {
    my ($block) = @_;
    my @fields;
    while (length $block) {
        my $first = ord $block;
        if ($first & 128) { push @fields, [map { $_ // '' } @{ $static[take_integer(\$block, 7) - 1] }[0, 1]]; next }
        if (($first & 224) == 32) { take_integer(\$block, 5); next }
        my $index = take_integer(\$block, $first & 64 ? 6 : 4);
        push @fields, [$index ? $static[$index - 1][0] : take_text(\$block), take_text(\$block)];
    }
    return @fields;
}

# ---- the connection ----

# Over these two handles, which may be one. The answer's patience in seconds.
sub new {
    my ($class, $in, $out, $patience) = @_;
    my $self = bless { in => $in, out => $out, patience => $patience, next => 1, unread => '', streams => {} }, $class;
    # No table, no pushes, and room for all that will come.
    $self->send_bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . frame(SETTINGS, 0, 0, pack('nNnN', 1, 0, 2, 0)) . frame(WINDOW_UPDATE, 0, 0, pack 'N', 0x7fff0000));
    return $self;
}

sub is_over { return $_[0]{is_over} }

sub send_bytes {
    my ($self, $bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';
    while (length $bytes) {
        my $sent = syswrite $self->{out}, $bytes or return $self->{is_over} = 1;
        substr $bytes, 0, $sent, '';
    }
    return;
}

# Sends a request of these fields ([name, value]..., pseudo fields, too), and a body if there is one; with `is_unfinished`
# more of it is still to come. Returns the number of the stream.
sub send_request {
    my ($self, $fields, $body, $is_unfinished) = @_;
    my $stream = $self->{next};
    $self->{next} += 2;
    $self->{streams}{$stream} = { block => '', body => '' };
    my @parts = unpack '(a16000)*', join '', map { "\0" . text($_->[0]) . text($_->[1]) } @$fields;
    for my $number (0 .. $#parts) {
        my $flags = $number == $#parts ? END_HEADERS : 0;
        $flags |= END_STREAM if $number == 0 && !defined $body;
        $self->send_bytes(frame($number ? CONTINUATION : HEADERS, $flags, $stream, $parts[$number]));
    }
    if (defined $body) {
        my @pieces = length $body ? unpack '(a16000)*', $body : '';
        $self->send_bytes(frame(DATA, $_ == $#pieces && !$is_unfinished ? END_STREAM : 0, $stream, $pieces[$_])) for 0 .. $#pieces;
    }
    return $stream;
}

# More of the body of that request.
sub send_more {
    my ($self, $stream, $bytes, $is_unfinished) = @_;
    $self->send_bytes(frame(DATA, $is_unfinished ? 0 : END_STREAM, $stream, $bytes));
    return;
}

# One frame within the time, or false.
sub read_frame {
    my ($self, $end) = @_;
    while (length $self->{unread} < 9 || length $self->{unread} < 9 + unpack 'N', "\0" . substr $self->{unread}, 0, 3) {
        my $left = $end - time;
        my $ready = '';
        vec($ready, fileno $self->{in}, 1) = 1;
        return if $left <= 0 || select($ready, undef, undef, $left) <= 0;
        if (!sysread $self->{in}, $self->{unread}, 65536, length $self->{unread}) { $self->{is_over} = 1; return }
    }
    my $size = unpack 'N', "\0" . substr $self->{unread}, 0, 3, '';
    my ($type, $flags, $number) = unpack 'CCN', substr $self->{unread}, 0, 6, '';
    my $payload = substr $self->{unread}, 0, $size, '';
    my $stream = $self->{streams}{$number} // {};
    if ($flags & PADDED && ($type == DATA || $type == HEADERS)) {
        my $padding = ord substr $payload, 0, 1, '';
        substr $payload, -$padding, $padding, '' if $padding;
    }
    substr $payload, 0, 5, '' if $type == HEADERS && $flags & PRIORITY;
    if ($type == SETTINGS && !($flags & ACK)) { $self->send_bytes(frame(SETTINGS, ACK, 0, '')) }
    elsif ($type == PING && !($flags & ACK)) { $self->send_bytes(frame(PING, ACK, 0, $payload)) }
    elsif ($type == GOAWAY) { @$self{qw(is_over last)} = (1, unpack 'N', $payload) }
    elsif ($type == RST_STREAM) { $stream->{reset} = unpack 'N', $payload }
    elsif ($type == DATA) { $stream->{body} .= $payload }
    elsif ($type == HEADERS || $type == CONTINUATION) {
        $stream->{block} .= $payload;
        if ($flags & END_HEADERS) {
            my @fields = fields($stream->{block});
            $stream->{block} = '';
            my ($status) = map { $_->[1] } grep { $_->[0] eq ':status' } @fields;
            my $head = 'HTTP/2 ' . ($status // '000') . "\r\n" . join('', map { "$_->[0]: $_->[1]\r\n" } grep { $_->[0] !~ /^:/ } @fields) . "\r\n";
            # Trailers say nothing that is asked for here.
            $stream->{head} = ($stream->{head} // '') . $head if defined $status;
        }
    }
    $stream->{has_ended} = 1 if $flags & END_STREAM && ($type == DATA || $type == HEADERS);
    return 1;
}

# What came for this stream until it ended, was reset or nothing more can come. A reset without an answer has status 0
# and says so.
sub response {
    my ($self, $number) = @_;
    my $stream = $self->{streams}{$number};
    my $end = time + $self->{patience};
    while (!$stream->{has_ended} && !defined $stream->{reset}) {
        last if $self->{is_over} && $number > ($self->{last} // 0);
        last if !$self->read_frame($end);
    }
    return Redir307::Response->new("RST_STREAM $stream->{reset}") if defined $stream->{reset} && !defined $stream->{head};
    return Redir307::Response->new(($stream->{head} // '') . $stream->{body});
}

# Reads on for so long; then the code by which the stream was reset, if it was.
sub reset_code {
    my ($self, $number, $seconds) = @_;
    my $end = time + $seconds;
    1 while !defined $self->{streams}{$number}{reset} && $self->read_frame($end);
    return $self->{streams}{$number}{reset};
}

sub has_ended { return $_[0]{streams}{ $_[1] }{has_ended} }

1;
