# SPDX-License-Identifier: Apache-2.0
# Every way in which a rule file can be bad: how to put it in the place of a good one, and what must be said about it.
package Redir307::Damage;
use strict;
use warnings;
use Exporter 'import';
use POSIX ();

our @EXPORT = qw(damages put_bytes remove_any);

# By rename, as rulec does.
sub put_bytes {
    my ($path, $bytes) = @_;
    open my $out, '>:raw', "$path.tmp" or die "$path.tmp: $!";
    print $out $bytes;
    close $out or die "$path.tmp: $!";
    chmod 0644, "$path.tmp";
    rename "$path.tmp", $path or die "$path: $!";
    return;
}

# Whatever stands at this path.
sub remove_any {
    my ($path) = @_;
    if (-d $path && !-l $path) { rmdir $path or die "$path: $!" }
    else { unlink $path }
    return;
}

# [name, what is said, sub (path, bytes of a good file)]; each sub leaves the bad thing at the path.
sub damages {
    my @damages = (
        ['empty', qr/empty/, sub { put_bytes($_[0], '') }],
        ['one byte', qr/cut off|no rule file/, sub { put_bytes($_[0], "\x89") }],
        ['garbage', qr/no rule file/, sub { put_bytes($_[0], 'This is what a web server writes on error. ' x 200) }],
        ['the text of the rules', qr/no rule file/, sub { put_bytes($_[0], "/a -> /b\n") }],
        ['header only', qr/cut off|damaged/, sub { put_bytes($_[0], substr $_[1], 0, 4096) }],
        ['truncated', qr/cut off/, sub { put_bytes($_[0], substr $_[1], 0, int(length($_[1]) / 2)) }],
        ['one byte short', qr/cut off/, sub { put_bytes($_[0], substr $_[1], 0, -1) }],
        ['one byte too long', qr/longer/, sub { put_bytes($_[0], $_[1] . "\0") }],
        ['2 GB of nothing behind it', qr/longer/, sub { put_bytes("$_[0].sparse", $_[1]); truncate "$_[0].sparse", 2 << 30; rename "$_[0].sparse", $_[0] or die "$_[0]: $!" }],
        ['a bit flipped in the header', qr/damaged|malformed|newer/, sub { put_bytes($_[0], flip($_[1], 40)) }],
        ['a bit flipped in the rules', qr/damaged/, sub { put_bytes($_[0], flip($_[1], first_used($_[1]))) }],
        ['newer version', qr/newer.*update the module/, sub { my $bytes = $_[1]; substr($bytes, 8, 1) = "\x02"; put_bytes($_[0], $bytes) }],
        ['text-mode copy', qr/text-mode/, sub { put_bytes($_[0], $_[1] =~ s/\r\n/\n/r) }],
        ['missing', qr/No such file/, sub { remove_any($_[0]) }],
        ['a directory', qr/is a directory/, sub { remove_any($_[0]); mkdir $_[0] or die "$_[0]: $!" }],
        ['a FIFO', qr/FIFO/, sub { remove_any($_[0]); POSIX::mkfifo($_[0], 0644) or die "$_[0]: $!" }],
        ['a device', qr/device/, sub { remove_any($_[0]); symlink '/dev/zero', $_[0] or die "$_[0]: $!" }],
        ['a dangling symbolic link', qr/No such file/, sub { remove_any($_[0]); symlink '/nowhere/at/all', $_[0] or die "$_[0]: $!" }],
        ['a symbolic link to itself', qr/symbolic links/, sub { remove_any($_[0]); symlink $_[0], $_[0] or die "$_[0]: $!" }],
        ['unreadable', qr/Permission denied.*must be able to read/, sub { put_bytes($_[0], $_[1]); chmod 0000, $_[0] }],
    );
    return @damages;
}

sub flip {
    my ($bytes, $at) = @_;
    substr($bytes, $at, 1) ^= "\x10";
    return $bytes;
}

# A byte of a section that is not zero: padding may not be covered by a digest.
sub first_used {
    my ($bytes) = @_;
    substr($bytes, 4096) =~ /[^\0]/g or die 'no section';
    return 4096 + $-[0];
}

1;
