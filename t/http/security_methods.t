#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Hostile requests 4: methods, request forms and httpd's own detours. What is no path of this server is not redirected;
# no rule takes error pages, indexes, includes or status pages away, and nothing loops.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Hostile;
use Redir307::Httpd;
use Redir307::Transports;
use Test::More;

rules(<<'END');
/old      -> https://new.test/n
/moved    -> /m moved
/found    -> /f found
/perm     -> /p permanent
/see      -> /s see-other
/auto     -> /a temporary auto
/only-get -> /got { when method GET }
/writes   -> /w { when method POST PUT }
/FOO      -> /foo { when method FOO }
/g        gone
/         -> /front { when method OPTIONS CONNECT TRACE }
/pre      -> /pre2
/pre-too  -> /pre2 { preflight redirect }
END
serve_all(conf => "TraceEnable on\n");
my $old = '307 https://new.test/n';

# ---- requests that are for no path ----

# Over HTTP/2 each has a form of its own; it is asked as raw as it goes.
asks('OPTIONS', '*', '200', 'OPTIONS * is httpd\'s, though / has a rule');
over([http1()], sub {
    asks('CONNECT', 'lab.test:80', '405', 'CONNECT is refused, though / has a rule: r->uri is "/" then');
    asks('CONNECT', '/', qr/\A40[05]\z/, 'CONNECT with a path');
    asks('GET', $_, qr/\A(?:400|404)\z/, "the target \"$_\" is no path (CVE-2011-3368, CVE-2021-44224)")
        for '@evil.test', '@evil.test/old', 'evil.test', 'evil.test:80', '*', 'ftp://lab.test/old', 'file:///old', 'unix:/x|http://lab.test/', 'proxy:http://evil.test/', '?x', '#x', 'old', './old', '\old', '%2fold', '';
    asks('*', '/old', $old, 'a method of odd bytes is one like any other');
    asks('GET', '/old HTTP/1.1 x', '400', 'a request line with too many words');
});
over([http2()], sub {
    asks('CONNECT', '', qr/\A(?:40\d|RST_STREAM \d+)\z/, 'CONNECT is refused, though / has a rule', ':path' => undef, ':scheme' => undef, Host => 'lab.test:80');
    asks('CONNECT', '/', qr/\A(?:40\d|RST_STREAM \d+)\z/, 'CONNECT with a path');
    asks('CONNECT', '/', qr/\A(?:40\d|RST_STREAM \d+)\z/, 'CONNECT with a protocol', ':protocol' => 'websocket');
    asks('GET', '*', 'RST_STREAM 1', 'GET *');
});
my $traces = asks('TRACE', '/old', '200', 'TRACE is answered by httpd itself');
like($traces->{$_}->body, qr{^TRACE /old}, "$_: which shows the request") for sort keys %$traces;
asks('TRACE', '/', '200', 'though / has a rule for it');

# ---- methods ----

for my $method (qw(GET POST PUT DELETE PATCH OPTIONS PROPFIND MKCOL LOCK FOO X M-SEARCH), 'GET2', 'G', 'A' x 200) {
    asks($method, '/old', $old, '307 keeps the method');
    asks($method, '/perm', '308 /p', 'and so does 308');
    asks($method, '/moved', '301 /m', '301 is as configured: clients may make it a GET');
    asks($method, '/see', '303 /s', '303 likewise');
    asks($method, '/auto', ($method eq 'GET' ? '302' : '307') . ' /a', 'a status that hangs on the method');
    asks($method, '/only-get', $method eq 'GET' ? '307 /got' : qr/\A[2345]\d\d\z/, 'a rule for GET');
    asks($method, '/writes', $method =~ /\A(?:POST|PUT)\z/ ? '307 /w' : qr/\A[2345]\d\d\z/, 'a rule for POST and PUT');
}
for my $target ('/old', '/only-get', '/auto', '/g') {
    my $heads = asks('HEAD', $target, { '/old' => $old, '/only-get' => '307 /got', '/auto' => '302 /a', '/g' => '410' }->{$target}, 'HEAD is like GET');
    is($heads->{$_}->body, '', "$_: without a body") for sort keys %$heads;
}
asks('FOO', '/FOO', '307 /foo', 'a method of one\'s own');
asks($_, '/FOO', qr/\A(?:404|405|501)\z/, 'whose case counts') for qw(foo Foo FOOO FO);
asks($_, '/only-get', qr/\A(?:404|405|501)\z/, 'as that of GET does') for qw(get Get gET);
asks('get', '/old', $old, 'while a rule without methods takes any');
my @preflight = (Origin => 'https://o.test', 'Access-Control-Request-Method' => 'PUT');
asks('OPTIONS', '/pre', '200', 'a CORS preflight is left alone: browsers fail one that is redirected', @preflight);
asks('OPTIONS', '/pre-too', '307 /pre2', 'unless that is meant', @preflight);
asks('OPTIONS', '/pre', '307 /pre2', 'OPTIONS alone is no preflight', Origin => 'https://o.test');
asks('GET', '/pre', '307 /pre2', 'nor is a GET that says so', @preflight);
announce(qr/AH00135: Invalid method in request/);
stop();

# ---- httpd's detours ----

