#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# docs/language.md as the manual page rulec-rules(5), so that the language is told in one place:
#   perl docs/man.pl docs/language.md >rulec-rules.5
# Knows the Markdown that our documents use: headings, paragraphs, lists, tables, fenced blocks, `code`, **bold**, links.
use strict;
use warnings;

# Bytes as roff shows them.
sub escape {
    my ($text) = @_;
    $text =~ s/\\/\\e/g;
    $text =~ s/-/\\-/g;
    $text =~ s/([^\x00-\x7f])/sprintf '\\[u%04X]', ord $1/ge;
    return $text;
}

# Text with its marks.
sub inline {
    my ($text) = @_;
    my $out = '';
    while (length $text) {
        if ($text =~ s/^`([^`]+)`//) {
            my $code = $1 =~ s/\\\|/|/gr;
            $out .= '\fB' . escape($code) . '\fR';
        } elsif ($text =~ s/^\*\*(.+?)\*\*//) {
            $out .= '\fB' . escape($1) . '\fR';
        } elsif ($text =~ s/^\[([^\]]+)\]\(([^)]+)\)//) {
            my ($name, $to) = ($1, $2);
            $out .= inline($name);
            $out .= ' (' . escape("docs/$to") . ')' if $to !~ /^#/ && $name ne $to;
        } elsif ($text =~ s/^\*([^*\s][^*]*)\*//) {
            $out .= '\fI' . escape($1) . '\fR';
        } elsif ($text =~ s/^([^`*\[]+|.)//s) {
            $out .= escape($1 =~ s/\\\|/|/gr);
        }
    }
    return $out;
}

# Text in lines of 80 columns at most, none of which may begin like a request.
sub line {
    my ($text) = @_;
    my @lines = ('');
    for my $word (split ' ', $text) {
        if (length($lines[-1]) + length($word) > 76) { push @lines, '' }
        $lines[-1] .= ($lines[-1] eq '' ? '' : ' ') . $word;
    }
    return join '', map { s/^(?=[.'])/\\&/r . "\n" } @lines;
}

sub cells {
    my ($row) = @_;
    $row =~ s/^\s*\||\|\s*$//g;
    return map { s/^\s+|\s+$//gr } split /(?<!\\)\|/, $row, -1;
}

# The first cell is the term; the others are told one after the other, with their heading where there are several.
sub table {
    my ($head, undef, @rows) = @_;
    my (undef, @names) = cells($head);
    my $out = '';
    for my $row (@rows) {
        my ($term, @rest) = cells($row);
        $#rest = $#names;
        my @told;
        for my $i (0 .. $#rest) {
            next if !defined $rest[$i] || $rest[$i] eq '';
            push @told, @names > 1 && $i < $#names ? "$names[$i]: $rest[$i]." : $rest[$i];
        }
        $out .= ".TP\n" . line(inline($term)) . line(inline(join ' ', @told));
    }
    return "$out.PP\n";
}

my ($path) = @ARGV;
open my $in, '<:encoding(UTF-8)', $path or die "$path: $!";
my @lines = <$in>;
chomp @lines;

my $out = <<'HEAD';
.TH RULEC\-RULES 5 "" mod_redir307
.SH NAME
rulec\-rules \- the redirect language of rulec(1) and mod_redir307
.SH DESCRIPTION
HEAD

my @paragraph;
my $list;
sub flush {
    $out .= ($list // ".PP\n") . line(inline(join ' ', map { s/^\s+|\s+$//gr } @paragraph)) if @paragraph;
    @paragraph = ();
    undef $list;
    return;
}

while (@lines) {
    my $text = shift @lines;
    if ($text =~ /^# /) { next }
    if ($text =~ /^```/) {
        flush();
        my ($code) = $text =~ /(R307-\d+)/;
        $out .= ".PP\nRefused with " . escape($code) . ":\n" if $code;
        $out .= ".PP\n.RS 4\n.nf\n";
        while (@lines && $lines[0] !~ /^```/) { $out .= escape(shift @lines) =~ s/^(?=[.'])/\\&/r . "\n" }
        shift @lines;
        $out .= ".fi\n.RE\n";
    } elsif ($text =~ /^(#+) (.*)/) {
        flush();
        $out .= (length $1 == 2 ? '.SH ' . uc(escape($2)) : '.SS ' . inline($2)) . "\n";
    } elsif ($text =~ /^\|/) {
        flush();
        my @rows = $text;
        push @rows, shift @lines while @lines && $lines[0] =~ /^\|/;
        $out .= table(@rows);
    } elsif ($text =~ /^- \[[^\]]+\]\(#/) {
        next;
    } elsif ($text =~ /^(-|\d+\.) (.*)/) {
        flush();
        $list = $1 eq '-' ? ".IP \\(bu 2\n" : ".IP $1 4\n";
        push @paragraph, $2;
    } elsif ($text =~ /^\s*$/) {
        flush();
    } else {
        push @paragraph, $text;
    }
}
flush();
$out .= ".SH SEE ALSO\n.BR rulec (1)\n";

# A paragraph begins by itself after a heading, and none is empty.
1 while $out =~ s/^(\.S[HS] .*\n)\.PP\n/$1/gm || $out =~ s/^\.PP\n(?=\.(?:PP|TP|IP|SH|SS)\b)//gm;
binmode STDOUT, ':raw';
print $out;
