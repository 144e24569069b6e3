# SPDX-License-Identifier: Apache-2.0
# Claims about hostile requests: the answer is this one over every transport, and it is sound however it came to be.
# Sound: one Location at most, of bytes that may stand there, to a host that the rules name; no field and no markup of
# the client's making.
package Redir307::Hostile;
use strict;
use warnings;
use Exporter 'import';
use Redir307::Transports;
use Test::More;

our @EXPORT = qw(gets asks over origins said unsound inputs_told);

my @over;
my @origins = ('https://new.test');
my %asked;

# For these claims the requests go over some transports only; without any of them nothing is claimed.
sub over { my ($transports, $claims) = @_; return if !@$transports; my @before = @over; @over = @$transports; $claims->(); @over = @before; return }

# Where absolute targets of the rules lead.
sub origins { @origins = @_; return }

sub unsound {
    my ($response) = @_;
    my @locations = $response->fields('Location');
    my @wrong;
    push @wrong, scalar(@locations) . ' Locations' if @locations > 1;
    for my $location (@locations) {
        push @wrong, 'a byte that may not stand' if $location =~ /[^\x21-\x7e]/ || $location =~ /["<>\\^`{|}]/;
        push @wrong, 'two fragments' if ($location =~ tr/#//) > 1;
        my $is_here = $location =~ m{\A/} && $location !~ m{\A/[/\\]};
        push @wrong, 'a host that no rule names' if !$is_here && !grep { $location =~ m{\A\Q$_\E(?:[/?]|\z)} } @origins;
    }
    push @wrong, 'a field of the client\'s making' if grep { $response->fields($_) } qw(Set-Cookie X-Injected X-Evil);
    push @wrong, 'a control byte' if $response->head =~ /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/ || $response->head =~ /\r(?!\n)/;
    push @wrong, 'a folded line' if $response->head =~ /\n[ \t]/;
    push @wrong, 'markup of the client' if $response->body =~ /<script/i;
    return @wrong;
}

# "307 /target", "404", or how it ended without an answer.
sub said {
    my ($response) = @_;
    return $response->head || 'no answer' if !$response->status;
    return join ' ', $response->status, $response->fields('Location');
}

# Wanted: what is said, or a pattern, or both by protocol: { 'HTTP/1.1' => ..., 'HTTP/2' => ... }. Each distinct
# response is given back by its transport.
sub asks {
    my ($method, $target, $wanted, $name, @headers) = @_;
    my (%responses, @wrong);
    for my $transport (@over ? @over : transports()) {
        my ($protocol) = $transport =~ m{\A(HTTP/\S+)};
        my $right = ref $wanted eq 'HASH' ? $wanted->{$protocol} // die "no $protocol in: $name" : $wanted;
        my $response = $responses{$transport} = ask($transport, $method, $target, @headers);
        my $said = said($response);
        my @unsound = unsound($response);
        $asked{$transport}++;
        push @wrong, "$transport: $said" if ref $right ? $said !~ $right : $said ne $right;
        push @wrong, "$transport: " . join(', ', @unsound) . "\n" . $response->head if @unsound;
    }
    my $shown = "$name: $method " . substr $target, 0, 80;
    $shown =~ s/([^\x20-\x7e])/sprintf '\\x%02x', ord $1/ge;
    my $show = ref $wanted eq 'HASH' ? join ', ', map { "$_: $wanted->{$_}" } sort keys %$wanted : $wanted;
    is(join("\n", @wrong), '', $shown) or diag("wanted: $show");
    return \%responses;
}

sub gets { return asks('GET', @_) }

# How much was asked, for the log of the test.
sub inputs_told { note("inputs over $_: $asked{$_}") for sort keys %asked; return }

1;
