# SPDX-License-Identifier: Apache-2.0
# Shared objects that a test compiles for itself, with the compiler and the flags of the build: httpd modules, libraries
# to preload, the module itself in another make.
package Redir307::Build;
use strict;
use warnings;
use Exporter 'import';
use Redir307::Httpd;
use Redir307::Make qw(make_value);
use Test::More;

our @EXPORT = qw(build_shared module_sources engine_sources);

my $build_folder = Redir307::Httpd::build_folder();
my $source_folder = Redir307::Httpd::source_folder();

sub sources { return map { "$source_folder/$_" } grep { /\.c$/ } split ' ', make_value($_[0]) }
sub module_sources { return sources('mod_redir307_la_SOURCES') }
sub engine_sources { return sources('libruleset_la_SOURCES') }

# Compiles C files into NAME of the test's folder; flags come before those of the build. Ends the test where it cannot.
sub build_shared {
    my ($name, $files, @flags) = @_;
    my @words = map { split ' ', make_value($_) } qw(DEFS AM_CPPFLAGS HTTPD_CPPFLAGS PCRE2_CFLAGS);
    my $out = folder() . "/$name";
    # The compiler may be two words ("ccache gcc").
    my ($status, $said) = Redir307::Httpd::run(split(' ', make_value('CC')), qw(-std=c11 -g -O1 -fPIC -shared), @flags, '-D_DEFAULT_SOURCE',
        @words, "-I$build_folder", "-I$source_folder", '-o', $out, @$files, split(' ', make_value('PCRE2_LIBS')), '-lpthread', '-ldl');
    $status == 0 or die "$name: $said";
    return $out;
}

1;
