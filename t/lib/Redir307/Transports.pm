# SPDX-License-Identifier: Apache-2.0
# One server, four ways to it: HTTP/1.1 and HTTP/2, each in clear text and over TLS. Requests go out byte for byte on
# connections that are kept; TLS is `openssl s_client`, with a certificate made for the test. What this machine lacks is
# left out.
package Redir307::Transports;
use strict;
use warnings;
use Exporter 'import';
use IO::Socket::INET;
use IPC::Open2 qw(open2);
use Redir307::Http2;
use Redir307::Httpd;
use Redir307::Response;
use Redir307::Tls;
use Time::HiRes qw(time);

our @EXPORT = qw(serve_all transports http1 http2 is_tls ask connection tls_port);

my $patience = $ENV{REDIR307_PRELOAD} ? 60 : 20;
my $has_tls = can_tls() && has_module('socache_shmcb');
# With one connection a process, the prefork MPM has no HTTP/2 to speak of.
my $has_http2 = has_module('http2') && Redir307::Httpd::mpm() ne 'prefork';
my ($tls_port, %kept);

sub http1 { return ('HTTP/1.1', $has_tls ? 'HTTP/1.1 over TLS' : ()) }
sub http2 { return $has_http2 ? ('HTTP/2', $has_tls ? 'HTTP/2 over TLS' : ()) : () }
sub transports { return (http1(), http2()) }
sub is_tls { return $_[0] =~ /TLS/ }
sub tls_port { return $tls_port }

