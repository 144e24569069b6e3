#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What the logs tell: which rule it was in the access log, and at trace3 how it was found, in the words of
# `rulec explain`.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Httpd;
use Test::More;

rules(<<'END');
/a -> /b
/a/{x} -> /c
/a/* -> /d/*
/a/secret pass
/form -> /f { when method POST }
/form -> /g { when method PUT }
/gone gone
END
write_file('html/gone.html', 'gone');
my $format = 'LogFormat "%r|%>s|%{REDIR307_RULE}e|%{redir307}n" rules' . "\nCustomLog \"@{[folder()]}/access.log\" rules\n";
serve(conf => $format, loglevel => 'info redir307:trace3');

redirects('GET', '/a', 307, '/b', 'an exact rule');
redirects('POST', '/a/x?q=1', 307, '/c?q=1', 'a placeholder');
leaves('GET', '/a/secret', 'an exception');
leaves('GET', '/nothing', 'no rule');
leaves('GET', '/form', 'a rule whose condition does not hold');
answers('GET', '/gone', 410, 'a rule without a target');
leaves('GET', '/nothing%0a%1b[31m', 'a path with control bytes');

# ---- the access log ----

my @access = split /\n/, read_file('access.log');
is($access[0], 'GET /a HTTP/1.1|307|rules.redir:1|rules.redir:1', 'the rule by its file and line');
is($access[1], 'POST /a/x?q=1 HTTP/1.1|307|rules.redir:2|rules.redir:2', 'of each answer');
is($access[2], 'GET /a/secret HTTP/1.1|404|rules.redir:4|rules.redir:4', 'a pass rule is told, too');
is($access[3], 'GET /nothing HTTP/1.1|404|-|-', 'where no rule was, there is nothing');
is($access[5], 'GET /gone HTTP/1.1|410|rules.redir:7|rules.redir:7', 'an answer without a target');

# ---- trace3 ----

my @trace = map { m{\[redir307:trace3\].*?\[client [^]]*\] (.*)} ? $1 : () } split /\n/, read_file('error.log');
my $text = join "\n", @trace;
like($text, qr{^GET http://lab\.test/a\n(?:  .*\n)*  rules\.redir:1: answers\n-> 307 /b by rules\.redir:1$}m, 'a decision line by line');
like($text, qr{^POST http://lab\.test/a/x\?q=1\n(?:  .*\n)*  rules\.redir:2: answers\n-> 307 /c\?q=1 by rules\.redir:2$}m, 'of each request');
like($text, qr{^  rules\.redir:4: passes the request on\n-> passed on by rules\.redir:4$}m, 'an exception');
like($text, qr{^GET http://lab\.test/nothing\n-> passed on: no rule$}m, 'no rule');
like($text, qr{^GET http://lab\.test/form\n  rules\.redir:5: (?!answers).+\n  rules\.redir:6: (?!answers).+\n-> passed on: no rule$}m,
    'rules that lost, and why');
like($text, qr{^-> 410 by rules\.redir:7$}m, 'an answer without a target');
unlike(read_file('error.log'), qr/[\x00-\x09\x0b-\x1f\x7f]/, 'no control byte of a request reaches the log');

# ---- the same words as rulec's ----

my ($status, $explained) = Redir307::Httpd::run($Redir307::Httpd::rulec_path, 'explain', folder() . '/rules.r307', 'GET', 'http://lab.test/form');
for my $line (grep { /^  rules\.redir:[56]: / } @trace) {
    my ($words) = $line =~ /^  (.*)/;
    like($explained, qr/\Q$words\E/, "rulec explain says \"$words\", too");
}
stop();

serve(conf => $format);
request('GET', '/a') for 1 .. 5;
is(log_count(qr/redir307:trace3/), 0, 'nothing of this without trace3');
is(log_count(qr/\[redir307:/), 1, 'at level info one line about the file, none about requests');
stop();

# ---- an error page of our own: the variable has another name there ----

serve(modules => ['dir'], conf => "ErrorDocument 410 /gone.html\n"
    . "LogFormat \"%>s|%{REDIRECT_REDIR307_RULE}e|%<{redir307}n\" rules\nCustomLog \"@{[folder()]}/error-page.log\" rules\n");
like(answers('GET', '/gone', 410, 'gone with a page of our own')->body, qr/gone/, 'which is shown');
is(read_file('error-page.log'), "410|rules.redir:7|rules.redir:7\n", 'the documented names for the access log of an error page');
stop();

# ---- a Location that would be too long ----

rules("/long/* -> https://long.example/@{['x' x 500]}/*\n/p/* -> /q/*\n");
serve();
my $path = '/long/' . '%0a' x 2600;
my $answer = request('GET', $path);
is($answer->status, 414, 'a Location of more than 8 KiB is not sent');
is($answer->field('Location'), undef, 'nor cut short');
log_like(qr/redir307:info.*R307-907.*rules\.redir:1.*8192 bytes/, 'but told');
stop();
done_testing();
