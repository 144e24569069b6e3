#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Virtual hosts: each with a rule file of its own, with the server's, or with none.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Damage;
use Redir307::Httpd;
use Test::More;

compile_rules('server', "/x -> /server\n");
compile_rules('own', "/x -> /own\n");
rules("site a.test { /site -> /a }\nsite b.test b2.test { /site -> /b }\nsite *.wild.test { /site -> /wild }\nsite c.test:8080 { /site -> /c }\n/x -> /any\n");
my $folder = folder();

serve(
    rules => "$folder/server.r307",
    conf  => <<"CONF",
<VirtualHost *:*>
    ServerName inherits.test
</VirtualHost>
<VirtualHost *:*>
    ServerName own.test
    Redir307Rules "$folder/own.r307"
    <Location "/quiet">
        Redir307Engine off
    </Location>
</VirtualHost>
<VirtualHost *:*>
    ServerName none.test
    Redir307Rules none
</VirtualHost>
<VirtualHost *:*>
    ServerName off.test
    Redir307Engine off
    <Location "/x/on">
        Redir307Engine on
    </Location>
</VirtualHost>
<VirtualHost *:*>
    ServerName shared.test
    ServerAlias *
    Redir307Rules "$folder/rules.r307"
</VirtualHost>
<VirtualHost *:*>
    ServerName shared2.test
    Redir307Rules "$folder/rules.r307"
    Redir307Watch off
</VirtualHost>
CONF
);

redirects('GET', '/x', 307, '/server', 'a host without a file has the server\'s', Host => 'inherits.test');
redirects('GET', '/x', 307, '/own',    'a host with a file of its own', Host => 'own.test');
leaves('GET', '/x', '"none" unsets the server\'s', Host => 'none.test');
leaves('GET', '/x', '"Redir307Engine off" for a whole host', Host => 'off.test');
redirects('GET', '/x', 307, '/any', 'two hosts share a file', Host => 'shared2.test');
redirects('GET', '/x', 307, '/any', 'and one of them is for every other name', Host => 'whoever.test');

# ---- hosts inside a rule file ----

redirects('GET', '/site', 307, '/a', 'a site of the rules', Host => 'a.test');
redirects('GET', '/site', 307, '/b', 'its other name', Host => 'b2.test');
redirects('GET', '/site', 307, '/wild', 'a name below a domain', Host => 'x.wild.test');
leaves('GET', '/site', 'the domain itself is not below it', Host => 'wild.test');
leaves('GET', '/site', 'nor a name that only ends alike', Host => 'xwild.test');
leaves('GET', '/site', 'a host without a site', Host => 'z.test');
redirects('GET', '/site', 307, '/a', 'capitals do not matter', Host => 'A.Test');
redirects('GET', '/site', 307, '/a', 'nor a dot at the end', Host => 'a.test.');
redirects('GET', '/site', 307, '/a', 'nor a port', Host => 'a.test:8080');
redirects('GET', '/site', 307, '/c', 'unless the site names one', Host => 'c.test:8080');
leaves('GET', '/site', 'which then must be it', Host => 'c.test');
redirects('GET', 'http://a.test/site', 307, '/a', 'in absolute-form the URL counts, not the Host field', Host => 'b.test');

# ---- one mapping, one swap for all who share the file ----

rules("/x -> /swapped\n");
redirects('GET', '/x', 307, '/swapped', 'a shared file is swapped', Host => 'shared.test');
redirects('GET', '/x', 307, '/swapped', 'for all its hosts, the watchful one decides', Host => 'shared2.test');
redirects('GET', '/x', 307, '/own', 'the others keep theirs', Host => 'own.test');

my ($child) = children();
SKIP: {
    open my $maps, '<', "/proc/$child/maps" or skip 'maps of a child cannot be read', 1;
    my %mapped;
    while (<$maps>) { $mapped{$1}++ if m{/([\w-]+)\.r307} }
    is(join(' ', map { "$_:$mapped{$_}" } sort keys %mapped), 'own:1 rules:1 server:1', 'each file is mapped once');
}

put_bytes("$folder/own.r307", 'bad');
redirects('GET', '/x', 307, '/own', 'a bad file of one host leaves its old rules', Host => 'own.test');
redirects('GET', '/x', 307, '/server', 'and does not touch the others', Host => 'inherits.test');
announce(qr/R307-902.*own\.r307/);
stop();

# A bad file of any host is refused.
my ($status, $text) = configtest(rules => "$folder/server.r307",
    conf => "<VirtualHost *:*>\nServerName bad.test\nRedir307Rules \"$folder/own.r307\"\n</VirtualHost>\n");
isnt($status, 0, 'a bad file of one host fails the configuration test');
like($text, qr/R307-904: \Q$folder\E\/own\.r307/, 'and is named');

# Several at once are all told.
put_bytes("$folder/bad-too.r307", '');
($status, $text) = configtest(rules => "$folder/own.r307",
    conf => "<VirtualHost *:*>\nServerName bad.test\nRedir307Rules \"$folder/bad-too.r307\"\n</VirtualHost>\n");
like($text, qr/own\.r307.*bad-too\.r307/s, 'several bad files are told in one run');
done_testing();