# serve() of a server that is reached by all of them. `conf` holds for clear text and TLS alike.
sub serve_all {
    my (%options) = @_;
    forget();
    # What mod_ssl thinks of the certificate and of this machine's OpenSSL is no matter of ours.
    announce(qr/AH01882|AH01906/);
    my $conf = $options{conf} // '';
    my @modules = (@{ $options{modules} // [] }, $has_http2 ? 'http2' : (), $has_tls ? qw(socache_shmcb ssl) : ());
    my $children = Redir307::Httpd::mpm() eq 'prefork' ? 4 : $options{children} // 1;
    for my $try (1 .. 3) {
        my $all = "ServerName lab.test\n$conf" . ($has_http2 ? "Protocols h2c http/1.1\n" : '') . ($has_tls ? tls_host($conf) : '');
        return if eval { serve(%options, conf => $all, modules => \@modules, children => $children); 1 };
        # Somebody else may have taken the second port, which serve() knows nothing of.
        die $@ if $try == 3;
    }
    return;
}

sub tls_host {
    my ($conf) = @_;
    $tls_port = Redir307::Httpd::free_port();
    my $directives = tls_directives($has_http2 ? 'h2 http/1.1' : 'http/1.1');
    return <<"CONF";
SSLSessionCache "shmcb:@{[folder()]}/tls(64000)"
Listen 127.0.0.1:$tls_port
<VirtualHost 127.0.0.1:$tls_port>
ServerName lab.test
$directives$conf
</VirtualHost>
CONF
}

# ---- connections ----

sub forget {
    for my $connection (values %kept) { hang_up($connection) }
    %kept = ();
    return;
}

sub hang_up {
    my ($connection) = @_;
    close $connection->{in};
    close $connection->{out};
    if ($connection->{pid}) { kill 'TERM', $connection->{pid}; waitpid $connection->{pid}, 0 }
    return;
}

# A new one: { in, out, unread, http2 (the HTTP/2 side of it) }; whoever asks hangs up.
sub connection {
    my ($transport) = @_;
    my %connection = (unread => '');
    if (is_tls($transport)) {
        my @command = (qw(openssl s_client -quiet -nocommands -noservername -alpn), $transport =~ /2/ ? 'h2' : 'http/1.1', '-connect', "127.0.0.1:$tls_port");
        $connection{pid} = open2(@connection{qw(in out)}, 'sh', '-c', 'exec "$@" 2>/dev/null', 'sh', @command);
    } else {
        $connection{in} = $connection{out} = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => port(), Proto => 'tcp', Timeout => 10)
            or die "no connection: $!";
    }
    binmode $_ for @connection{qw(in out)};
    $connection{http2} = Redir307::Http2->new(@connection{qw(in out)}, $patience) if $transport =~ m{HTTP/2};
    return \%connection;
}

sub read_more {
    my ($connection, $end) = @_;
    my $ready = '';
    vec($ready, fileno $connection->{in}, 1) = 1;
    my $left = $end - time;
    return if $left <= 0 || select($ready, undef, undef, $left) <= 0;
    return sysread $connection->{in}, $connection->{unread}, 65536, length $connection->{unread};
}

# Reads one HTTP/1.1 response; says whether the connection goes on.
sub read_response {
    my ($connection, $is_head) = @_;
    my $end = time + $patience;
    my $text = '';
    while (1) {
        while ($connection->{unread} !~ /\r\n\r\n/) {
            if (!read_more($connection, $end)) { my $rest = $connection->{unread}; $connection->{unread} = ''; return ("$text$rest", 0) }
        }
        $connection->{unread} =~ s/\A(.*?\r\n\r\n)//s;
        my $head = $1;
        $text .= $head;
        next if $head =~ m{\AHTTP/\S+ 1\d\d};
        my $goes_on = $head !~ /^Connection: close\r$/mi;
        return ($text, $goes_on) if $is_head || $head =~ m{\AHTTP/\S+ [23]04};
        if ($head =~ /^Content-Length: (\d+)\r$/mi) {
            while (length $connection->{unread} < $1) { last if !read_more($connection, $end) }
            return ($text . substr($connection->{unread}, 0, $1, ''), $goes_on);
        }
        if ($head =~ /^Transfer-Encoding: chunked\r$/mi) {
            while ($connection->{unread} !~ /(?:\A|\r\n)0\r\n\r\n\z/) { last if !read_more($connection, $end) }
            my $chunks = $connection->{unread};
            $connection->{unread} = '';
            while ($chunks =~ s/\A([0-9a-f]+)\r\n//i && hex $1) { $text .= substr $chunks, 0, hex $1, ''; $chunks =~ s/\A\r\n// }
            return ($text, $goes_on);
        }
        while (read_more($connection, $end)) { }
        my $rest = $connection->{unread};
        $connection->{unread} = '';
        return ("$text$rest", 0);
    }
}

# Once more on a new connection where a kept one was already closed.
sub with_kept {
    my ($transport, $exchange) = @_;
    while (1) {
        my $is_new = !$kept{$transport};
        my $connection = $kept{$transport} //= connection($transport);
        my ($response, $goes_on) = $exchange->($connection);
        if (!$goes_on) { hang_up($connection); delete $kept{$transport} }
        return $response if length $response->text || $is_new || $goes_on;
    }
}

# The request as it is written. Headers: pairs; Host (on HTTP/2 :authority) is lab.test unless given, and left out as
# undef; "body" is a body, ":name" a pseudo field of HTTP/2 in place of the usual one.
sub ask {
    my ($transport, $method, $target, @headers) = @_;
    my ($host, $body, %pseudo, @fields) = ('lab.test');
    while (my ($name, $value) = splice @headers, 0, 2) {
        if ($name eq 'body') { $body = $value }
        elsif ($name =~ /^:/) { $pseudo{$name} = $value }
        elsif ($name eq 'Host') { $host = $value }
        else { push @fields, [$name, $value] }
    }
    if ($transport =~ m{HTTP/2}) {
        %pseudo = (':method' => $method, ':scheme' => is_tls($transport) ? 'https' : 'http', ':authority' => $host, ':path' => $target, %pseudo);
        my @all = ((map { defined $pseudo{$_} ? [$_, $pseudo{$_}] : () } sort keys %pseudo), map { [lc $_->[0], $_->[1]] } @fields);
        return with_kept($transport, sub {
            my $http2 = $_[0]{http2};
            my $response = $http2->response($http2->send_request(\@all, $body));
            return ($response, !$http2->is_over);
        });
    }
    my $bytes = "$method $target HTTP/1.1\r\n" . (defined $host ? "Host: $host\r\n" : '') . join('', map { "$_->[0]: $_->[1]\r\n" } @fields)
        . (defined $body ? 'Content-Length: ' . length($body) . "\r\n" : '') . "\r\n" . ($body // '');
    return with_kept($transport, sub {
        my ($connection) = @_;
        local $SIG{PIPE} = 'IGNORE';
        syswrite $connection->{out}, $bytes;
        my ($text, $goes_on) = read_response($connection, $method eq 'HEAD');
        return (Redir307::Response->new($text), $goes_on);
    });
}

# s_client ends with the test.
END { my $status = $?; forget(); $? = $status }

1;
