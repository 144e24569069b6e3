# SPDX-License-Identifier: Apache-2.0
# Children of httpd that a signal ended, and whose fault it was.
#
# The event MPM of httpd 2.4 has a fault of its own: when a child is told to end at once (an abrupt restart, a stop), its
# main thread shuts the sockets of all workers, and reads the one of a connection that its worker is just freeing
# (close_worker_sockets -> apr_os_sock_get; without this module as often as with it). Such a death is not counted: the stack
# of each is in the log, and only this one place passes.
package Redir307::Deaths;
use strict;
use warnings;
use Exporter 'import';
use Redir307::Build;
use Redir307::Httpd;

our @EXPORT = qw(crash_trace deaths);

# The lines of the configuration that write stacks of dying children into the log.
sub crash_trace {
    my $module = build_shared('mod_crash_trace.so', [Redir307::Httpd::source_folder() . '/t/lib/mod_crash_trace.c']);
    return "LoadModule crash_trace_module \"$module\"\n";
}

sub is_of_httpd { return $_[0] =~ /\(apr_os_sock_get\+[^\n]*\n[^\n]*mod_mpm_event\.so/ }

# What the log says of each child, or the parent, that a signal ended, with its stack; '' where there is none.
sub deaths {
    my $log = read_file('error.log');
    my %stack;
    # Lines of other processes may stand between those of a stack.
    while ($log =~ /^stack of child (\d+):\n(.*?)(?=^stack of child|\z)/msg) {
        $stack{$1} = join '', map { "$_\n" } grep { /^\S+\([^)]*\)\[0x[0-9a-f]+\]$/ } split /\n/, $2;
    }
    my $deaths = '';
    for my $line (grep { /AH0005[0-2]|exit signal|segfault|segmentation/i } split /\n/, $log) {
        my $stack = $line =~ /child pid (\d+)/ && $stack{$1} || "no stack\n";
        $deaths .= "$line\n$stack" if !is_of_httpd($stack);
    }
    return $deaths;
}

1;
