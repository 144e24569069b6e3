#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Hostile requests 1: bytes that try to get into a Location. They would split the response (CVE-2023-25690), start a
# query or a fragment (CVE-2024-38474), become markup in the note, or be decoded or encoded twice.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Hostile;
use Redir307::Httpd;
use Redir307::Transports;
use Test::More;

rules(<<'END');
/seg/{x}/e     -> /t/{x}/e
/name/{x}.html -> /n/{x}
/into-path?v={v}  -> /w/{v}/e
/into-query?v={v} -> /w?k={v}
/whole         -> /z?all={query}
/raw           -> /z?{query}
/path/*        -> /z?p={path}
/fragment/*    -> /f/*#part
/own?k=v       -> /owned?x=1
/qown          -> /q?k=v
/qdrop         -> /q?k=v { query drop }
/long/*        -> https://long.example/and/some/more/of/it/*
/ck -> by cookie c { a /ca; otherwise /co }
~ "^/re/(?<x>.+)$" -> /rx/{x}
site lab.test {
    /old  -> https://new.test/n
    /p/*  -> https://new.test/q/*
    /here/* -> https://{host}/h/*
}
END
origins('https://new.test', 'https://lab.test', 'https://long.example');
serve_all();
my $q = 'https://new.test/q';

# ---- a path's bytes: [after /p/, after the target's /q/, what it would be] ----

for my $row (
    ['%0d%0aSet-Cookie:x=1', '%0D%0ASet-Cookie:x=1', 'a line end would start a field of the client\'s'],
    ['%0D%0aX-Injected:y%0d%0A%0D%0a<script>', '%0D%0AX-Injected:y%0D%0A%0D%0A%3Cscript%3E', 'two would start the body'],
    ['%0a', '%0A', 'a line feed alone'],
    ['%0d', '%0D', 'a carriage return alone'],
    ['%0d%0a%20fold', '%0D%0A%20fold', 'a line that goes on behind a blank, which httpd\'s own check lets through'],
    ['%0d%0a%09fold', '%0D%0A%09fold', 'or behind a tab'],
    (map { ["%$_", "%\U$_", "control byte $_: httpd\'s check would make it a 500 or a reset stream"] } map { sprintf '%02x', $_ } 1 .. 31, 127),
    ['a%09%7f%01%1bz', 'a%09%7F%01%1Bz', 'several of them'],
    ['%ff', '%FF', 'a byte that is no UTF-8'],
    ['%c0%ae%c0%ae/', '%C0%AE%C0%AE/', 'an overlong "..", which a lenient client would decode'],
    ['%c3%a9t%c3%a9', '%C3%A9t%C3%A9', 'encoded UTF-8'],
    ["\xff", '%FF', 'a raw byte that is no UTF-8'],
    ["\xc0\xae\xc0\xae/x", '%C0%AE%C0%AE/x', 'a raw overlong ".."'],
    ["\xc3\xa9t\xc3\xa9", '%C3%A9t%C3%A9', 'raw UTF-8'],
    ["\x80\x9f\xa0", '%80%9F%A0', 'raw bytes that some take for control bytes'],
    ['%3Fa=b', '%3Fa=b', 'an encoded question mark would start a query'],
    ['%3fa=b%26c=d', '%3Fa=b&c=d', 'with parameters of the client\'s'],
    ['%23x', '%23x', 'an encoded # would start a fragment'],
    ['%25', '%25', 'an encoded percent sign'],
    ['%2541', '%2541', 'what is encoded twice is neither decoded nor encoded once more'],
    ['%252525', '%252525', 'nor what is encoded three times'],
    ['%250d%250aSet-Cookie:x', '%250d%250aSet-Cookie:x', 'a line end that is encoded twice'],
    ['"><script>', '%22%3E%3Cscript%3E', 'raw markup would stand in the note'],
    ['%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E', undef, 'encoded markup with an encoded slash is httpd\'s 404'],
    ['%22%3E%3Cscript%3Ealert(1)', '%22%3E%3Cscript%3Ealert(1)', 'encoded markup would'],
    ["'onmouseover='x", "'onmouseover='x", 'a single quote ends no attribute of the note'],
    ['%27%20onmouseover=%27x', "'%20onmouseover='x", 'nor an encoded one'],
    ['&lt;script&gt;', '&lt;script&gt;', 'an entity stays what it is'],
    ['a%5cb', 'a%5Cb', 'an encoded backslash, which browsers take for a slash'],
    ['a\b', 'a%5Cb', 'a raw one'],
    ['{x}|^', '%7Bx%7D%7C%5E', 'bytes that may not stand in a URI'],
    ['`', '%60', 'a backtick'],
    ['<>"', '%3C%3E%22', 'angle brackets and quotes'],
    ['a%20b', 'a%20b', 'a space stays %20'],
    ['a+b', 'a+b', 'and a plus sign stays one'],
    ['[x]', '%5Bx%5D', 'brackets'],
    ) {
    my ($tail, $shown, $name) = @$row;
    gets("/p/$tail", defined $shown ? "307 $q/$shown" : '404', $name);
}
my $notes = gets('/p/%22%3E%3Cscript%3Ealert(1)%26', "307 $q/%22%3E%3Cscript%3Ealert(1)&", 'the note');
for my $by (sort keys %$notes) {
    like($notes->{$by}->body, qr{<a href="https://new\.test/q/%22%3E%3Cscript%3Ealert\(1\)&amp;">here</a>}, "$by: shows the Location escaped for HTML");
}

# Raw bytes that may not stand in a request target never reach a rule, over HTTP/2 least of all.
for my $byte (0, 1, 8, 9, 10, 11, 13, 27, 31, 32, 127) {
    gets("/p/a" . chr($byte) . "X-Injected:y", qr/\A(?:400|RST_STREAM 1|no answer|307 https:\/\/new\.test\/q\/a\z)/, sprintf('a raw byte %02x', $byte));
}
# Over HTTP/1.1 that is a request of HTTP/0.9 for /p/a, without a host: httpd answers by a page and no head.
gets("/p/a\r\nX-Injected: y", { 'HTTP/1.1' => qr/\A<!DOCTYPE.*404 Not Found/s, 'HTTP/2' => qr/\ARST_STREAM 1/ }, 'a raw line end');

# ---- where else bytes of a request are inserted ----

for my $row (
    ['/seg/%0d%0aX-Injected:y/e', '/t/%0D%0AX-Injected:y/e', 'a placeholder of one segment'],
    ['/seg/%3fa=b/e', '/t/%3Fa=b/e', 'starts no query'],
    ['/seg/%23/e', '/t/%23/e', 'and no fragment'],
    ['/seg/..;/e', '/t/..;/e', 'and is no way up'],
    ['/name/%0a.html', '/n/%0A', 'a placeholder beside a fixed part'],
    ['/re/%0d%0aSet-Cookie:x/y', '/rx/%0D%0ASet-Cookie:x/y', 'what a regex took (CVE-2019-10098, CVE-2020-1927)'],
    ['/re/%3fa', '/rx/%3Fa', 'starts no query either (CVE-2024-38474)'],
    ['/into-path?v=a/b', '/w/a%2Fb/e', 'a query value in a path stays one segment'],
    ['/into-path?v=a%2Fb', '/w/a%2Fb/e', 'encoded as well'],
    ['/into-path?v=a?b%23c', '/w/a%3Fb%23c/e', 'with ? and #'],
    ['/into-path?v=%0d%0aX-Injected:y', '/w/%0D%0AX-Injected:y/e', 'and line ends'],
    ['/into-path?v=@evil.test', '/w/@evil.test/e', 'and an @'],
    ['/into-path?v=a+b', '/w/a%20b/e', 'and a plus sign, which is a space there'],
    ['/into-query?v=a%26b=c', '/w?k=a%26b%3Dc', 'a query value stays one value'],
    ['/into-query?v=a%23b', '/w?k=a%23b', 'without a fragment'],
    ['/into-query?v=a%2Bb', '/w?k=a%2Bb', 'a plus sign stays one'],
    ['/into-query?v=%0d%0aX-Injected:y', '/w?k=%0D%0AX-Injected:y', 'and line ends stay encoded'],
    ['/path/%26a=b%23', '/z?p=/path/%26a%3Db%23', 'a path in a query stays one value'],
    ['/whole?a=b&c=d', '/z?all=a%3Db%26c%3Dd', 'a whole query in a value stays one value'],
    ['/raw?a=%0d%0aX-Injected:y', '/z?a=%0d%0aX-Injected:y', 'a whole query goes on as it came'],
    ["/raw?a=\xff\"<>", '/z?a=%FF%22%3C%3E', 'but for bytes that may not stand'],
    ['/fragment/x%23y', '/f/x%23y#part', 'one fragment: the rule\'s'],
    ) {
    my ($target, $location, $name) = @$row;
    gets($target, "307 $location", $name);
}
gets('/here/x', '307 https://lab.test/h/x', 'a host in a target is one that the rules name');
gets('/here/x', '404', 'another is not', Host => 'evil.test');

# ---- the query ----

gets('/p/x?a=%0d%0aX-Injected:y', "307 $q/x?a=%0d%0aX-Injected:y", 'a query is not decoded');
gets('/p/x?%00%0a%0d%7f', "307 $q/x?%00%0a%0d%7f", 'whatever it encodes');
gets("/p/x?a=\xff", "307 $q/x?a=%FF", 'a raw byte is encoded');
gets("/p/x?\xc3\xa9=\x80", "307 $q/x?%C3%A9=%80", 'in names, too');
gets('/p/x?a="<>\^`{|}', "307 $q/x?a=%22%3C%3E%5C%5E%60%7B%7C%7D", 'and so are bytes that may not stand');
gets('/p/x?"><script>', "307 $q/x?%22%3E%3Cscript%3E", 'markup');
gets('/p/x?', "307 $q/x", 'a bare question mark is dropped');
gets('/p/x??a', "307 $q/x??a", 'a second one is a byte of the query');
gets('/qown?a=b', '307 /q?k=v&a=b', 'a target with a query gets the request\'s behind it: never two question marks');
gets('/qown?', '307 /q?k=v', 'and no bare & ');
gets('/qown?k=w&a=b', '307 /q?k=v&a=b', 'a parameter of the target cannot be overridden');
gets('/qown?%6b=w', '307 /q?k=v', 'nor when its name is encoded');
gets('/qdrop?a=b', '307 /q?k=v', 'query drop');
gets('/own?k=v&a=b', '307 /owned?x=1&a=b', 'what the source consumed is gone');
gets('/ck', '307 /co', 'a cookie\'s value chooses a target and never becomes one', Cookie => 'c=//evil.test/%0d%0aX-Injected:y?@');

# ---- too long ----

gets('/long/' . '%0a' x 2720, '414', 'a Location of more than 8 KiB is not cut short');
gets('/p/' . '%0a' x 2700, "307 $q/" . '%0A' x 2700, 'the longest path of encoded bytes');
gets('/p/' . '"' x 8000, '414', 'bytes that grow threefold');
gets('/p/' . "\xff" x 2720, "307 $q/" . '%FF' x 2720, 'as far as they fit');
gets('/p/' . 'a' x 8000, "307 $q/" . 'a' x 8000, 'a long path');
my @transports = transports();
is(log_count(qr/R307-907.*would have over 8192 bytes/), 2 * @transports, 'each 414 is logged with its rule');

# httpd's own check of headers is a net that nothing of ours may ever fall into.
is(log_count(qr/AH02430/), 0, 'httpd\'s own check found nothing to refuse in an answer');
stop();
inputs_told();
done_testing();
