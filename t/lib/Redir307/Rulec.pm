# SPDX-License-Identifier: Apache-2.0
# Finds and runs rulec. A test run by hand needs nothing set: the build folder is REDIR307_BUILDDIR or REDIR307_BUILD,
# else ./build beside the sources, else the folder one stands in, else the sources themselves.
package Redir307::Rulec;
use strict;
use warnings;
use Cwd qw(abs_path getcwd);
use Exporter 'import';
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use POSIX ();

our @EXPORT_OK = qw(rulec compiled rules rulec_path run_in folder read_bytes write_bytes source_folder);

my $sources = abs_path(dirname(__FILE__) . '/../../..');
my $path;

sub source_folder { return $sources }

sub rulec_path {
    return $path if $path;
    for my $build ($ENV{REDIR307_BUILDDIR}, $ENV{REDIR307_BUILD}, "$sources/build", getcwd(), $sources) {
        next unless defined $build && -x "$build/rulec/rulec";
        return $path = abs_path("$build/rulec/rulec");
    }
    die "rulec is not built: run make, or name the build folder in REDIR307_BUILDDIR\n";
}

# Runs a command in a folder. Standard input: $option{input}, else none. Returns its exit status ("signal N" where it
# was killed), its standard output and error together, or both apart with separate => 1. stdout => NAME: standard output
# goes there; user => UID: as this user, where the test runs as root.
sub run_in {
    my ($folder, @words) = @_;
    my %option = ref $words[-1] ? %{ pop @words } : ();
    my $scratch = tempdir(CLEANUP => 1);

    write_bytes("$scratch/in", $option{input} // '');
    # Another user may not reach the build folder.
    if ($option{user} && $words[0] eq rulec_path()) {
        chmod 0755, $scratch;
        write_bytes("$scratch/rulec", read_bytes($words[0]));
        chmod 0755, $words[0] = "$scratch/rulec";
    }
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        chdir $folder or POSIX::_exit(127);
        delete @ENV{qw(NO_COLOR TERM)};

        $ENV{LC_ALL} = 'C';
        open STDIN, '<', $option{stdin} // "$scratch/in" or POSIX::_exit(127);
        open STDOUT, '>>', $option{stdout} // "$scratch/out" or POSIX::_exit(127);
        open STDERR, '>>', $option{separate} || $option{stdout} ? "$scratch/error" : "$scratch/out" or POSIX::_exit(127);
        if ($option{user}) { POSIX::setgid($option{user}); POSIX::setuid($option{user}) }
        no warnings 'exec';
        exec { $words[0] } @words or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    my $status = $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
    my $out = -e "$scratch/out" ? read_bytes("$scratch/out") : '';
    my $error = -e "$scratch/error" ? read_bytes("$scratch/error") : '';
    return $option{separate} || $option{stdout} ? ($status, $out, $error) : ($status, $out);
}

my $working;

# A folder of the test's own; it goes with the test.
sub folder { return $working //= tempdir(CLEANUP => 1) }

# rulec with these words, in that folder: (exit status, output).
sub rulec { return run_in(folder(), rulec_path(), @_) }

# Writes NAME.redir into the test's folder.
sub rules {
    my ($name, $text) = @_;
    write_bytes(folder() . "/$name.redir", $text);
    return "$name.redir";
}

# Compiles such a text to NAME.r307; dies where that fails.
sub compiled {
    my ($name, $text) = @_;
    my ($status, $output) = rulec('compile', '-q', rules($name, $text));
    die "rulec compile: exit $status\n$output" if $status ne '0';
    return "$name.r307";
}

sub read_bytes {
    my ($name) = @_;
    open my $file, '<:raw', $name or die "$name: $!";
    local $/;
    return scalar(<$file>) // '';
}

sub write_bytes {
    my ($name, $bytes) = @_;
    open my $file, '>:raw', $name or die "$name: $!";
    print {$file} $bytes or die "$name: $!";
    close $file or die "$name: $!";
}

1;
