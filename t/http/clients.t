#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Real clients are redirected with a body: curl, Python's libraries and Node follow 307 and 308 with the same method and
# the same bytes, over HTTP/1.1 and HTTP/2, in clear text and over TLS, to the same server and to another; 301, 302 and
# 303 become a GET. What a client cannot send twice it does not follow. Told in docs/clients.md; what is not installed is
# skipped.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use FindBin;
use lib "$FindBin::Bin/../lib";
use IPC::Open2 qw(open2);
use Redir307::Backend;
use Redir307::Httpd;
use Redir307::Tls;
use Redir307::Transports;
use Test::More;

my $cgi = Redir307::Httpd::mpm() eq 'prefork' ? 'cgi' : 'cgid';
plan(skip_all => "no mod_$cgi") if !has_module($cgi);

my $there = backend_start();
rules(<<"END");
/307   -> /cgi/took
/308   -> /cgi/took   permanent
/301   -> /cgi/took   moved
/302   -> /cgi/took   found
/303   -> /cgi/took   see-other
/auto  -> /cgi/took   temporary auto
/hops  -> /308
/there -> http://127.0.0.1:$there/took
END

mkdir folder() . '/cgi' or die $!;
write_file('cgi/took', <<'END');
#!/usr/bin/perl
use Digest::SHA;
my $sum = Digest::SHA->new(256);
my $size = 0;
binmode STDIN;
while (my $got = read STDIN, my $piece, 65536) { $size += $got; $sum->add($piece) }
print "Content-Type: text/plain\n\n$ENV{REQUEST_METHOD} $size " . $sum->hexdigest . "\n";
END
chmod 0755, folder() . '/cgi/took';
serve_all(modules => [qw(alias reqtimeout), $cgi], conf => "ScriptAlias /cgi \"@{[folder()]}/cgi\"\n");

# ---- bodies ----

srand 307;
my %body = (
    'empty' => '', 'small' => join('', map { chr $_ } 0 .. 255) . "\r\n\r\nGET / HTTP/1.1\r\n",
    'middle' => join('', map { pack 'N', rand 2**32 } 1 .. 25_000), 'large' => join('', map { pack 'N', rand 2**32 } 1 .. 1_250_000)
);
write_file($_, $body{$_}) for keys %body;

