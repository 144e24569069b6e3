#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A rule file that is damaged where it lies, under a server that has it mapped: what rulec never does, and what a `cp`
# over a live file, a full disk or a bad one does. Answers may be missing or old; no child may die or hang, and none may
# send what is no answer. REDIR307_SEED: the same damages once more.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Damage;
use Redir307::Httpd;
use Test::More;

my $seed = $ENV{REDIR307_SEED} // 307;
srand $seed;
note("REDIR307_SEED=$seed");

my $count = 20_000;
my $rules = join '', map { "/old/$_/page -> /new/$_\n" } 1 .. $count;
my $good = read_file(compile_rules('good', <<"END"));
${rules}/sub/* -> /below/*
/item/{id:int} -> /product/{id} { when header X-Beta }
/q?id={i} -> /find/{i}
/lang/{l:en|de} -> https://{l}.example/
~ "^/re/(?<id>[0-9]+)(?:-x)?\$" -> /r/{id}
/gone gone { header X-Team "web"; note "why" }
/choice -> by accept {
    text/turtle /a.ttl
    text/html otherwise /a.html
} see-other
site *.wild.test { /a/{x...} -> /b/{x} permanent }
END
my $path = folder() . '/rules.r307';

sub some_target {
    my @targets = ('/old/' . (1 + int rand $count) . '/page', '/sub/' . int(rand 100), '/item/' . int(rand 100), '/q?id=' . int(rand 9), '/lang/de', '/re/7-x', '/gone',
        '/choice', '/a/b/c', '/nothing/' . int(rand 1000));
    return $targets[rand @targets];
}

# Asks for this and that; what is wrong with the answers, if anything.
sub ask {
    my ($times) = @_;
    my $wrong = '';
    for (1 .. $times) {
        my $target = some_target();
        my $response = request('GET', $target, Host => rand() < 0.3 ? 'x.wild.test' : 'lab.test', 'X-Beta' => 1, Accept => 'text/turtle');
        my $location = $response->field('Location') // '';
        $wrong .= "$target: " . $response->status . " $location\n"
            if $response->status !~ /^(?:30[12378]|40[346]|41[04]|451|503)$/ || $location =~ m{[^\x21-\x7e]|^//} || $response->fields('Location') > 1;
    }
    return $wrong;
}

# ---- cut short in place ----

put_bytes($path, $good);
serve(threads => 4);
is(request('GET', '/old/77/page')->field('Location'), '/new/77', 'before the damage');
my @children = children();
for my $left (0, 1, 2048, 4096, 4097, 3 * 4096 + 100, int(length($good) / 3), int(length($good) / 2), length($good) - 4096, length($good) - 1) {
    put_bytes($path, $good);
    is(request('GET', '/old/77/page')->field('Location'), '/new/77', "a good file, of which then $left bytes are left");
    truncate $path, $left or die "$path: $!";
    is(ask(40), '', 'every answer is one');
    is(join(' ', children()), join(' ', @children), 'and no child dies');
}
put_bytes($path, $good);
is(request('GET', '/old/77/page')->field('Location'), '/new/77', 'the next good file answers again');
announce(qr/R307-90[23]/);
is(log_count(qr/R307-902.*the rules that were loaded before stay/), 1, 'rules stay where only the padding behind them was lost');
is(log_count(qr/R307-903/), 9, 'and damaged ones never do');
stop();

# ---- written over in place, and seen ----

my @overwritings = (
    ['a byte of a rule', sub { sysseek $_[0], 3 * length($good) / 4, 0; syswrite $_[0], "\xff" }],
    ['everything but the first page', sub { sysseek $_[0], 4096, 0; syswrite $_[0], "\xff" x (length($good) - 4096) }],
    ['the first page', sub { syswrite $_[0], 'x' x 4096 }],
);
put_bytes($path, $good);
serve(threads => 4);
@children = children();
for my $overwriting (@overwritings) {
    my ($what, $write) = @$overwriting;
    put_bytes($path, $good);
    redirects('GET', '/old/77/page', 307, '/new/77', "a good file, in which $what is written over");
    open my $file, '+<:raw', $path or die "$path: $!";
    $write->($file);
    close $file;
    leaves('GET', '/old/77/page', 'damaged rules do not answer');
    put_bytes($path, 'bad');
    leaves('GET', '/old/77/page', 'nor does a bad file bring them back');
}
put_bytes($path, $good);
redirects('GET', '/old/77/page', 307, '/new/77', 'the next good file does');
my $before = log_count(qr/R307-902/);
append_file($path, "\0");
redirects('GET', '/old/77/page', 307, '/new/77', 'a byte behind the end takes no rule away');
is(log_count(qr/R307-902.*longer.*the rules that were loaded before stay/), $before + 1, 'and is told as any bad file');
is(join(' ', children()), join(' ', @children), 'no child died');
announce(qr/R307-90[23]/);
stop();

# ---- written over in place, and nobody looks ----

put_bytes($path, $good);
serve(threads => 4, watch => 'off');
request('GET', '/old/77/page');
@children = children();
for my $round (1 .. 12) {
    open my $file, '+<:raw', $path or die "$path: $!";
    for (1 .. $round * 40) {
        # Ever more bytes, half of them in the first pages, where the tables are.
        sysseek $file, int(rand(rand() < 0.5 ? 65536 : length $good)), 0;
        syswrite $file, $round % 3 ? chr(int rand 256) x (1 + int rand 8) : "\xff" x 64;
    }
    close $file;
    is(ask(60), '', "damage $round: every answer is one");
    is(join(' ', children()), join(' ', @children), 'and no child dies');
}
for my $bytes ("\0" x length $good, "\xff" x length $good, join('', map { chr int rand 256 } 1 .. length $good)) {
    open my $file, '+<:raw', $path or die "$path: $!";
    syswrite $file, $bytes;
    close $file;
    is(ask(60), '', 'a file of ' . sprintf('%02x', ord $bytes) . '...: every answer is one');
    is(join(' ', children()), join(' ', @children), 'and no child dies');
}
is(log_count(qr/AH00052|exit signal/), 0, 'no child ended by a signal');
stop();
done_testing();
