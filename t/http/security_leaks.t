#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Hostile requests 9: load and leaks. No request costs more because of what it asks, none makes the log lie, and nobody
# learns from an answer where rules lie or lead. What a request may cost at worst is counted in t/cli/hostile.t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Damage;
use Redir307::Hostile;
use Redir307::Httpd;
use Redir307::Transports;
use Test::More;

my $secret = 'secret-5f2a';
my $rules = <<"END";
/old    -> https://new.test/$secret { note "a note for us"; owner "team" }
/ck     -> /c { when cookie session = "$secret" }
/auth   -> /c { when header Authorization = "Bearer $secret" }
/h      -> /c { when header X-Token = "$secret" }
/p/*    -> https://new.test/q/*
/long/* -> https://new.test/@{['x' x 500]}/*
/g      gone
~ "^/slow/(a+)+\$" -> /evil
END
my $path = rules($rules);
my $good = read_file($path);
my @secrets = (Cookie => "session=$secret", Authorization => "Bearer $secret", 'X-Token' => $secret, 'Proxy-Authorization' => "Basic $secret");

# ---- the log tells no lies ----

my @bytes = map { sprintf '%02x', $_ } 1 .. 31, 34, 39, 92, 127, 128, 155, 255;
my $format = 'LogFormat "%r|%>s|%{REDIR307_RULE}e|%{redir307}n" rules' . "\nCustomLog \"@{[folder()]}/access.log\" rules\n";
for my $level ('info', 'info redir307:trace3') {
    serve_all(loglevel => $level, conf => "Redir307Watch 1s\n$format");
    for my $byte (@bytes) {
        gets("/p/a%${byte}b", qr{\A307 }, "$level: byte $byte in a path");
        gets("/none/a%${byte}b?q=%$byte", '404', "$level: byte $byte where no rule is");
    }
    gets("/p/\xff\xfe", '307 https://new.test/q/%FF%FE', "$level: raw bytes");
    gets('/p/%0a[Sat%20Nov%2021%2000:00:00%202026]%20[core:error]%20AH00052:%20child%20died', qr/\A307 /, "$level: a path that looks like a line of the log");
    gets('/p/"; rm -rf / #' =~ s/ /%20/gr =~ s/#/%23/r, qr/\A307 /, "$level: a path that looks like a command");
    gets('/p/%25s%25n%25p%25x', '307 https://new.test/q/%25s%25n%25p%25x', "$level: a path that looks like a format");
    gets('/long/' . '%0a' x 2600, '414', "$level: a Location that would be too long, of line ends");
    gets('/' . '%1b[31m' x 500, qr/\A40[34]\z/, "$level: escapes of a terminal");
    gets($_, qr/\A(?:307 \/c|404)\z/, "$level: what a rule asks for in secret", @secrets) for '/ck', '/auth', '/h';
    gets('/ck', '404', "$level: another cookie", Cookie => 'session=other-7c1b');
    gets('/slow/' . 'a' x 40 . '!', '404', "$level: a regex that would go back for ever");
    my @log = split /\n/, read_file('error.log');
    is(scalar(grep { /[^\x20-\x7e]/ } @log), 0, "$level: no byte of a request stands raw in the error log");
    is(scalar(grep { !/\A\[\w{3} \w{3} \d\d [\d:.]+ \d{4}\] \[\w*:\w+\] / } @log), 0, "$level: each line is httpd's own");
    is(scalar(grep { /\Q$secret\E|other-7c1b/ } @log), 0, "$level: no cookie, no Authorization");
    is(scalar(grep { /[^\x20-\x7e]/ } split /\n/, read_file('access.log')), 0, "$level: nor in the access log");
    if ($level eq 'info') {
        my @ours = grep { /\[redir307:/ } @log;
        my @too_long = grep { /R307-907/ } @ours;
        my @ways = transports();
        is(@ours - @too_long, 1, 'at level info we write one line, about the file');
        is(scalar @too_long, scalar @ways, 'and one for each 414');
        is(scalar(grep { length > 400 } @too_long), 0, 'of fixed length, whatever was asked');
    }
    # The trace of a request is not a warning, whatever the request looks like.
    announce(qr/File name too long.*AH00(?:036|127)/, qr/\[redir307:trace3\]/);
    stop();
}

# A swap is one line, however many look and ask.
serve(children => 2, watch => '50ms');
put_bytes($path, read_file(compile_rules('swapped', "$rules/new -> /n\n")));
ok(reload_waits(sub { my $all = 1; for (1 .. 6) { $all &&= request('GET', '/new')->status == 307 } $all }), 'a swap');
request('GET', '/p/x') for 1 .. 50;
is(log_count(qr/R307-901/), 2, 'one line for the file of the start, one for the swap');
stop();
put_bytes($path, $good);

# ---- nobody learns what the rules are ----

my $status = "<Location \"/st\">\nSetHandler redir307-status\n</Location>\n";
serve_all(conf => $status);
gets('/old', "307 https://new.test/$secret", 'a rule');
for my $as ('', '?json', '?prometheus', '?top=100&json', '?top=1000000', '?json&top=-1', '?<script>', '?' . 'x' x 4000, '?json=%00') {
    my $pages = gets("/st$as", '200', 'the status page');
    for my $by (sort keys %$pages) {
        unlike($pages->{$by}->body, qr/\Q$secret\E|new\.test/, "$by: lists no target");
        unlike($pages->{$by}->text, qr/<script/i, "$by: and echoes nothing of the request");
    }
}
asks('POST', '/st', '405', 'nothing can be changed by it', body => 'x=1');
asks('DELETE', '/st', '405', 'or taken away');
for my $target ('/none', '/p/x', '/g', '/p/%00', '/../x', '/p/' . 'a' x 8300, '/long/' . '%0a' x 2600) {
    my $answers = gets($target, qr/\A(?:30|4)\d/, 'an answer');
    for my $by (sort keys %$answers) {
        unlike($answers->{$by}->text, qr/\Q@{[folder()]}\E|\.r307|\.redir|rules\.redir|redir307|R307-|a note for us|team/i, "$by: names no file, no rule and not us");
    }
}
announce(qr/AH10244: invalid URI path/);
stop();

# The sample that is installed keeps the page to this machine.
my $sample = read_file(Redir307::Httpd::source_folder() . '/conf/redir307.conf');
like($sample, qr/SetHandler redir307-status\s*\n\s*Require local/, 'the sample configuration has the page behind "Require local"');
if (has_module('remoteip')) {
    serve_all(modules => [qw(authz_host remoteip)], conf => "RemoteIPHeader X-Client\nRemoteIPInternalProxy 127.0.0.1\n$sample");
    gets('/redir307-status', '200', 'this machine');
    gets('/redir307-status', '403', 'another', 'X-Client' => '198.51.100.7');
    announce(qr/AH01630|AH10633/);
    stop();
}

# A bad file, and one whose bytes are changed where it lies, are no reason to show where it is.
put_bytes($path, 'bad');
announce(qr/R307-903/);
serve_all(conf => "Redir307OnBadFile pass\n$status");
for my $target ('/old', '/none') {
    my $answers = gets($target, '404', 'with a bad file');
    unlike($answers->{$_}->text, qr/\Q@{[folder()]}\E|r307/, "$_: no answer names it") for sort keys %$answers;
}
announce(qr/R307-903/);
stop();

# ---- a file that was written by somebody who means harm ----

# Whoever can write the file can choose targets; a response is whole all the same, and the bytes that make it are checked
# when they are used, for they can change under us. The text in place, what is made of it, what is asked, what may come.
put_bytes($path, read_file(compile_rules('crafted', <<'END')));
/a   -> /tttttttttttt { header X-Team "vvvvvvvvvvvvvvvv" }
/p/* -> https://new.test/qqqqqqqqqqqqqqqq/*
/l   451 { blocked-by https://law.test/xxxxxxxxxxxxxxxx }
/v   -> /y { vary X-Vary-Me-Please; when env X }
END
$good = read_file($path);
serve_all(conf => "Redir307Watch off\n");
gets('/a', '307 /tttttttttttt', 'before the file is changed');
for my $row (
    ['tttttttttttt', "t\r\nX-Evil: 1", '/a'], ['tttttttttttt', "t\nX-Evil: 1a", '/a'], ['tttttttttttt', "t\r\n\r\n<html>", '/a'], ['tttttttttttt', "\r\n X-Evil: 1", '/a'], ['tttttttttttt', "t\0ttttttttt\xff", '/a'],
    ['tttttttttttt', '/evil.test/t', '/a'], ['tttttttttttt', '\evil.test/t', '/a'], ['tttttttttttt', "\t/evil.tes/", '/a'], ['tttttttttttt', 't<script>"ab', '/a'], ['tttttttttttt', "t t t t t t ", '/a'],
    ['vvvvvvvvvvvvvvvv', "v\r\nX-Evil: 1aaaa", '/a'], ['vvvvvvvvvvvvvvvv', "v\nX-Evil: 1aaaaa", '/a'], ['vvvvvvvvvvvvvvvv', "v\0vvvvvvvvvvvvvv", '/a'], ['vvvvvvvvvvvvvvvv', "\r\n\r\n<script>aaaa", '/a'],
    ['X-Team', "X Team", '/a'], ['X-Team', "X\r\nA:", '/a'], ['X-Team', "X:Team", '/a'], ['X-Team', "X-Te\xff\xff", '/a'], ['X-Team', "\0-Team", '/a'],
    ['qqqqqqqqqqqqqqqq', "q\r\nX-Evil: 1aaaa", '/p/x'], ['https://new.test', 'javascript:aaaaa', '/p/x'], ['https://new.test', 'data:text/html,a', '/p/x'], ['https://new.test', "https:\r\nX-Evil:", '/p/x'], ['https://new.test', '//evil.test/a/aa', '/p/x'],
    ['xxxxxxxxxxxxxxxx', ">\r\nX-Evil: 1aaaa", '/l'], ['X-Vary-Me-Please', "X\r\nX-Evil: 1aaa", '/v'], ['X-Vary-Me-Please', "X\0Vary\xffMe Please", '/v'],
    ) {
    my ($text, $harm, $target) = @$row;
    $harm .= 'a' x (length($text) - length $harm);
    (my $bytes = $good) =~ s/\Q$text\E/$harm/g or die "no \"$text\" in the file";
    open my $file, '+<:raw', $path or die "$path: $!";
    syswrite $file, $bytes;
    close $file;
    my $answers = gets($target, qr{\A(?:404|451|307 /[!-~]*|307 https://new\.test/[!-~]*)\z}, "\"$harm\" in the place of \"$text\"");
    unlike($answers->{$_}->head, qr/^(?:X:?Team|X Team)/m, "$_: no field of an odd name") for sort keys %$answers;
}
is(log_count(qr/AH02429|AH02430/), 0, 'httpd\'s own check had nothing to refuse');
is(log_count(qr/AH00052|exit signal/), 0, 'and no child died');
stop();
inputs_told();
done_testing();
