# SPDX-License-Identifier: Apache-2.0
# A server that uses most of what httpd has: a folder of pages, and virtual hosts that each show one part of it. What is
# asked of it stands in t/http/harmless.t.
package Redir307::Site;
use strict;
use warnings;
use Exporter 'import';
use File::Basename qw(dirname);
use File::Find qw(find);
use File::Path qw(make_path remove_tree);
use Redir307::Backend;
use Redir307::Httpd;
use Redir307::Tls;

our @EXPORT = qw(site_make site_reset site_modules site_conf site_port);

my %port;
sub site_port { return $port{ $_[0] } }

sub is_prefork { return Redir307::Httpd::mpm() eq 'prefork' }

sub site_modules {
    return (
        qw(authz_host authz_user authn_core authn_file auth_basic auth_digest alias rewrite dir negotiation autoindex include
            userdir vhost_alias speling actions headers setenvif env expires deflate filter asis allowmethods remoteip status info
            proxy proxy_http proxy_connect proxy_balancer lbmethod_byrequests slotmem_shm cache cache_disk cache_socache
            socache_shmcb dav dav_fs substitute unixd),
        is_prefork() ? 'cgi' : ('cgid', 'http2'), can_tls() ? 'ssl' : ()
    );
}

# ---- the pages ----

# All of one age, so that Last-Modified and ETag are the same in each run.
my $age = 1_700_000_000;

sub page {
    my ($name, $text, $mode) = @_;
    make_path(dirname(folder() . "/$name"));
    my $path = write_file($name, $text);
    chmod $mode // 0644, $path;
    utime $age, $age, $path;
    return;
}

