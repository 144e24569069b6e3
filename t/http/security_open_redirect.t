#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Hostile requests 2: open redirects. No request chooses the host that an answer leads to, however httpd treats slashes.
# What rulec must refuse so that no rule can: t/cli/hostile.t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Hostile;
use Redir307::Httpd;
use Redir307::Transports;
use Test::More;

rules(<<'END');
/r/*      -> /s/*                     permanent
/all/*    -> /*
/seg/{x}  -> /{x}
/two/{x}/{y} -> /{x}/{y}
/many/{x...} -> /{x}
/v?v={v}  -> /{v}
~ "^/re/(?<x>.*)$" -> /{x}
/short    -> https://new.test
/tree/*   -> https://new.test/*
/end/*    -> https://new.test/e*
site lab.test { /p/* -> https://new.test/q/* }
END
origins('https://new.test');

my @tails = ('/evil.test', '//evil.test', '%2fevil.test', '%2f%2fevil.test', '\evil.test', '\\\\evil.test', '%5cevil.test', '%5c%5cevil.test', '/\evil.test', '\/evil.test',
    '%09/evil.test', '%0a/evil.test', '%0d/evil.test', '/%09/evil.test', '/%0a/evil.test', '/%0d%0a/evil.test', '%09//evil.test', '%20/evil.test', '/%20/evil.test', '%00/evil.test',
    '.%2fevil.test', './/evil.test', './/./evil.test', '..//evil.test', '../r//evil.test', 'x/..//evil.test', 'x/../..//evil.test', '%2e//evil.test', '%2e%2e/all//evil.test',
    '%2e%2e%2fall%2f%2fevil.test', '@evil.test', ';//evil.test', '.;//evil.test', '..;//evil.test', 'https://evil.test/', 'https:/evil.test', 'https:evil.test', '%68ttps:%2f%2fevil.test',
    'javascript:alert(1)', '%6aavascript:alert(1)', "\xe3\x80\x82/evil.test", '%e3%80%82%2fevil.test', '%ef%bc%8fevil.test', '%ef%bc%8f%ef%bc%8fevil.test', "/\xff/evil.test", '?//evil.test', '/?//evil.test');
my @sources = qw(/r/ /all/ /seg/ /two/ /many/ /v?v= /re/ /tree/ /end/ /p/);

# Over slashes as httpd treats them: as shipped, unmerged, encoded ones decoded or left alone.
for my $conf ('', "MergeSlashes Off\n", "AllowEncodedSlashes NoDecode\n", "AllowEncodedSlashes On\n", "MergeSlashes Off\nAllowEncodedSlashes NoDecode\n",
    "MergeSlashes Off\nAllowEncodedSlashes On\n") {
    my $name = $conf =~ s/\n/ /gr || 'as shipped ';
    serve_all(conf => $conf);
    for my $source (@sources) {
        for my $tail (@tails) {
            my $target = "$source$tail";
            # A relative Location never starts like a host; gets() proves that any other leads to an origin of the rules.
            my $front = $source eq '/r/' && $tail !~ m{\.\./|%2e%2e|\.\.%2f}i ? qr{/s(?:/(?![/\\])|\?|\z)} : qr{/(?![/\\])|https://new\.test(?:/|\?|\z)};
            gets($target, qr/\A(?:40[04]|RST_STREAM 1|30[78] $front.*)\z/s, "${name}stays on hosts of the rules");
        }
    }
    for my $target (qw(//evil.test/p/x ///evil.test ////evil.test//x /.//evil.test/ /x/..//evil.test /./\evil.test /\evil.test /%5cevil.test /%09/evil.test), '//evil.test/..') {
        gets($target, qr/\A40[04]\z/, "${name}a path like any other, without a rule");
    }
    gets('//evil.test/p/x', '404', "${name}another host's rules are not asked for either", Host => 'evil.test');
    announce(qr/AH00026|AH10244: invalid URI path/);
    stop();
}

serve_all();
for my $row (
    ['/r//evil.test', '308 /s/evil.test', 'empty segments are merged'],
    ['/all//evil.test', '307 /evil.test', 'before a bare slash as well'],
    ['/all/', '307 /', 'nothing is inserted'],
    ['/all', '307 /', 'nor here'],
    ['/all/%5cevil.test', '307 /%5Cevil.test', 'a backslash stays encoded'],
    ['/all/\evil.test', '307 /%5Cevil.test', 'a raw one becomes so'],
    ['/v?v=/evil.test', '307 /%2Fevil.test', 'a slash in a value does not become one of the path'],
    ['/v?v=\evil.test', '307 /%5Cevil.test', 'nor a backslash'],
    ['/r/%2fevil.test', '404', 'an encoded slash is httpd\'s 404'],
    ['/r/%09/evil.test', '308 /s/%09/evil.test', 'a tab, which browsers drop'],
    ['/all/%09/evil.test', '307 /%09/evil.test', 'and do not drop where it is encoded: directly at the front it is a path of this host'],
    ['/p/@evil.test', '307 https://new.test/q/@evil.test', 'an account stays inside the path'],
    ['/p/.evil.test', '307 https://new.test/q/.evil.test', 'a longer host name, too'],
    ['/p/:80@evil.test', '307 https://new.test/q/:80@evil.test', 'and a port'],
    ['/tree/.evil.test', '307 https://new.test/.evil.test', 'directly behind the authority'],
    ['/tree/@evil.test', '307 https://new.test/@evil.test', 'there is always a slash before it'],
    ['/tree', qr{\A307 https://new\.test/?\z}, 'even where nothing is inserted'],
    ['/end/.evil.test', '307 https://new.test/e.evil.test', 'a tail without a slash before it is inside the path, too'],
    ['/short', '307 https://new.test', 'a target without a path'],
    ['/short?x=@evil.test', qr{\A307 https://new\.test/?\?x=\@evil\.test\z}, 'gets a query and no longer host'],
    (map { ["/short$_", '404', "\"/short$_\" is another path than /short"] } '.evil.test', '@evil.test', 'X', ':80', '%2eevil.test', ';.evil.test'),
    (map { ["/tree$_", '404', "\"/tree$_\" is not below /tree"] } '.evil.test', '@evil.test', 'X'),
    (map { ["/r/${_}evil", '308 /s/' . uc($_) . 'evil', "$_ is bytes and nothing else: some take it for a dot or a slash"] } qw(%e3%80%82 %ef%bc%8f %e2%81%84 %e2%88%95 %ef%bc%8e)),
    (map { my $raw = pack 'H*', s/%//gr; ["/r/${raw}evil", '308 /s/' . uc($_) . 'evil', "and so is $_ when it comes raw"] } qw(%e3%80%82 %ef%bc%8f %e2%81%84 %e2%88%95 %ef%bc%8e)),
    ) {
    gets(@$row);
}
stop();

# Encoded slashes that httpd leaves alone stay encoded; those that it decodes never make a host.
serve_all(conf => "AllowEncodedSlashes NoDecode\n");
gets('/r/%2fevil.test', '308 /s/%2Fevil.test', 'NoDecode: an encoded slash stays encoded');
gets('/all/%2f%2fevil.test', '307 /%2F%2Fevil.test', 'and is no slash at the front');
stop();
inputs_told();
done_testing();
