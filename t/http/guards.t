#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Which requests are the module's: initial ones for a path of this server, before any other module translates them.
# Subrequests, internal redirects, CONNECT, TRACE, OPTIONS * and a forward proxy's requests are not.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use Redir307::Httpd;
use Test::More;

rules(<<'END');
/index.html  -> /
/            -> /front { when method POST }
/included    -> /elsewhere
/old         -> https://new.test/n
/options     -> /o
/error/*     -> /nowhere/*
/rw          -> /by-us
/aliased/*   -> /by-us/*
/redirected  -> /by-us
/proxied/*   -> /by-us/*
/loc/*       -> /by-us/*
/dir/*       -> /by-us/*
END

folder();
mkdir folder() . '/html/dir';
write_file('html/dir/page.html', 'a page');
write_file('html/with.shtml', '<!--#include virtual="/included" -->');
write_file('html/included', 'the included text');
mkdir folder() . '/html/error';
write_file('html/error/404.html', 'our own page for 404');
write_file('html/error/410.html', 'our own page for 410');

serve(
    modules => [qw(dir alias rewrite include allowmethods)],
    conf    => <<"CONF",
DirectoryIndex index.html
Options +Includes
AddOutputFilter INCLUDES .shtml
AddType text/html .shtml
ErrorDocument 404 /error/404.html
RewriteEngine on
RewriteRule ^/rw\$ /page.html [PT]
Alias /aliased "@{[folder()]}/html"
Redirect 302 /redirected /by-alias
Redirect 302 /only-alias /by-alias
<Location "/loc/off">
    Redir307Engine off
</Location>
<Location "/loc/off/but">
    Redir307Engine on
</Location>
TraceEnable on
CONF
);

# ---- subrequests and internal redirects ----

redirects('GET', '/index.html', 307, '/', 'the page by its name');
my $front = answers('GET', '/', 200, 'DirectoryIndex asks for index.html in a subrequest, which is not redirected');
like($front->body, qr/the start page/, 'so the page is shown, and nothing loops');
my $ssi = answers('GET', '/with.shtml', 200, 'a page that includes another');
like($ssi->body, qr/the included text/, 'gets its text, not a redirect');
redirects('GET', '/included', 307, '/elsewhere', 'though its path is redirected when a client asks');
my $error = answers('GET', '/nothing-here', 404, 'an error page of our own');
like($error->body, qr/our own page for 404/, 'is shown, though a rule takes its path');
redirects('GET', '/error/404.html', 307, '/nowhere/404.html', 'which holds for a client that asks for it');

# ---- requests that are for no path of ours ----

redirects('OPTIONS', '/options', 307, '/o', 'OPTIONS for a path is a request like any other');
is(raw("OPTIONS * HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\n\r\n")->status, 200, 'OPTIONS * is httpd\'s');
my $connect = raw("CONNECT lab.test:80 HTTP/1.1\r\nHost: lab.test:80\r\nConnection: close\r\n\r\n");
isnt($connect->status, 307, 'CONNECT is not redirected');
is($connect->field('Location'), undef, 'nor told where to go');
my $trace = raw("TRACE /old HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\n\r\n");
is($trace->status, 200, 'TRACE is httpd\'s to answer');

# ---- who comes first ----

redirects('GET', '/rw', 307, '/by-us', 'a rule goes before RewriteRule');
redirects('GET', '/aliased/page.html', 307, '/by-us/page.html', 'before Alias');
redirects('GET', '/redirected', 307, '/by-us', 'before Redirect');
like(request('GET', '/only-alias')->field('Location'), qr{/by-alias$}, 'what has no rule is left to mod_alias');

# ---- switched off for a place ----

redirects('GET', '/loc/on', 307, '/by-us/on', 'a place with rules');
leaves('GET', '/loc/off', 'a place without');
leaves('GET', '/loc/off/x', 'and all below');
redirects('GET', '/loc/off/but/x', 307, '/by-us/off/but/x', 'until an inner one switches on again');

stop();

SKIP: {
    skip 'no mod_status', 3 if !has_module('status');
    rules("/* -> https://elsewhere.example/*\n");
    serve(modules => ['status'], conf => "<Location \"/server-status\">\nSetHandler server-status\nRedir307Engine off\n</Location>\n");
    redirects('GET', '/anything', 307, 'https://elsewhere.example/anything', 'a rule for everything');
    like(answers('GET', '/server-status', 200, 'does not take the status page, which is kept out')->body, qr/Apache Server Status/, 'and is shown');
    stop();
}

# ---- a directory cannot switch: the decision is made before ----

for my $place ('<Directory "/">', '<Files "x">', '<DirectoryMatch "x">') {
    my ($name) = $place =~ /<(\w+)/;
    my ($status, $text) = configtest(conf => "$place\nRedir307Engine off\n</$name>\n");
    isnt($status, 0, "Redir307Engine in <$name> is refused");
    like($text, qr/<Location>/, 'and the message says where it may stand');
}
write_file('html/dir/.htaccess', "Redir307Engine off\n");
rules("/unused -> /x\n");
serve(conf => "<Directory \"@{[folder()]}/html\">\nAllowOverride All\n</Directory>\n");
announce(qr/\.htaccess: Redir307Engine not allowed here/);
answers('GET', '/dir/page.html', 500, 'in .htaccess it is an error, for it could never take effect');
stop();

# ---- errors after a redirect ----

rules("/gone gone\n/error/* -> /nowhere/*\n");
serve(modules => ['dir'], conf => "ErrorDocument 410 /error/410.html\n");
my $gone = answers('GET', '/gone', 410, 'gone with a page of our own');
like($gone->body, qr/our own page for 410/, 'which no rule takes away');

# ---- proxies ----

SKIP: {
    skip 'no mod_proxy_http', 5 if !has_module('proxy_http');
    rules("/old -> https://new.test/n\n/proxied/* -> /by-us/*\n/ -> /front\n");
    serve(modules => ['proxy', 'proxy_http'], conf => "ProxyRequests On\n<Proxy *>\nRequire all denied\n</Proxy>\n");
    announce(qr/AH01630: client denied by server configuration: proxy:/);
    is(request('GET', 'http://other.test/old')->status, 403, 'what a forward proxy is asked for is not redirected');
    redirects('GET', '/old', 307, 'https://new.test/n', 'while the server\'s own paths are');
    stop();
    serve(
        modules => ['proxy', 'proxy_http'],
        conf    => "ProxyPass /proxied http://127.0.0.1:1/ mapping=encoded\nProxyPass /other http://127.0.0.1:1/\n"
    );
    redirects('GET', '/proxied/%41%2fb', 307, '/by-us/A%2Fb', 'a rule goes before ProxyPass, encoded paths and all');
    announce(qr/AH00957|AH01114|AH00959/);
    is(request('GET', '/other/x')->status, 503, 'what has no rule is the proxy\'s');
}

stop();
done_testing();