sub site_make {
    page('html/page.html', "<html>a page</html>\n");
    page('html/index.html', "<html>the start page</html>\n");
    page('html/long.txt', join '', map { "line $_ of a longer text\n" } 1 .. 2000);
    page('html/dir/index.html', "a folder's page\n");
    page('html/dir/sub/page.html', "further down\n");
    page("html/odd/$_", "odd\n") for 'a b.txt', 'a+b.txt', 'a%b.txt', 'a;b.txt', "\xc3\xa9.txt", 'a?b.txt';
    page('html/list/one.txt', "one\n");
    page('html/list/two.txt', "two\n");
    page('html/ssi-index/index.shtml', "by <!--#echo var=\"DOCUMENT_URI\" -->\n");

    # Negotiation.
    page('html/multi/doc.html.en', "an English page\n");
    page('html/multi/doc.html.de', "eine deutsche Seite\n");
    page('html/multi/doc.txt', "a text\n");
    page('html/multi/only.html.fr', "une page\n");
    page('html/multi/packed.html.gz', "not really packed\n");
    page('html/map/thing.var', "URI: thing\n\nURI: thing.en.html\nContent-type: text/html\nContent-language: en\n\n"
        . "URI: thing.de.html\nContent-type: text/html; qs=0.5\nContent-language: de\n");
    page('html/map/thing.en.html', "a thing\n");
    page('html/map/thing.de.html', "ein Ding\n");

    # Pages that are made.
    page('html/with.shtml', '<!--#include virtual="/included.html" -->|<!--#include file="page.html" -->|<!--#include virtual="/nested.shtml?q=1" -->'
        . '|<!--#include virtual="/env.cgi?from=ssi" -->|<!--#include virtual="/missing" -->|<!--#include virtual="/pt/page.html" -->|<!--#flastmod file="page.html" -->');
    page('html/nested.shtml', '<!--#echo var="QUERY_STRING" -->:<!--#include virtual="/with-file.shtml" -->:<!--#include virtual="/dir/" -->');
    page('html/with-file.shtml', '<!--#include file="page.html" --><!--#if expr="v(\'HTTP_X_IF\') = \'yes\'" -->if<!--#endif -->');
    page('html/included.html', "the included text\n");
    # A script reads all that is sent to it, or httpd would complain now and then.
    my $script = "#!/bin/sh\ncat >/dev/null\necho 'X-Made: by a script'\n";
    my $env = "${script}echo 'Content-Type: text/plain'\necho\nenv | grep -v '^\\(_\\|PWD\\|SHLVL\\)=' | LC_ALL=C sort\n";
    page("html/$_", $env, 0755) for 'env.cgi', 'cgi-index/index.cgi', 'errors/env.cgi';
    page('cgi/env', $env, 0755);
    page('cgi/echo', "#!/bin/sh\necho 'X-Made: by a script'\necho 'Content-Type: text/plain'\necho\ncat 2>/dev/null\n", 0755);
    page('cgi/status', "${script}printf 'Status: 418 Odd\\nX-Own: 1\\n\\nodd\\n'\n", 0755);
    page('cgi/here', "${script}printf 'Location: /page.html\\n\\n'\n", 0755);
    page('cgi/there', "${script}printf 'Location: http://elsewhere.example/x\\n\\n'\n", 0755);
    page('cgi/raw', "${script}printf 'Status: 307\\nLocation: /somewhere\\nContent-Type: text/plain\\n\\nbody\\n'\n", 0755);
    page('cgi/act', "${script}printf 'Content-Type: text/plain\\n\\nacted on %s\\n' \"\$PATH_INFO\"\n", 0755);
    page('html/asis/moved.asis', "Status: 301 Now where did I leave that\nLocation: http://elsewhere.example/asis\nContent-type: text/html\n\nasis\n");
    page('html/act/thing.acted', "acted\n");

    # Errors.
    page('html/errors/404.shtml', 'no <!--#echo var="REDIRECT_URL" --> here');
    page('html/errors/403.html', "our 403\n");
    page('html/errors/410.html', "our 410\n");

    # Who may.
    page('users/anna/page.html', "anna's page\n");
    page('vhosts/one/page.html', "the host one\n");
    page('passwords', "anna:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
    page('html/ht/.htaccess', <<'END');
RewriteEngine on
RewriteRule ^in$ page.html
RewriteRule ^pt$ /page.html [PT]
RewriteRule ^out$ http://elsewhere.example/out [R=302,L]
RewriteRule ^here$ /page.html [R=301,L]
RewriteRule ^gone$ - [G]
RewriteCond %{REQUEST_FILENAME} !-f
RewriteRule ^front/(.*)$ front.html?path=$1 [QSA]
Redirect 302 /ht/alias http://elsewhere.example/alias
ErrorDocument 404 "not in ht"
Header set X-Htaccess on
END
    page('html/ht/page.html', "in ht\n");
    page('html/ht/front.html', "the front\n");
    page('html/forbidden/.htaccess', "Require all denied\n");
    page('html/forbidden/page.html', "not to be seen\n");
    page('map.txt', "one /page.html\ntwo /dir/\n");
    page('html/fallback/index.html', "the fallback\n");
    page('html/spell/correct.html', "spelt\n");
    page('dav/first.txt', "first\n");

    # A folder's time is part of a negotiated page's ETag.
    find({ no_chdir => 1, wanted => sub { utime $age, $age, $_ if -d } }, folder() . '/html');

    $port{backend} = backend_start();
    $port{forward} = Redir307::Httpd::free_port();
    $port{tls} = Redir307::Httpd::free_port();
    return;
}

# What a run changes is as it was.
sub site_reset {
    remove_tree(map { folder() . "/$_" } qw(dav davlock disk sockets));
    for my $name (qw(davlock disk sockets dav)) {
        mkdir folder() . "/$name" or die "$name: $!";
    }
    page('dav/first.txt', "first\n");
    utime $age, $age, folder() . '/dav';
    chmod 0777, map { folder() . "/$_" } qw(dav davlock disk sockets);
    chmod 0666, folder() . '/dav/first.txt';
    unlink folder() . '/access.log';
    return;
}

# ---- the configuration ----

sub host {
    my ($name, $conf) = @_;
    return "<VirtualHost *>\nServerName $name\n$conf</VirtualHost>\n";
}

sub pages_host {
    my $here = folder();
    return host('lab.test', <<"CONF");
DirectoryIndex index.html index.shtml index.cgi
ErrorDocument 404 /errors/404.shtml
ErrorDocument 403 /errors/403.html
ErrorDocument 410 /errors/410.html
Alias /aliased "$here/html"
AliasMatch ^/matched/(\\w+)\$ "$here/html/\$1.html"
ScriptAlias /cgi "$here/cgi"
Redirect 301 /moved /page.html
Redirect 307 /temp http://elsewhere.example/temp
Redirect gone /vanished
RedirectMatch 303 ^/see/(.*)\$ /dir/\$1
UserDir "$here/users"
Action x-act /cgi/act
AddHandler x-act .acted
<Location "/text">
ErrorDocument 404 "a plain text"
</Location>
<Location "/external">
ErrorDocument 404 http://elsewhere.example/404
</Location>
<Location "/script">
ErrorDocument 404 /errors/env.cgi
</Location>
<Location "/spell">
CheckSpelling on
</Location>
<Directory "$here/html/fallback">
FallbackResource /fallback/index.html
</Directory>
<Location "/private">
AuthType Basic
AuthName private
AuthUserFile "$here/passwords"
Require valid-user
ErrorDocument 401 "who are you?"
</Location>
Alias /private "$here/html"
<Location "/denied">
Require all denied
</Location>
<Location "/only-get">
AllowMethods GET
</Location>
Alias /only-get "$here/html"
<Location "/server-status">
SetHandler server-status
</Location>
<Location "/server-info">
SetHandler server-info
</Location>
Alias /dav "$here/dav"
<Location "/dav">
Dav On
</Location>
Alias /packed "$here/html"
<Location "/packed">
SetOutputFilter DEFLATE
</Location>
Alias /substituted "$here/html"
<Location "/substituted">
SetOutputFilter SUBSTITUTE
Substitute s/page/leaf/
</Location>
<Location "/small">
LimitRequestBody 100
</Location>
Alias /small "$here/html"
Alias /handled "$here/html"
<Location "/handled">
SetHandler "%{req:X-Handler}"
</Location>
Alias /ifs "$here/html"
<Location "/ifs">
<If "req('X-If') == 'yes'">
Header set X-If yes
</If>
</Location>
ExpiresActive on
ExpiresByType text/plain "access plus 1 hour"
SetEnvIf User-Agent "old" old downgrade-1.0 force-response-1.0
SetEnvIf X-Country (..) COUNTRY=\$1
SetEnv OWN value
Header always set X-Always always
Header set X-Success success
Header merge Vary X-Own "expr=%{REQUEST_URI} == '/page.html'"
RequestHeader set X-Added added
CONF
}

sub rewrite_host {
    my $here = folder();
    return host('rewrite.test', <<"CONF");
RewriteEngine on
RewriteMap pages "txt:$here/map.txt"
Alias /aliased "$here/html"
ScriptAlias /cgi "$here/cgi"
RewriteRule ^/pt/(.*)\$ /aliased/\$1 [PT]
RewriteRule ^/file/(.*)\$ "$here/html/\$1"
RewriteRule ^/r/(.*)\$ /page.html?of=\$1 [R=302,L]
RewriteRule ^/abs/(.*)\$ https://elsewhere.example/\$1 [R=301,L,NE]
RewriteRule ^/qsa/(.*)\$ /cgi/env?got=\$1 [QSA,PT,B]
RewriteRule ^/qsd\$ /page.html [QSD,R=307,L]
RewriteRule ^/gone\$ - [G]
RewriteRule ^/forbidden\$ - [F]
RewriteRule ^/teapot\$ - [R=406,L]
RewriteRule ^/map/(\\w+)\$ \${pages:\$1|/nothing} [PT]
RewriteRule ^/env\$ /cgi/env [E=SEEN:\$0,PT]
RewriteRule ^/proxied/(.*)\$ http://127.0.0.1:$port{backend}/\$1 [P]
RewriteRule ^/handler\$ "$here/cgi/env" [H=cgi-script]
RewriteCond %{HTTP_COOKIE} beta
RewriteRule ^/cookie\$ /aliased/page.html [PT]
RewriteRule ^/cookie\$ /aliased/included.html [PT]
RewriteCond %{LA-U:REQUEST_FILENAME} html/page
RewriteRule ^/page.html\$ - [E=LOOKED:yes]
RewriteCond %{REQUEST_FILENAME} !-f
RewriteCond %{DOCUMENT_ROOT}%{REQUEST_FILENAME} !-f
RewriteCond %{THE_REQUEST} "/front/(\\S*) "
RewriteRule ^/front/ /cgi/env?front=%1 [PT]
CONF
}

sub proxy_hosts {
    my $back = "http://127.0.0.1:$port{backend}";
    return host('proxy.test', <<"CONF") . host('nodecode.test', <<"CONF") . host('host.test', <<"CONF");
AllowEncodedSlashes On
ProxyPass /not !
ProxyPass /encoded $back/encoded mapping=encoded
ProxyPass /nocanon $back/nocanon nocanon
ProxyPassMatch ^/match/(\\w+)\$ $back/matched/\$1
ProxyPass /balanced balancer://both
<Proxy balancer://both>
BalancerMember $back
</Proxy>
ProxyPass /plain $back/plain
ProxyPassReverse /plain http://inner.example
ProxyPass /dead http://127.0.0.1:1/
CONF
AllowEncodedSlashes NoDecode
ProxyPass /nocanon $back/nocanon nocanon
ProxyPass / $back/ mapping=encoded
CONF
ProxyPreserveHost on
RemoteIPHeader X-Client
RemoteIPInternalProxy 127.0.0.1
<Location "/set">
ProxyPass $back/set
</Location>
CONF
}

sub cache_hosts {
    my $here = folder();
    my $common = "CacheHeader on\nCacheIgnoreNoLastMod on\nHeader set Cache-Control max-age=600\nHeader set Vary X-Kind \"expr=%{REQUEST_URI} =~ /dir/\"\n"
        . "Redirect 301 /moved /page.html\nRedirect 302 /temp /page.html\nScriptAlias /cgi \"$here/cgi\"\n";
    return host('cache.test', "CacheRoot \"$here/disk\"\nCacheEnable disk /\n$common")
        . host('socache.test', "CacheSocache \"shmcb:$here/sockets/cache(8000000)\"\nCacheEnable socache /\nCacheQuickHandler off\n$common");
}

sub site_conf {
    my $here = folder();
    my $h2 = is_prefork() ? '' : "Protocols h2c http/1.1\nScriptSock \"$here/sockets/cgid\"\n";
    my $tls = can_tls() ? "Listen 127.0.0.1:$port{tls}\n<VirtualHost *:$port{tls}>\nServerName lab.test\n"
        . tls_directives(is_prefork() ? 'http/1.1' : 'h2 http/1.1') . "SSLOptions +StdEnvVars\nAlias /aliased \"$here/html\"\nRedirect 302 /moved /page.html\n</VirtualHost>\n" : '';
    return <<"CONF" . pages_host() . rewrite_host() . proxy_hosts() . cache_hosts() . <<"CONF" . $tls;
$h2
AddHandler cgi-script .cgi
AddHandler type-map .var
AddHandler send-as-is .asis
AddOutputFilter INCLUDES .shtml
AddType text/html .shtml
AddLanguage en .en
AddLanguage de .de
AddLanguage fr .fr
AddEncoding x-gzip .gz
LanguagePriority en de
TraceEnable on
DavLockDB "$here/davlock/db"
IndexOptions FancyIndexing
CustomLog "$here/access.log" "%v %h %u \\"%r\\" %>s %s %b %U %q %f %R %{Location}o %{REDIR307_RULE}e %{redir307}n %{COUNTRY}e"
<Directory "$here">
AllowOverride All
Options Indexes Includes MultiViews ExecCGI FollowSymLinks
Require all granted
</Directory>
CONF
<VirtualHost *>
ServerName slashes.test
MergeSlashes Off
AllowEncodedSlashes On
<Location "/dir//sub">
Header set X-Place two
</Location>
<Location "/dir/sub">
Header set X-Place one
</Location>
</VirtualHost>
<VirtualHost *>
ServerName www.vhost-alias.test
ServerAlias *.vhost-alias.test
UseCanonicalName off
VirtualDocumentRoot "$here/vhosts/%1"
</VirtualHost>
Listen 127.0.0.1:$port{forward}
<VirtualHost *:$port{forward}>
ServerName forward.test
ProxyRequests on
AllowCONNECT $port{backend}
<Proxy "http://denied.test/">
Require all denied
</Proxy>
</VirtualHost>
CONF
}

1;
