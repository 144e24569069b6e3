#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What is built is what was meant: the module exports one name, `make install` writes the files it should under DESTDIR
# and no other, and the layers include each other in one direction only.
use strict;
use warnings;
use Test::More;
use File::Find ();
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use Redir307::Make qw(build_folder make_value);
use Redir307::Rulec qw(read_bytes source_folder);

my $source_folder = source_folder();
my $build_folder  = build_folder();
my $module        = "$build_folder/.libs/mod_redir307.so";

# ---- names ----

SKIP: {
    my $names = qx(nm -D --defined-only '$module' 2>&1);
    skip 'nm is not here', 1 if $? == -1 || $? >> 8 == 127;
    my @exported = map { (split ' ')[-1] =~ s/@.*//r } split /\n/, $names;
    is("@exported", 'redir307_module', 'the module exports its record and nothing else');
}

# ---- installing ----

my $root = tempdir('redir307-install-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $text = qx(make -C '$build_folder' install DESTDIR='$root' 2>&1);
is($?, 0, 'make install DESTDIR=... works without root') or diag($text);
my @installed;
File::Find::find({ no_chdir => 1, wanted => sub { push @installed, s/^\Q$root\E//r if !-d } }, $root);
my %installed = map { $_ => 1 } @installed;
my ($module_folder, $bin, $man, $doc) = map { make_value($_) } qw(moduledir bindir mandir docdir);
my @wanted = (
    "$module_folder/mod_redir307.so", "$bin/rulec", "$man/man1/rulec.1", "$man/man5/rulec-rules.5",
    "$doc/redir307.load", "$doc/redir307.conf", "$doc/README.md", "$doc/LICENSE",
);
for my $path (@wanted) {
    ok(delete $installed{$path}, "$path is installed");
}
my @others = grep { !m{^\Q$doc\E/} } sort keys %installed;
is("@others", '', 'and nothing else outside the documentation folder');
like(read_bytes("$root$doc/redir307.load"), qr{^LoadModule redir307_module \Q$module_folder\E/mod_redir307\.so$}m,
    'the sample names the place of the module');
qx(make -C '$build_folder' uninstall DESTDIR='$root' 2>&1);
@installed = ();
File::Find::find({ no_chdir => 1, wanted => sub { push @installed, $_ if !-d } }, $root);
is("@installed", '', 'make uninstall takes all of it away');

# ---- layers ----

# What a file may include of the project, by folder; see docs/architecture.md.
my @layers = (
    { files => qr{^grammar/},                         may => qr{^(?:grammar/|mod_redir307/slice\.h$)} },
    { files => qr{^mod_redir307/(?!mod_)},            may => qr{^mod_redir307/(?!mod_)} },
    { files => qr{^mod_redir307/mod_},                may => qr{^(?!rulec/|grammar/|t/)} },
    { files => qr{^rulec/},                           may => qr{^(?:rulec/|grammar/|mod_redir307/(?!mod_))} },
);
my $looked_at = 0;
my @turned;
for my $path (map { glob "'$source_folder'/$_/*.[chly]" } qw(grammar mod_redir307 rulec)) {
    my $name = $path =~ s{^\Q$source_folder\E/}{}r;
    my ($layer) = grep { $name =~ $_->{files} } @layers;
    for my $included (read_bytes($path) =~ /^\s*#\s*include\s+"([^"]+)"/gm) {
        next if $included eq 'config.h';
        $looked_at++;
        push @turned, "$name includes $included" if $included !~ $layer->{may};
    }
    if ($name !~ m{^mod_redir307/mod_}) {
        push @turned, "$name includes <$_>"
            for grep { /^(?:httpd|http_|ap_|apr|util_)/ } read_bytes($path) =~ /^\s*#\s*include\s+<([^>]+)>/gm;
    }
}
cmp_ok($looked_at, '>', 50, 'there are includes to look at');
is(join("\n", @turned), '', 'no include turns back');

done_testing();
