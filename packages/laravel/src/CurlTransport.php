<?php

namespace Pogo\Laravel;

use CurlHandle;

/** ext-curl, over TCP or a Unix socket. One handle for all requests of a process, which keeps its connection. */
class CurlTransport implements Transport
{
    private ?CurlHandle $handle = null;

    public function post(string $url, string $body, array $options): array
    {
        $this->handle ??= curl_init();
        curl_reset($this->handle);
        curl_setopt_array($this->handle, [
            CURLOPT_URL => $url,
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => $body,
            CURLOPT_HTTPHEADER => ['Content-Type: application/json', 'Expect:'],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_FOLLOWLOCATION => false,
            CURLOPT_TIMEOUT_MS => (int) ($options['timeout'] * 1000),
            CURLOPT_CONNECTTIMEOUT_MS => (int) ($options['connect_timeout'] * 1000),
            CURLOPT_SSL_VERIFYPEER => $options['verify'] !== false,
            CURLOPT_SSL_VERIFYHOST => $options['verify'] === false ? 0 : 2,
            // No signal handlers in workers.
            CURLOPT_NOSIGNAL => true,
        ]);
        if (is_string($options['verify'])) {
            curl_setopt($this->handle, CURLOPT_CAINFO, $options['verify']);
        }
        if ($options['unix_socket'] !== null) {
            curl_setopt($this->handle, CURLOPT_UNIX_SOCKET_PATH, $options['unix_socket']);
        }
        $answer = curl_exec($this->handle);
        if (! is_string($answer)) {
            throw new TransportException(curl_error($this->handle) ?: 'no answer');
        }

        return [(int) curl_getinfo($this->handle, CURLINFO_RESPONSE_CODE), $answer];
    }
}
