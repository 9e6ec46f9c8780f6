<?php

declare(strict_types=1);

namespace Dshm\Sharedance;

/**
 * How connections of the DSHM text protocol use TLS, at least 1.2: whose certificates are believed, and for which name.
 * Not for the Sharedance protocol, where only the end of the connection says that a value is complete.
 */
final class Tls
{
    /**
     * @param string $authorities the file with the authorities that are believed, as PEM; '' for those that PHP has
     * @param string $serverName what the nodes' certificates are for; '' for the host that is connected to
     * @param string $certificate the file with the own certificate, as PEM; '' if none is shown
     * @param string $key the file with its key
     * @throws \InvalidArgumentException if a file cannot be read
     */
    public function __construct(
        private string $authorities = '',
        private string $serverName = '',
        private string $certificate = '',
        private string $key = ''
    ) {
        foreach ([$authorities, $certificate, $key] as $file) {
            if ($file !== '' && !is_readable($file)) {
                throw new \InvalidArgumentException("$file cannot be read");
            }
        }
    }

    /**
     * For a connection to that host.
     *
     * @return resource
     */
    public function context(string $host)
    {
        $name = $this->serverName === '' ? trim($host, '[]') : $this->serverName;
        $options = [
            'peer_name' => $name,
            // A server may refuse an address where a name is expected.
            'SNI_enabled' => filter_var($name, FILTER_VALIDATE_IP) === false,
            'crypto_method' => STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT | STREAM_CRYPTO_METHOD_TLSv1_3_CLIENT,
        ];
        $files = ['cafile' => $this->authorities, 'local_cert' => $this->certificate, 'local_pk' => $this->key];
        return stream_context_create(['ssl' => $options + array_filter($files)]);
    }
}