# What /cgi/took says of it, and what it says of a GET.
sub taken { my ($name, $method) = @_; return join ' ', $method // 'POST', length $body{$name}, sha256_hex($body{$name}) }
my $as_get = 'GET 0 ' . sha256_hex('');

my $clear = url('');
my $tls = grep({ /TLS/ } transports()) ? "https://127.0.0.1:@{[tls_port()]}" : undef;
my @origins = ($clear, $tls // ());

sub program { my ($name) = @_; my ($path) = grep { -x } map { "$_/$name" } split /:/, $ENV{PATH}; return $path }

# ---- curl ----

# curl's exit status, the version and number of redirects, and what the last server said.
sub curl {
    my ($url, $protocol, $name, @arguments) = @_;
    my ($status, $said) = Redir307::Httpd::run('curl', '-sS', '-L', '--max-time', 60, '--cacert', certificate_file(), "--$protocol", @arguments,
        '-w', 'HTTP/%{http_version} %{num_redirects}', $url);
    $said =~ s/\n/ /g;
    return $status == 0 ? $said : "$status $said";
}

for my $origin (@origins) {
    for my $protocol ('http1.1', $origin eq ($tls // '') && http2() ? 'http2' : ()) {
        my $version = $protocol eq 'http2' ? 'HTTP/2' : 'HTTP/1.1';
        my ($scheme) = $origin =~ /^(\w+)/;
        for my $name (sort keys %body) {
            for my $path ($name eq 'middle' ? qw(/307 /308 /auto /hops) : '/307') {
                is(curl("$origin$path", $protocol, $name, '--data-binary', "\@$name"), taken($name) . " $version " . ($path eq '/hops' ? 2 : 1),
                    "curl, $scheme, $version, $path: the $name body arrives");
            }
        }
        is(curl("$origin/307", $protocol, 'middle', '-X', 'PUT', '--data-binary', '@middle'), taken('middle', 'PUT') . " $version 1", "curl, $scheme, $version: PUT stays PUT");
        for my $path (qw(/301 /302 /303)) {
            is(curl("$origin$path", $protocol, 'middle', '--data-binary', '@middle'), "$as_get $version 1", "curl, $scheme, $version, $path: becomes a GET");
        }
        like(curl("$origin/there", $protocol, 'middle', '--data-binary', '@middle'), qr{^POST /took .* size=100000 sha256=@{[sha256_hex($body{middle})]} HTTP/1\.1 1$}, "curl, $scheme, $version: to another server");
        like(curl("$origin/307", $protocol, 'middle', '-F', 'file=@middle'), qr/^POST 100\d\d\d /, "curl, $scheme, $version: a form with a file");
    }
}

# A pipe cannot be read twice. Over HTTP/1.1 curl asks before it sends (Expect), and is told before it has read anything.
sub curl_pipe {
    my ($url, @arguments) = @_;
    my $pipe = 'cat middle | exec curl -sS -L -X POST -T - --max-time 60 -w "HTTP/%{http_version} %{http_code}" --cacert "$@" 2>&1';
    my (undef, $said) = Redir307::Httpd::run('sh', '-c', $pipe, 'sh', certificate_file(), @arguments, $url);
    return $said =~ s/\n/ /gr;
}

for my $origin (@origins) {
    is(curl_pipe("$origin/307", '--http1.1'), taken('middle') . ' HTTP/1.1 200', "curl, @{[$origin =~ /^(\w+)/]}, from a pipe: it asks first, and the body arrives");
    like(curl_pipe("$origin/307", '--http1.1', '-H', 'Expect:'), qr{^curl: \(65\).*HTTP/1\.1 307$}, "curl, @{[$origin =~ /^(\w+)/]}, from a pipe, without asking: it does not follow");
}
like(curl_pipe("$tls/307", '--http2'), qr{^curl: \(65\).*HTTP/2 307$}, 'curl, from a pipe over HTTP/2, where it does not ask: it does not follow') if $tls && http2();

# ---- libraries ----

# The answers to lines of "METHOD URL FILE KIND".
sub asked_by {
    my ($command, @lines) = @_;
    local $ENV{NODE_EXTRA_CA_CERTS} = certificate_file();
    local $ENV{NODE_NO_WARNINGS} = 1;
    local $SIG{PIPE} = 'IGNORE';
    my $pid = open2(my $out, my $in, @$command);
    print $in map { my ($method, $url, $name, $kind) = @$_; "$method $url @{[folder()]}/$name $kind\n" } @lines;
    close $in;
    my @said = <$out>;
    waitpid $pid, 0;
    chomp @said;
    return @said;
}

# One request per row: [origin, path, name, kind, method, wanted]; wanted is text or a pattern.
sub library {
    my ($what, $command, @rows) = @_;
    my @said = asked_by($command, map { my ($origin, $path, $name, $kind, $method) = @$_; [$method, "$origin$path", $name, $kind] } @rows);
    for my $row (@rows) {
        my ($origin, $path, $name, $kind, $method, $wanted) = @$row;
        my $said = shift @said // 'nothing';
        my ($scheme) = $origin =~ /^(\w+)/;
        my $claim = "$what, $scheme, $method $path, $name body as $kind";
        if (ref $wanted) { like($said, $wanted, $claim) } else { is($said, $wanted, $claim) }
    }
    return;
}

# `statuses` of a path as this library tells them.
sub rows {
    my ($version, $statuses, @from) = @_;
    my @rows;
    for my $origin (@from) {
        push @rows, map { [$origin, '/307', $_, 'bytes', 'POST', $statuses->('/307') . "$version " . taken($_)] } sort keys %body;
        push @rows, [$origin, '/308', 'middle', 'bytes', 'POST', $statuses->('/308') . "$version " . taken('middle')];
        push @rows, [$origin, '/hops', 'small', 'bytes', 'POST', $statuses->('/hops') . "$version " . taken('small')];
        push @rows, [$origin, '/307', 'middle', 'bytes', 'PUT', $statuses->('/307') . "$version " . taken('middle', 'PUT')];
        push @rows, map { [$origin, $_, 'small', 'bytes', 'POST', $statuses->($_) . "$version $as_get"] } qw(/301 /302 /303);
    }
    return @rows;
}

my $lib = "$FindBin::Bin/../lib/clients";
my $python = program('python3');
$python = '/usr/bin/python3' if -x '/usr/bin/python3';
sub all_statuses { my ($path) = @_; return $path eq '/hops' ? '307 308 200 ' : substr($path, 1) . ' 200 ' }

for my $library ('requests', 'httpx', 'httpx-h2', 'urllib') {
    SKIP: {
        my $module = $library =~ s/-h2//r;
        my $has = $python && !system qq($python -c 'import $module@{[$library =~ /h2/ ? ', h2' : '']}' 2>/dev/null);
        skip "no Python with $library", 1 if !$has || $library =~ /h2/ && !($tls && http2());
        my $script = [$python, "$lib/follow.py", $library, certificate_file()];
        if ($library eq 'urllib') {
            library($library, $script, map { ([$_, '/307', 'small', 'bytes', 'POST', '307 HTTP/1.1 not followed'], [$_, '/303', 'small', 'bytes', 'POST', "200 HTTP/1.1 $as_get"]) } @origins);
            next;
        }
        my $version = $library =~ /h2/ ? 'HTTP/2' : 'HTTP/1.1';
        my @from = $library =~ /h2/ ? $tls : @origins;
        # The second time there is nothing left of a stream: requests sends that, httpx says so.
        my $streamed = $library eq 'requests' ? '307 200 HTTP/1.1 POST 0 ' . sha256_hex('') : 'StreamConsumed';
        library($library, $script, rows($version, \&all_statuses, @from), map { [$_, '/307', 'middle', 'stream', 'POST', $streamed] } @from);
    }
}

my $node = program('node');
SKIP: {
    skip 'no Node', 1 if !$node;
    library('Node, fetch', [$node, "$lib/follow.mjs", 'fetch'], rows('HTTP/1.1', sub { 'redirected 200 ' }, @origins),
        map { [$_, '/307', 'middle', 'stream', 'POST', qr/^error:/] } @origins);
    skip 'no HTTP/2', 1 if !http2();
    my @only_kept = grep { $_->[1] =~ /307|308|hops/ } rows('HTTP/2', \&all_statuses, @origins);
    library('Node, http2', [$node, "$lib/follow.mjs", 'http2'], @only_kept);
}

# Those who find out that they cannot send a stream again break off.
announce(qr/AH01(?:270|225): Error reading request entity data/);
stop();
done_testing();
