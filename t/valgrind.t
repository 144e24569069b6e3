#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# One pass under valgrind's memcheck: httpd with the module through requests of every kind, swaps, faults and restarts, and
# rulec through its subcommands. No read or write outside, no use of what was never set, nothing of ours left behind.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Redir307::Damage;
use Redir307::Httpd;
use Test::More;

plan(skip_all => 'a sanitizer is at work') if $ENV{REDIR307_PRELOAD};
my ($valgrind) = grep { -x } map { "$_/valgrind" } split /:/, $ENV{PATH};
plan(skip_all => 'no valgrind') if !$valgrind;

# Children run as another user where httpd is started by root.
my $reports = folder() . '/reports';
mkdir $reports or die $!;
chmod 01777, $reports;
# All registers: a fault that the SIGBUS guard heals goes on where it was, with what was in them.
my @valgrind = ($valgrind, '--quiet', '--vex-iropt-register-updates=allregs-at-mem-access', '--leak-check=full', '--show-leak-kinds=definite', '--errors-for-leak-kinds=definite',
    '--num-callers=30', "--log-file=$reports/%p", '--child-silent-after-fork=no');

# What was reported since the last time; with --quiet an error alone makes a file grow.
sub nothing_is_reported {
    my ($name) = @_;
    my @told = grep { -s } glob "$reports/*";
    is(scalar @told, 0, "$name: memcheck has nothing to say") or diag(map { substr read_file($_), 0, 6000 } @told[0 .. ($#told < 2 ? $#told : 2)]);
    unlink glob "$reports/*";
    return;
}

my $text = <<'END';
/a -> /b
/tree/* -> /t/*
/item/{id:int} -> /product/{id} { when header X-Beta }
/q?id={i} -> /find/{i}
/lang/{l:en|de} -> https://{l}.example/
~ "^/re/(?<id>[0-9]+)(?:-x)?$" -> /r/{id}
/gone gone { header X-Team "web"; note "why" }
/window -> /w { from 2020-01-01; until 2090-01-01 }
/night -> /n { daily 00:00-24:00 }
/share -> /s { when chance 50% }
/flag -> /f { when flag on }
/choice -> by accept {
    text/turtle /a.ttl
    text/html otherwise /a.html
} see-other
site *.wild.test { /a/{x...} -> /b/{x} permanent }
END

{
    write_file('rules.redir', "timezone Europe/Berlin\n" . $text . "expect GET http://lab.test/a -> 307 /b\nexpect GET http://lab.test/nothing -> pass\n");
    my @rulec = (@valgrind, $Redir307::Httpd::rulec_path);
    my @runs = (
        [0, 'compile', '-o', 'rules.r307', 'rules.redir'], [0, 'check', 'rules.redir'], [0, 'test', 'rules.redir'], [0, 'fmt', 'rules.redir'],
        [0, 'info', 'rules.r307'], [0, 'verify', 'rules.r307'], [0, 'dump', 'rules.r307'], [0, 'diff', 'rules.r307', 'rules.r307'],
        [0, 'answer', 'rules.r307', 'GET', 'http://lab.test/tree/x?y=z'], [0, 'explain', 'rules.r307', 'GET', 'http://x.wild.test/a/b/c'],
        [0, 'explain', 'rules.redir', 'GET', 'http://lab.test/re/7-x'],
    );
    for my $run (@runs) {
        my ($want, @arguments) = @$run;
        my ($status, $said) = Redir307::Httpd::run(@rulec, @arguments);
        is($status, $want, "rulec @arguments") or diag($said);
        nothing_is_reported("rulec $arguments[0]");
    }
    write_file('wrong.redir', "/a -> \n/b -> http://{x}/\nsite { \n/c -> /c\n");
    is((Redir307::Httpd::run(@rulec, 'check', 'wrong.redir'))[0], 1, 'rulec check of what is wrong');
    nothing_is_reported('messages');
}

# ---- httpd: it starts slowly, and asks nobody else to ----

write_file('httpd.sh', "#!/bin/sh\nexec @valgrind '$Redir307::Httpd::httpd' \"\$@\"\n");
chmod 0755, folder() . '/httpd.sh';
Redir307::Httpd::start_through(folder() . '/httpd.sh');

my $path = folder() . '/rules.r307';
my $good = read_file($path);
my $next = read_file(compile_rules('next', "/a -> /next\n~ \"^/re/([0-9]+)(?:-x)?\$\" -> /s/\$1\n"));
mkdir folder() . '/flags';
write_file('flags/on', '');
serve(threads => 4, conf => "Redir307Flags \"@{[folder()]}/flags\"\n<Location /status>\nSetHandler redir307-status\n</Location>\n");

sub ask_everything {
    my ($name) = @_;
    my %seen;
    for my $target ('/a', '/tree/x/y?z=1', '/item/7', '/q?id=3&k=v', '/lang/de', '/re/7-x', '/gone', '/window', '/night', '/share', '/flag', '/choice',
        '/nothing', '/tree/' . 'x/' x 500, '/%c0%ae', '/status', '/status?json') {
        for my $host ('lab.test', 'x.wild.test') {
            $seen{ request(rand() < 0.5 ? 'GET' : 'POST', $target, Host => $host, 'X-Beta' => 1, Accept => 'text/turtle')->status }++;
        }
    }
    is(join(' ', grep { !/^(?:2|3|404|410|405)/ } keys %seen), '', "$name: every request has an answer");
    return;
}

ask_everything('at first');
redirects('GET', '/a', 307, '/b', 'a rule');
for my $round (1, 2) {
    put_bytes($path, $next);
    redirects('GET', '/a', 307, '/next', 'a swap');
    put_bytes($path, 'bad');
    redirects('GET', '/a', 307, '/next', 'a bad file');
    put_bytes($path, $good);
    redirects('GET', '/a', 307, '/b', 'and a good one');
    truncate $path, 4096;
    ask_everything('cut short in place');
    put_bytes($path, $good);
    redirects('GET', '/a', 307, '/b', 'good again');
    ok(restart($round == 1 ? 'USR1' : 'HUP'), 'a restart');
    ok(reload_waits(sub { (request('GET', '/a')->field('Location') // '') eq '/b' }), 'it serves');
}
ask_everything('at last');
# So slow that four threads may all be at work.
announce(qr/R307-90[23]/, qr/AH00484/);
stop();
nothing_is_reported('httpd');
done_testing();
