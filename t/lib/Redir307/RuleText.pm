# SPDX-License-Identifier: Apache-2.0
# Prints a rule set (the structure of Redir307::Naive) as files of the redirect language, one rule a line, and says on
# which line each rule came to stand. It decides nothing: what may be written in several ways is chosen beforehand.
package Redir307::RuleText;
use strict;
use warnings;
use Exporter 'import';
use Redir307::Rulec 'write_bytes';

our @EXPORT_OK = qw(rule_files rule_text write_rule_files);

sub host_text {
    my ($host) = @_;
    my $name = $host->{kind} eq 'any' ? '*' : $host->{kind} eq 'below' ? "*.$host->{name}"
        : $host->{kind} eq 'domain' ? "**.$host->{name}" : $host->{written} // $host->{name};
    $name = "[$name]" if $host->{kind} eq 'exact' && $name =~ /:/;
    $name = "{$host->{set}{name}:" . join('|', @{ $host->{set}{members} }) . "}.$host->{name}" if $host->{set};
    return $host->{port} ? "$name:$host->{port}" : $name;
}

sub part_text {
    my ($part) = @_;
    return $part->{written} if exists $part->{normal};
    my $name = $part->{name} // '';
    return "{$name}" if $part->{type} eq 'free' || $part->{type} eq 'value';
    return "{$name:" . join('|', @{ $part->{members} }) . '}' if $part->{type} eq 'set';
    return "{$name:/$part->{regex}/}" if $part->{type} eq 'regex';
    return "{$name:$part->{type}}";
}
sub segment_text { return join '', map { part_text($_) } @{ $_[0] } }

sub source_text {
    my ($source) = @_;
    # Behind `~` a backslash belongs to the regex.
    return '~ "' . $source->{regex} =~ s/"/\\"/gr . '"' if $source->{regex};
    my $path = join '', map { '/' . segment_text($_) } @{ $source->{head} };
    my $tail = $source->{tail};
    my $star = $source->{star} // '';
    if ($tail eq 'subtree') { $path .= '/*' }
    elsif ($tail eq 'below') { $path .= '*' }
    elsif ($tail eq 'many') {
        $path .= $star eq '*' ? '/*' : "/{$star...}";
        $path .= $source->{suffix}{written} if $source->{suffix};
        $path .= '/' . segment_text($_) for @{ $source->{rest} // [] };
    }
    $path .= '/' if $source->{slash};
    my $query = join '&', map { $_->{written} . ($_->{any} ? '' : '=' . segment_text($_->{parts})) } @{ $source->{query} // [] };
    $path .= "?$query" if $query ne '';
    if ($source->{host}) {
        $path = (defined $source->{scheme} ? "$source->{scheme}:" : '') . '//' . host_text($source->{host}) . $path;
    }
    return word($path);
}

# Quoted where a bare word would not do.
sub word {
    my ($text) = @_;
    return $text if $text !~ /[\s"]/ && $text ne '' && $text !~ /^#/;
    $text =~ s/(["\\])/\\$1/g;
    return "\"$text\"";
}

sub target_text { return word(join '', map { ref $_ ? ($$_ eq '*' ? '*' : "{$$_}") : $_ } @{ $_[0] }) }

sub clause_text {
    my ($name, @values) = @{ $_[0] };
    return join ' ', $name, map { word($_) } @values;
}

sub _items {
    my ($items, $depth, $lines, $name, $files) = @_;
    my $indent = '    ' x $depth;
    for my $item (@$items) {
        my @clauses = map { clause_text($_) } @{ $item->{clauses} // [] };
        if ($item->{kind} eq 'rule') {
            my $action = $item->{action};
            my @words = (source_text($item->{source}));
            if ($action->{kind} eq 'pass') { push @words, 'pass' }
            elsif ($action->{kind} eq 'status') { push @words, $action->{word} }
            else {
                push @words, '->', $action->{kind} eq 'https' ? 'https:' : target_text($action->{pieces});
                push @words, $action->{word} if defined $action->{word};
            }
            push @words, '{ ' . join('; ', @clauses) . ' }' if @clauses;
            push @$lines, $indent . join ' ', @words;
            $item->{line} = "$name:" . @$lines;
            next;
        }
        if ($item->{kind} eq 'include') {
            push @$lines, "${indent}include \"$item->{name}\"";
            my @included = @clauses;
            _items($item->{items}, 0, \@included, $item->{name}, $files);
            $files->{ $item->{name} } = join '', map { "$_\n" } @included;
            next;
        }
        push @$lines, $indent . ($item->{kind} eq 'site' ? join ' ', 'site', (map { host_text($_) } @{ $item->{hosts} }), '{'
            : "group \"$item->{name}\" {");
        # Where in its block a clause stands does not matter: some go last.
        my @last = $item->{clauses_last} ? splice @clauses : ();
        push @$lines, "$indent    $_" for @clauses;
        _items($item->{items}, $depth + 1, $lines, $name, $files);
        push @$lines, "$indent    $_" for @last;
        push @$lines, "$indent}";
    }
    return;
}

# { file name => text }; the first file is set.redir. Each rule item gets `line`, "file:line" counted from 1.
sub rule_files {
    my ($set) = @_;
    my (@lines, %files);
    _items($set->{items}, 0, \@lines, 'set.redir', \%files);
    $files{'set.redir'} = join '', map { "$_\n" } @lines;
    return \%files;
}

# The same into a folder.
sub write_rule_files {
    my ($set, $folder) = @_;
    my $files = rule_files($set);
    write_bytes("$folder/$_", $files->{$_}) for keys %$files;
    return;
}

# All of it for a person to read.
sub rule_text {
    my ($set) = @_;
    my $files = rule_files($set);
    return join '', $files->{'set.redir'}, map { "# ---- $_\n$files->{$_}" } grep { $_ ne 'set.redir' } sort keys %$files;
}

1;
