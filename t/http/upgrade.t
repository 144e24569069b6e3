#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Another version of the module is put over the one that runs, and httpd is restarted gracefully: what the old one left
# in httpd's retained data has another layout, and nobody may read it as his own. The server goes on in both directions.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Build;
use Redir307::Damage;
use Redir307::Deaths;
use Redir307::Httpd;
use Test::More;

plan(skip_all => 'a module of another make beside a sanitized one says nothing') if $ENV{REDIR307_PRELOAD};

# The next version: one more field before all others of what is kept, and the number raised as its comment asks for.
sub next_version {
    my $sources = Redir307::Httpd::source_folder() . '/mod_redir307';
    mkdir folder() . "/$_" or die $! for qw(next next/mod_redir307);
    my $header = read_file("$sources/mod_redir307_files.h");
    $header =~ s/^struct kept_file \{\n/struct kept_file {\n    long inserted[5];\n/m or die 'no struct kept_file';
    write_file('next/mod_redir307/mod_redir307_files.h', $header);
    my @files;
    for my $file (module_sources()) {
        my $text = read_file($file);
        next if $text !~ /mod_redir307_files\.h/ and push @files, $file;
        if ($file =~ /_kept\.c$/) { $text =~ s/(KEPT_VERSION = )(\d+)/$1 . ($2 + 1)/e or die 'no KEPT_VERSION' }
        my $name = $file =~ s{.*/}{}r;
        push @files, write_file("next/$name", $text);
    }
    # -iquote comes before all -I: the changed header is the one that is found.
    return build_shared('next.so', [@files, Redir307::Httpd::build_folder() . '/.libs/libruleset.a'], '-O0', '-iquote', folder() . '/next');
}

my @versions = map { read_file($_) } $Redir307::Httpd::module_path, next_version();
isnt($versions[0], $versions[1], 'there are two versions of the module');
$Redir307::Httpd::module_path = folder() . '/mod_redir307.so';
put_bytes($Redir307::Httpd::module_path, $versions[0]);

my $path = folder() . '/rules.r307';
my @rules = map { read_file(compile_rules($_, "/x -> /$_\n")) } qw(one two);
put_bytes($path, $rules[0]);
serve(watch => 'off', conf => crash_trace() . "<Location /status>\nSetHandler redir307-status\n</Location>\n");

# Asks for a while, for old children may still answer.
sub answers_soon {
    my ($want, $name) = @_;
    my $got = '';
    ok(reload_waits(sub { $got = request('GET', '/x')->field('Location') // 'none'; $got eq $want }), $name) or diag("it answers $got");
    return;
}
sub hits { my ($sum) = request('GET', '/status?json')->body =~ /"hits":\s*(\d+)/; return $sum // 0 }

answers_soon('/one', 'the version that the server started with');
my $before = hits();
cmp_ok($before, '>', 0, 'which counts');
for my $step (1 .. 4) {
    my ($from, $to) = $step % 2 ? ('old', 'next') : ('next', 'old');
    put_bytes($Redir307::Httpd::module_path, $versions[$step % 2]);
    put_bytes($path, $rules[$step % 2]);
    ok(restart($step < 3 ? 'USR1' : 'HUP'), "step $step, from the $from version to the $to one: the server goes on");
    answers_soon($step % 2 ? '/two' : '/one', "step $step: with the rules of now");
    cmp_ok(hits(), '>', $before, "step $step: hits were taken over");
    $before = hits();
    # What this version keeps itself is there at its own next restart.
    put_bytes($path, 'bad');
    ok(restart(), "step $step: a restart with a bad file");
    answers_soon($step % 2 ? '/two' : '/one', "step $step: serves the last good rules");
    is(scalar(grep { /\.r307/ } split /\n/, read_file('/proc/' . (children())[0] . '/maps')), 2,
        "step $step: and what the other version kept is not lost") if $step < 3;
}
announce(qr/R307-902/);

# At once with a bad file: the new version has nothing of its own, and the old one's is not read.
put_bytes($Redir307::Httpd::module_path, $versions[0]);
put_bytes($path, $rules[0]);
ok(restart(), 'back, with good rules');
stop();
put_bytes($path, $rules[0]);
serve(watch => '50ms', conf => crash_trace());
answers_soon('/one', 'a server that never had the other version');
put_bytes($Redir307::Httpd::module_path, $versions[1]);
put_bytes($path, 'bad');
announce(qr/R307-90[23]/);
ok(restart(), 'an upgrade while the file is bad: the server goes on');
ok(reload_waits(sub { request('GET', '/x')->status == 404 }), 'and leaves every request to httpd');
is(log_count(qr/R307-903/), 1, 'which is told');
put_bytes($path, $rules[1]);
answers_soon('/two', 'until the file is good');
is(deaths(), '', 'no process ended by a signal');
stop();
done_testing();
