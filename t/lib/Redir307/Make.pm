# SPDX-License-Identifier: Apache-2.0
# What the build's Makefile says. It needs no httpd.
package Redir307::Make;
use strict;
use warnings;
use Exporter 'import';
use File::Basename qw(dirname);
use Redir307::Rulec qw(rulec_path);

our @EXPORT_OK = qw(build_folder make_value);

# The test may itself run under make.
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};

sub build_folder { return dirname(dirname(rulec_path())) }

# A variable of the build's Makefile, expanded by make itself.
sub make_value {
    my ($name) = @_;
    my $folder = build_folder();
    my $text = qx(printf 'include Makefile\\nshow-value:\\n\\t\@echo "\$($name)"\\n' | make -s -C '$folder' -f - show-value);
    # Above it stands what make did to the Makefile first, if that is older than what it is made of.
    return $text =~ /([^\n]*)\n?\z/ ? $1 : '';
}

1;