rules(<<'END');
/index.html   -> /
/dir/index.html -> /dir/
/old          -> https://new.test/n
/included     -> /elsewhere
/g            gone
/own/*        -> /nowhere/*
/x/*          -> /y/*
/st           -> /stolen
/redir307-status -> /stolen
site evil.test { /* -> /everything/* }
END
mkdir folder() . "/html/$_" for qw(dir own);
write_file("html/dir/index.html", 'the page of the folder');
write_file('html/with.shtml', '<!--#include virtual="/included" -->');
write_file('html/included', 'the included text');
write_file("html/own/$_.html", "our page for $_") for 404, 410;
my @status = has_module('status') ? ('status') : ();
serve_all(modules => ['dir', 'include', 'alias', 'rewrite', @status], conf => <<"CONF");
DirectoryIndex index.html
Options +Includes
AddOutputFilter INCLUDES .shtml
AddType text/html .shtml
ErrorDocument 404 /own/404.html
ErrorDocument 410 /own/410.html
RewriteEngine on
RewriteRule ^/rewritten\$ /old [PT]
<Location "/x/off">
    Redir307Engine off
</Location>
<Location "/redir307-status">
    SetHandler redir307-status
</Location>
<IfModule mod_status.c>
    <Location "/st">
        SetHandler server-status
        Redir307Engine off
    </Location>
</IfModule>
CONF
sub shows { my ($answers, $pattern, $name) = @_; like($answers->{$_}->body, $pattern, "$_: $name") for sort keys %$answers; return }
gets('/index.html', '307 /', 'the page by its name is redirected');
shows(gets('/', '200', 'DirectoryIndex asks for it in a subrequest'), qr/the start page/, 'and nothing loops');
shows(gets('/dir/', '200', 'in a folder, too'), qr/the page of the folder/, 'and nothing loops');
shows(gets('/with.shtml', '200', 'an include asks for /included in a subrequest'), qr/the included text/, 'and gets it');
gets('/included', '307 /elsewhere', 'while a client that asks for it is redirected');
shows(gets('/missing', '404', 'an error page whose path has a rule'), qr/our page for 404/, 'is shown');
shows(gets('/missing', '307 /everything/missing', 'of a host with a rule for everything', Host => 'evil.test'), qr/moved/, 'there is none');
shows(gets('/g', '410', 'gone with a page of our own whose path has a rule'), qr/our page for 410/, 'is shown, and nothing loops');
gets('/own/404.html', '307 /nowhere/404.html', 'while a client that asks for it is redirected');
shows(gets('/g', '307 /everything/g', 'a rule for everything on another host', Host => 'evil.test'), qr/moved/, 'answers there');
gets('/rewritten', qr/\A404/, 'what another module rewrites to our path was not asked for by a client');
gets('/x/on', '307 /y/on', 'a place with rules');
gets('/x/off', '404', 'a place without');
gets('/x/off/below', '404', 'and below');
gets('/x/%6fff/below', '404', 'however it is written');
gets('/x/on/../off/below', '404', 'or reached');
gets('/x/offside', '307 /y/offside', 'a name that begins alike is another place');
shows(gets('/redir307-status', '200', 'the status page has a rule, too'), qr/rules answer/, 'and is shown');
shows(gets('/redir307-status', '200', 'under a rule for everything', Host => 'evil.test'), qr/rules answer/, 'as well');
if (@status) { shows(gets('/st', '200', 'server-status where the engine is off'), qr/Apache Server Status/, 'is shown') }
stop();

# ---- proxies ----

SKIP: {
    skip 'no mod_proxy_http', 1 if !has_module('proxy_http');
    rules("/old -> https://new.test/n\n/ -> /front\n/p/* -> https://new.test/q/*\n/p2/* -> https://new.test/q/*\nsite other.test { /old -> https://new.test/other }\n");
    serve_all(modules => [qw(proxy proxy_http proxy_connect)], conf => "ProxyRequests On\nAllowCONNECT 80\n<Proxy *>\nRequire all denied\n</Proxy>\n");
    announce(qr/AH01630: client denied by server configuration: proxy:/);
    over(['HTTP/1.1'], sub {
        gets('http://other.test/old', '403', 'what a forward proxy is asked for is never redirected by us');
        gets('http://lab.test/old', '403', 'nor what only looks like a path of this server');
        gets('http://other.test', '403', 'not even without a path');
        asks('CONNECT', 'other.test:80', '403', 'a tunnel neither');
    });
    gets('/old', $old, 'while the server\'s own paths are');
    stop();
    for my $mapping ('', ' mapping=encoded') {
        serve_all(modules => [qw(proxy proxy_http)], conf => "AllowEncodedSlashes NoDecode\nProxyPass /p http://127.0.0.1:1/$mapping\n");
        gets('/p/%41%2fb', '307 https://new.test/q/A%2Fb', "the path that ProxyPass$mapping would see encoded is the same to us");
        gets('/p2/%41%2fb', '307 https://new.test/q/A%2Fb', 'as without it');
        gets('/p/%0d%0aX-Injected:y', '307 https://new.test/q/%0D%0AX-Injected:y', 'whatever it holds');
        stop();
    }
}

# ---- where our directives may stand, and files that are none ----

my $conf = folder() . '/html/dir/.htaccess';
write_file('html/dir/.htaccess', "Redir307Engine off\n");
serve_all(conf => "<Directory \"@{[folder()]}/html\">\nAllowOverride All\n</Directory>\n");
announce(qr/\.htaccess: Redir307Engine not allowed here/);
my $errors = gets('/dir/index.html', '500', 'who may write a folder does not switch rules: .htaccess is refused');
unlike($errors->{$_}->text, qr/redir307|htaccess|\Q@{[folder()]}/i, "$_: and the 500 shows no name of a file") for sort keys %$errors;
stop();
write_file('bad.r307', 'no rule file');
my ($status, $said) = configtest(rules => folder() . '/bad.r307');
isnt($status, 0, 'a bad rule file fails the configuration test');
like($said, qr/R307-904: \Q@{[folder()]}\E\/bad\.r307: .*(?:cut off|no rule file)/, 'which says the file and the reason');
inputs_told();
done_testing();
