<?php

namespace Pogo\Laravel;

/** Brings a request to the gateway. */
interface Transport
{
    /**
     * @param  array{unix_socket: ?string, timeout: float, connect_timeout: float, verify: bool|string}  $options
     * @return array{int, string} status and body
     *
     * @throws TransportException when nobody answers
     */
    public function post(string $url, string $body, array $options): array;
}
