#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Hostile requests 5: paths that try to look like others, to climb out, to be decoded twice, or to cost too much. How many
# probes the worst of them may cost is counted in the engine's own tests; here is what they get.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Hostile;
use Redir307::Httpd;
use Redir307::Transports;
use Test::More;

rules(<<'END');
/exact    -> /e { slash exact }
/slashed/ -> /s { slash exact }
/nocase   -> /n { case ignore }
/r/*      -> /s/*
/deep/{a...}/end -> /d/{a}
/f/*.ttl  -> /t/*.ttl
/two/{x}-{y}.html -> /w/{x}/{y}
~ "^/re/(?<x>[a-z]+)$" -> /x/{x}
~ "^/slow/(a+)+$" -> /evil
/q?a=1&b=2 -> /qq
site lab.test {
    /old -> https://new.test/n
    /old/below -> https://new.test/below
    /p/* -> https://new.test/q/*
}
END
serve_all();
my $old = '307 https://new.test/n';
my $bad = qr/\A(?:400|RST_STREAM 1)\z/;

for my $target (qw(/./old /././old /a/../old /a/b/../../old /%2e/old /a/%2E%2e/old /a/.%2e/old /a/%2e./old //old ///old /a/..//old /o%6cd /%6f%6c%64 /%6F%6C%64 /old/ /old// /old/. /old/./ /old/b/.. /old? /old?/../x)) {
    my $query = $target =~ /\?(.+)/ ? "?$1" : '';
    gets($target, "$old$query", 'another spelling of /old is not a way around its rule');
}
for my $target (qw(/OLD /Old /oLd /%4fLD /old;v=1 /old%3bv /old; /old;/ /old%20 /old%0a /old%0d%0a /old%09 /old. /old.. /old%2c /old: /old%3a /old* /old%2a /old+ /old%2b /old%7e /old%ff /old%5c /old/x /oldx /ol /old%23 /old%3f /old%3fx
    /old%252f /old%25 /ol%2564 /old%2500 /old/%20 /..;/old /a/..;/old /old/..;/ /.%20/old /%20old /old%c0%af /%c0%aeold /.;/old /;/old /%e2%80%8bold /old%e2%80%8b /old%ef%bb%bf)) {
    gets($target, '404', 'another path is not taken for /old (CVE-2019-10098: nothing ends before a newline)');
}
gets("/old\\", '404', 'nor with a raw backslash');
gets('/old,', '404', 'nor with a comma');
gets("/old\xff", '404', 'nor with a raw byte');
for my $target (qw(/../old /%2e%2e/old /%2e%2e/%2e%2e/old /.%2e/old /a/../../old /a/%2e%2e/%2e%2e/old /old% /old%2 /old%zz /old%0g /old%u0041 /old%-1 /%)) {
    gets($target, qr/\A400/, 'a path that cannot be is refused by httpd');
}
gets('/old#x', qr/\A400/, 'a fragment is never sent');
gets($_, '404', 'a NUL is in no path') for qw(/old%00 /old%00.html /%00old /p/%00 /p/a%00b /r/%00);
gets('/old%2f', '404', 'an encoded slash is httpd\'s 404');
gets('/a/..%2fold', '404', 'and no way up');

# ---- what is left of a path in a target ----

for my $row (
    ['..;/x', '..;/x', 'what some servers take for a way up'], ['%2e%2e;/x', '..;/x', 'encoded'], ['..%3b/x', '..;/x', 'as well'],
    ['%252e%252e/x', '%252e%252e/x', 'a way up that is encoded twice'], ['%252e%252e%252fx', '%252e%252e%252fx', 'with its slash'], ['%25%32%65', '%252e', 'or in parts'],
    ['...', '...', 'three dots'], ['.../', '.../', 'with a slash'], ['..a', '..a', 'dots before a name'], ['a..', 'a..', 'behind one'], ['.a', '.a', 'a hidden name'],
    ['~root', '~root', 'a tilde'], ['%7eroot', '~root', 'encoded'], ['$x', '$x', 'a dollar sign'], ['{x}', '%7Bx%7D', 'what looks like a placeholder'], ['%7bhost%7d', '%7Bhost%7D', 'encoded'], ['*', '*', 'a star'],
    ['a;b=c', 'a;b=c', 'parameters of a segment'], ['a//b', 'a/b', 'an empty segment'], ['a/./b', 'a/b', 'a dot'], ['a/../b', 'b', 'a way up that stays inside'], ['a/', 'a/', 'a slash at the end'],
    ) {
    my ($tail, $left, $name) = @$row;
    gets("/p/$tail", "307 https://new.test/q/$left", $name);
}
gets('/p/../old', $old, 'a way out of /p/ is asked where it leads');
gets('/p/x/../../old', $old, 'from further below, too');
gets('/p/..', '404', 'and out of all rules');

# ---- other shapes ----

gets('/exact', '307 /e', 'slash exact: the path');
gets("/exact$_", '404', "slash exact: not \"/exact$_\"") for '/', '//', '/.', '%0a', '/%0a', ';';
gets('/slashed/', '307 /s', 'slash exact, with a slash');
gets('/slashed', '404', 'and not without');
gets($_, '307 /n', 'case ignore') for qw(/nocase /NOCASE /NoCase/ /%4eocase);
gets($_, '404', 'case ignore is for ASCII letters alone') for "/nocas\xc3\xa9", '/nocase%20', '/%ef%bd%8eocase', '/nocaSe%0a';
gets('/re/abc', '307 /x/abc', 'a regex');
gets("/re/$_", '404', "a regex does not end before \"$_\"") for 'abc%0a', 'abc%0d', '%0aabc', 'abc%0ax', 'ABC', 'abc%00';
gets('/f/a/b.ttl', '307 /t/a/b.ttl', 'a suffix');
gets("/f/a.ttl$_", '404', "nor a suffix before \"$_\"") for '%0a', '%00', ';x', '.html', '%20';
gets('/deep/a/b/end', '307 /d/a/b', 'a part in the middle');
gets('/deep/a/../../x/end', '404', 'does not climb');
gets('/two/a-b.html', '307 /w/a/b', 'two placeholders in a segment');
gets('/two/-b.html', '404', 'neither is empty');
gets('/q?b=2&a=1', '307 /qq', 'parameters in any order');
gets('/q?a=1%26b=2', '404', 'an encoded & separates nothing');
gets('/q?a=1;b=2', '404', 'nor does a semicolon');
gets('/q?a%3d1&b=2', '404', 'an encoded = is none');
gets('/q?%61=%31&b=2', '307 /qq', 'names and values are compared decoded');
gets('/q?a=1&b=2%00', '404', 'to their end');
gets('/q?a=1&b=2%zz', '404', 'and what is no escape is itself');

# ---- much of it ----

# Where no rule answers httpd looks for a file, and finds the name too long.

my $long = 8000;
for my $row (
    ['a segment of 8000 bytes', '/p/' . 'a' x $long, '307 https://new.test/q/' . 'a' x $long],
    ['4000 slashes', '/p' . '/' x 4000 . 'x', '307 https://new.test/q/x'],
    ['4000 segments', '/p' . '/a' x 3990, '307 https://new.test/q' . '/a' x 3990],
    ['4000 segments without a rule', '/n' . '/a' x 3990, '403'],
    ['4000 dot segments', '/p' . '/.' x 3990 . '/x', '307 https://new.test/q/x'],
    ['2000 ways up', '/p/a' . '/a/..' x 1500, '307 https://new.test/q/a/'],
    ['2600 encoded line ends', '/r/' . '%0a' x 2600, '307 /s/' . '%0A' x 2600],
    ['2600 encoded letters', '/r/' . '%61' x 2600, '307 /s/' . 'a' x 2600],
    ['4000 parameters', '/p/x?' . 'a&' x 3990, '307 https://new.test/q/x?' . 'a&' x 3989 . 'a'],
    ['4000 & alone', '/p/x?' . '&' x 8000, '307 https://new.test/q/x'],
    ['2000 parameters of the rule', '/q?' . 'a=1&' x 1990 . 'b=2', '404'],
    ['100 of them', '/q?' . 'a=1&' x 100 . 'b=2', '307 /qq'],
    ['a suffix behind 3990 segments', '/f' . '/a' x 3990 . '.ttl', '307 /t' . '/a' x 3990 . '.ttl'],
    ['no suffix behind as many', '/f' . '/a' x 3990 . '.tt', '403'],
    ['an end behind 3900 segments', '/deep' . '/end' x 1900, '307 /d' . '/end' x 1899],
    ['no end behind 3900 segments', '/deep' . '/a' x 3900, '403'],
    ['two placeholders and 8000 hyphens', '/two/' . '-' x 7900 . '.html', '403'],
    ['a regex that would backtrack for ever', '/slow/' . 'a' x 7000 . '!', '403'],
    ['with little to go back over', '/slow/' . 'a' x 40 . '!', '404'],
    ) {
    my ($name, $target, $wanted) = @$row;
    gets($target, $wanted, $name);
}
gets('/p/' . 'a' x 8300, qr/\A(?:414|RST_STREAM \d+)/, 'a longer target is httpd\'s 414');
is(log_count(qr/AH00052|exit signal/), 0, 'no child ended by a signal');
announce(qr/AH10244: invalid URI path/, qr/File name too long.*AH00127/);
stop();

# ---- slashes as an administrator may set them ----

serve_all(conf => "AllowEncodedSlashes NoDecode\n");
gets('/a%2f..%2fold', '404', 'NoDecode: an encoded slash is no separator');
gets('/old%2f', '404', 'nor an end');
gets('/p/%2e%2e%2fold', '307 https://new.test/q/..%2Fold', 'nor a way up');
gets('/p/%2f', '307 https://new.test/q/%2F', 'it stays encoded');
gets('/p%2fx', '404', 'and does not stand for a fixed one');
stop();
serve_all(conf => "AllowEncodedSlashes On\n");
gets('/p%2fx', '404', 'On: what httpd decodes for itself is still no slash of ours');
gets('/p/%2e%2e%2fold', '307 https://new.test/q/..%2Fold', 'nor a way up to a rule that was not asked for');
stop();
inputs_told();
done_testing();
