# SPDX-License-Identifier: Apache-2.0
# A certificate of a test's own, and what makes a virtual host speak TLS with it.
package Redir307::Tls;
use strict;
use warnings;
use Exporter 'import';
use Redir307::Httpd;

our @EXPORT = qw(can_tls tls_directives certificate_file);

sub certificate_file { return folder() . '/tls.pem' }

sub openssl {
    my ($path) = grep { -x } map { "$_/openssl" } split /:/, $ENV{PATH};
    return $path;
}

sub can_tls { return has_module('ssl') && defined openssl() }

# For lab.test, localhost and 127.0.0.1; a day is longer than any test.
sub make_certificate {
    return if -f certificate_file();
    my ($status, $said) = Redir307::Httpd::run(openssl(), qw(req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1),
        '-subj', '/CN=lab.test', '-addext', 'subjectAltName=DNS:lab.test,DNS:localhost,IP:127.0.0.1',
        '-keyout', 'tls.key', '-out', 'tls.pem');
    $status == 0 or die "openssl: $said";
    return;
}

# Inside a <VirtualHost>; the modules to load are ssl and socache_shmcb.
sub tls_directives {
    my ($protocols) = @_;
    make_certificate();
    return "SSLEngine on\nSSLCertificateFile \"@{[folder()]}/tls.pem\"\nSSLCertificateKeyFile \"@{[folder()]}/tls.key\"\n"
        . "Protocols $protocols\n";
}

1;
