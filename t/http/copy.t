# SPDX-License-Identifier: Apache-2.0
# Redir307Copy: whatever is done to the bytes of the file that is being served, the rules that were loaded answer.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Redir307::Damage;
use Redir307::Deaths;
use Redir307::Httpd;
use Test::More;

my $count = 2000;
sub some_rules { my ($to) = @_; return join '', map { "/old/$_ -> /$to/$_\n/$to-tree/$_/* -> /$to/$_/*\n" } 1 .. $count }
my $path = rules(some_rules('new'));
my $good = read_file($path);
my $next = read_file(compile_rules('next', some_rules('next')));

sub over {
    my ($at, $bytes) = @_;
    open my $file, '+<:raw', $path or die "$path: $!";
    sysseek $file, $at, 0;
    syswrite $file, $bytes;
    close $file;
    return;
}

# Mappings of the rule file in all children.
sub mapped { return scalar grep { /\Q$path\E/ } map { split /\n/, read_file("/proc/$_/maps") } children() }

# What is wrong with the answers of these rules, if anything.
sub wrong {
    my ($to) = @_;
    my $wrong = '';
    for my $number (map { 1 + int rand $count } 1 .. 30) {
        for (["/old/$number", "/$to/$number"], ["/$to-tree/$number/x", "/$to/$number/x"]) {
            my $got = request('GET', $_->[0])->field('Location') // 'nothing';
            $wrong .= "$_->[0]: $got\n" if $got ne $_->[1];
        }
    }
    return $wrong;
}

my @harms = (
    ['cut to nothing in place', sub { truncate $path, 0 }],
    ['cut to a page in place', sub { truncate $path, 4096 }],
    ['cut to a half in place', sub { truncate $path, length($good) / 2 }],
    ['zeros written over it', sub { over(0, "\0" x length $good) }],
    ['garbage written over it', sub { over(0, join '', map { chr int rand 256 } 1 .. length $good) }],
    ['garbage written behind its header', sub { over(8192, "\xff" x (length($good) - 8192)) }],
    ['another file written over half of it', sub { over(0, substr $next, 0, length($good) / 2) }],
);

# ---- each request looks ----

serve(conf => "Redir307Copy on\n" . crash_trace());
my @children = children();
is(mapped(), 0, 'the file is not mapped');
for my $harm (@harms) {
    put_bytes($path, $good);
    is(wrong('new'), '', "a good file, then $harm->[0]");
    $harm->[1]->();
    is(wrong('new'), '', 'the old rules answer');
}
log_like(qr/R307-902.*the rules that were loaded before stay/, 'the damage is told');
open my $file, '>:raw', $path or die "$path: $!";
print $file $next;
close $file;
is(wrong('next'), '', 'a good file that was written in place is taken');
put_bytes($path, $good);
is(wrong('new'), '', 'and one that was put in its place, too');
is(mapped(), 0, 'still nothing is mapped');
is(join(' ', children()), join(' ', @children), 'no child died');

# ---- over restarts ----

truncate $path, 100;
is(wrong('new'), '', 'damaged in place before a restart');
for my $signal (qw(USR1 HUP)) {
    ok(restart($signal), "restart by $signal");
    is(wrong('new'), '', 'the copy answers after it');
}
is(deaths(), '', 'no child ended by a signal');
announce(qr/R307-902/);
stop();

# ---- nobody looks ----

put_bytes($path, $good);
serve(conf => "Redir307Copy on\n", watch => 'off');
over(0, "\xff" x length $good);
is(wrong('new'), '', 'written over while nobody looks: the old rules answer');
truncate $path, 0;
is(wrong('new'), '', 'cut short while nobody looks: the old rules answer');
announce(qr/R307-902/);
stop();

# ---- switched at a restart ----

put_bytes($path, $good);
serve(conf => "IncludeOptional \"@{[folder()]}/more*.conf\"\n", watch => 'off');
wrong('new');
ok(mapped() > 0, 'without it the file is mapped');
write_file('more.conf', "<VirtualHost *:@{[port()]}>\nRedir307Copy on\n</VirtualHost>\n");
ok(restart(), 'a virtual host wants a copy from a restart on');
ok(reload_waits(sub { mapped() == 0 }), 'then the file is no longer mapped');
is(wrong('new'), '', 'and answers');
write_file('more.conf', "Redir307Copy off\n");
ok(restart(), 'off again');
is(wrong('new'), '', 'it answers');
ok(reload_waits(sub { request('GET', '/old/1'); mapped() > 0 }), 'from a mapping');
stop();
done_testing();
