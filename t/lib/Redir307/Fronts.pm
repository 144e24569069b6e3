# SPDX-License-Identifier: Apache-2.0
# Real caches in front of the server under test: mod_cache in an httpd of its own, and Varnish. Each has a folder and a
# free port, is a direct child, and is stopped by its pid. What is not installed is left out.
#
# A front is { name, port, keeps_redirects, hit => sub (response): the answer came out of the cache }. VARNISHD names another varnishd.
package Redir307::Fronts;
use strict;
use warnings;
use Exporter 'import';
use IO::Socket::INET;
use POSIX qw(:sys_wait_h);
use Redir307::Httpd;
use Redir307::Response;
use Time::HiRes qw(time sleep);

our @EXPORT = qw(cache_directives httpd_front varnish_front ask);

my $httpd = $ENV{HTTPD} // '/usr/sbin/apache2';
my $modules = $ENV{HTTPD_MODULEDIR} // '/usr/lib/apache2/modules';
my ($varnishd) = grep { -x } defined $ENV{VARNISHD} ? $ENV{VARNISHD} : ('/usr/sbin/varnishd', '/usr/local/sbin/varnishd', '/usr/bin/varnishd');
my $test_pid = $$;
my @pids;

# What makes a server, or a virtual host, a cache that keeps all that it may. The provider is socache or disk.
sub cache_directives {
    my ($provider) = @_;
    my $where = $provider eq 'disk' ? "CacheRoot \"@{[own_folder('disk')]}\"\nCacheDirLevels 1\nCacheDirLength 2\n"
        : 'CacheSocache "shmcb:' . own_folder('socache') . "/cache(8000000)\"\nCacheSocacheMaxSize 100000\n";
    return "CacheEnable $provider /\nCacheHeader on\nCacheIgnoreNoLastMod on\n$where";
}

# A folder that the server may write to.
sub own_folder {
    my ($name) = @_;
    my $path = folder() . "/$name";
    if (!-d $path) {
        mkdir $path or die "$path: $!";
        chmod 0777, $path;
    }
    return $path;
}

sub is_httpd_hit { return ($_[0]->field('X-Cache') // '') =~ /^HIT/ }

sub start {
    my ($name, $port, @command) = @_;
    my $log = folder() . "/$name.out";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        POSIX::setpgid(0, 0);
        open STDIN, '<', '/dev/null' or POSIX::_exit(127);
        open STDOUT, '>>', $log or POSIX::_exit(127);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(127);
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    push @pids, $pid;
    my $end = time + 20;
    while (time < $end) {
        return 1 if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp', Timeout => 5);
        last if waitpid($pid, WNOHANG) == $pid;
        sleep 0.05;
    }
    die "$name did not start:\n" . read_file("$name.out") . read_file("$name-error.log");
}

# An httpd with mod_cache as a reverse proxy of the server under test. Nothing where its modules are missing.
sub httpd_front {
    my ($provider) = @_;
    my @load = ('mpm_event', 'authz_core', 'proxy', 'proxy_http', 'cache', "cache_$provider", $provider eq 'socache' ? 'socache_shmcb' : ());
    return if grep { !has_module($_) } @load;
    my $port = Redir307::Httpd::free_port();
    my $here = own_folder("front-$provider");
    my ($user) = $> == 0 ? Redir307::Httpd::run_user() : ();
    my $load = join '', map { "LoadModule ${_}_module \"$modules/mod_$_.so\"\n" } @load;
    my $as = $user ? "User $user->[0]\nGroup $user->[1]\n" : '';
    write_file("front-$provider/httpd.conf", <<"CONF");
ServerRoot "$here"
PidFile "$here/httpd.pid"
DefaultRuntimeDir "$here"
ErrorLog "@{[folder()]}/front-$provider-error.log"
ServerName localhost
Listen 127.0.0.1:$port
${load}${as}Mutex default:$here
StartServers 1
ServerLimit 1
ThreadsPerChild 8
MaxRequestWorkers 8
ProxyPreserveHost on
ProxyPass / http://127.0.0.1:@{[port()]}/ disablereuse=on
@{[cache_directives($provider)]}
CONF
    start("front-$provider", $port, $httpd, '-f', "$here/httpd.conf", '-DFOREGROUND');
    return { name => "mod_cache_$provider in another httpd", port => $port, keeps_redirects => 1, hit => \&is_httpd_hit };
}

# Varnish, told to keep answers to requests with cookies, too, and nothing past its time. Nothing where it is missing.
sub varnish_front {
    return if !$varnishd;
    my $port = Redir307::Httpd::free_port();
    my $here = own_folder('varnish');
    write_file('varnish.vcl', <<"VCL");
vcl 4.0;
backend default { .host = "127.0.0.1"; .port = "@{[port()]}"; }
sub vcl_recv {
    if (req.method != "GET" && req.method != "HEAD") { return (pass); }
    return (hash);
}
sub vcl_backend_response { set beresp.grace = 0s; set beresp.keep = 0s; }
sub vcl_deliver {
    if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; }
}
VCL
    start('varnish', $port, $varnishd, '-F', '-j', 'none', '-n', $here, '-a', "127.0.0.1:$port", '-T', 'none',
        '-f', folder() . '/varnish.vcl', '-s', 'malloc,16m', '-p', 'thread_pool_min=10', '-p', 'thread_pools=1');
    return { name => 'Varnish', port => $port, keeps_redirects => 1, hit => \&is_httpd_hit };
}

# One request to a port; headers are pairs.
sub ask {
    my ($port, $method, $target, @headers) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp', Timeout => 10)
        or return Redir307::Response->new('');
    local $SIG{PIPE} = 'IGNORE';
    my $text = "$method $target HTTP/1.1\r\nHost: lab.test\r\n";
    while (my ($name, $value) = splice @headers, 0, 2) { $text .= "$name: $value\r\n" }
    $text .= "Content-Length: 0\r\n" if $method eq 'POST';
    syswrite $socket, "${text}Connection: close\r\n\r\n";
    return Redir307::Response->new(Redir307::Httpd::read_all($socket));
}

END {
    if ($test_pid == $$) {
        my $status = $?;
        for my $pid (@pids) {
            kill 'TERM', $pid;
            my $end = time + 10;
            my $gone;
            while (!($gone = waitpid($pid, WNOHANG) != 0) && time < $end) { sleep 0.02 }
            if (!$gone) { kill 'KILL', $pid; waitpid $pid, 0 }
        }
        $? = $status;
    }
}

1;
