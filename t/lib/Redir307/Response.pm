# SPDX-License-Identifier: Apache-2.0
# One HTTP response as it came, taken apart: status, fields in their order, body.
package Redir307::Response;
use strict;
use warnings;

sub new {
    my ($class, $text) = @_;
    my $rest = $text;
    my @interim;
    my ($head, $body) = ($rest, '');
    while ($rest =~ /\A(.*?)\r?\n\r?\n(.*)\z/s) {
        ($head, $body) = ($1, $2);
        last if $head !~ m{\AHTTP/\S+ 1\d\d};
        push @interim, $head;
        $rest = $body;
    }
    my ($line, @lines) = split /\r?\n/, $head;
    my ($status) = ($line // '') =~ m{\AHTTP/\S+ (\d{3})};
    my @fields = map { [/\A([^:]*):[ \t]*(.*?)[ \t]*\z/s] } grep { /:/ } @lines;
    return bless { text => $text, head => $head, status => $status // 0, fields => \@fields, body => $body, interim => \@interim }, $class;
}

sub text { return $_[0]{text} }
sub head { return $_[0]{head} }
sub status { return $_[0]{status} }
sub body { return $_[0]{body} }
sub interim { return @{ $_[0]{interim} } }

# All values of a field.
sub fields {
    my ($self, $name) = @_;
    return map { $_->[1] } grep { lc $_->[0] eq lc $name } @{ $self->{fields} };
}

# Its value, several joined as RFC 9110, 5.3 joins them; undef where there is none.
sub field {
    my ($self, $name) = @_;
    my @values = $self->fields($name);
    return @values ? join(', ', @values) : undef;
}

1;
