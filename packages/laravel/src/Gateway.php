<?php

namespace Pogo\Laravel;

use Illuminate\Broadcasting\BroadcastException;
use Symfony\Component\HttpKernel\Exception\AccessDeniedHttpException;

/** One app of a gateway: signs what clients need, and publishes. Source: the HTTP API and channel signatures of Pusher. */
class Gateway
{
    /** As many as one request may name: `max_channels_per_event`. */
    private const MAX_CHANNELS = 100;

    /** Names of the gateway's publish statuses. */
    private const STATUSES = [
        0 => 'ok',
        1 => 'hub_missing',
        2 => 'channel_too_long',
        3 => 'event_too_long',
        4 => 'payload_too_large',
        5 => 'invalid_payload_json',
        6 => 'broker_failed',
        7 => 'invalid_channels_json',
        8 => 'broker_queue_full',
        9 => 'shard_queue_full',
    ];

    /** What an HTTP status means where the body has no status of its own. */
    private const HTTP = [401 => 'unauthorized', 404 => 'hub_missing', 413 => 'payload_too_large', 429 => 'rate_limited'];

    private const ENCRYPTED = 'private-encrypted-';

    private const SOCKET_ID = '/^\d+\.\d+$/D';

    private const CHANNEL = '/^[\w\-=@,.;]+$/D';

    /** @param  array<string, mixed>  $config  of the connection in config/broadcasting.php */
    public function __construct(private array $config, private Transport $transport)
    {
        foreach (['key', 'secret', 'app_id'] as $name) {
            if (! is_scalar($config[$name] ?? null) || (string) $config[$name] === '') {
                throw new BroadcastException("broadcasting.connections: the connection of the driver pogo has no {$name}");
            }
        }
    }

    /**
     * @return array<string, string> what an authorization endpoint answers
     *
     * @throws AccessDeniedHttpException
     */
    public function signChannel(string $socketId, string $channel, ?string $channelData = null): array
    {
        $this->check($socketId, self::SOCKET_ID);
        $this->check($channel, self::CHANNEL);
        $subject = $channelData === null ? "{$socketId}:{$channel}" : "{$socketId}:{$channel}:{$channelData}";
        $answer = ['auth' => $this->key().':'.$this->hmac($subject)];
        if ($channelData !== null) {
            $answer['channel_data'] = $channelData;
        }
        if (str_starts_with($channel, self::ENCRYPTED)) {
            $answer['shared_secret'] = base64_encode($this->sharedSecret($channel));
        }

        return $answer;
    }

    /**
     * @return array<string, string>
     *
     * @throws AccessDeniedHttpException
     */
    public function signUser(string $socketId, string $userData): array
    {
        $this->check($socketId, self::SOCKET_ID);

        return ['auth' => $this->key().':'.$this->hmac("{$socketId}::user::{$userData}"), 'user_data' => $userData];
    }

    /**
     * @param  list<string>  $channels
     *
     * @throws BroadcastException with the name of the gateway's status, and no secret
     */
    public function publish(array $channels, string $event, string $data, ?string $exceptSocketId = null): void
    {
        $isEncrypted = fn (string $channel) => str_starts_with($channel, self::ENCRYPTED);
        // Each has a key of its own.
        foreach (array_filter($channels, $isEncrypted) as $channel) {
            $this->send([$channel], $event, $this->encrypt($channel, $data), $exceptSocketId);
        }
        $others = array_values(array_filter($channels, fn (string $channel) => ! $isEncrypted($channel)));
        foreach (array_chunk($others, self::MAX_CHANNELS) as $chunk) {
            $this->send($chunk, $event, $data, $exceptSocketId);
        }
    }

    /** @param  list<string>  $channels */
    private function send(array $channels, string $event, string $data, ?string $exceptSocketId): void
    {
        $body = ['name' => $event, 'channels' => $channels, 'data' => $data];
        if ($exceptSocketId !== null) {
            $body['socket_id'] = $exceptSocketId;
        }
        $json = json_encode($body, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
        // As the gateway takes it: with slashes around it or not.
        $prefix = trim((string) $this->option('path', ''), '/');
        $path = ($prefix === '' ? '' : "/{$prefix}").'/apps/'.rawurlencode((string) $this->config['app_id']).'/events';
        // In the order of their names, as they are signed.
        $query = 'auth_key='.$this->key().'&auth_timestamp='.time().'&auth_version=1.0&body_md5='.md5($json);
        $url = $this->base().$path.'?'.$query.'&auth_signature='.$this->hmac("POST\n{$path}\n{$query}");
        try {
            [$status, $answer] = $this->transport->post($url, $json, [
                'unix_socket' => $this->option('unix_socket', null),
                'timeout' => (float) $this->option('timeout', 5),
                'connect_timeout' => (float) $this->option('connect_timeout', 2),
                'verify' => $this->option('verify', true),
            ]);
        } catch (TransportException $e) {
            throw new BroadcastException("Pogo: unreachable: {$this->place()}: {$e->getMessage()}");
        }
        if ($status !== 200) {
            throw new BroadcastException($this->sentence($status, $answer));
        }
    }

    /** Both come from the client, and colons part what is signed: `1.1:private-theirs:` before `private-mine` would sign private-theirs. */
    private function check(string $text, string $pattern): void
    {
        if (! preg_match($pattern, $text)) {
            throw new AccessDeniedHttpException;
        }
    }

    private function sentence(int $status, string $answer): string
    {
        $body = json_decode($answer, true);
        $number = is_array($body) ? ($body['status'] ?? null) : null;
        $name = self::STATUSES[is_int($number) ? $number : -1] ?? self::HTTP[$status] ?? "http_{$status}";
        $error = is_array($body) && is_string($body['error'] ?? null) ? $body['error'] : 'it does not say why; is it the gateway?';

        return "Pogo: {$name}: {$this->place()} answers HTTP {$status}: {$error}";
    }

    private function encrypt(string $channel, string $data): string
    {
        $nonce = random_bytes(24);
        $box = sodium_crypto_secretbox($data, $nonce, $this->sharedSecret($channel));

        return json_encode(['nonce' => base64_encode($nonce), 'ciphertext' => base64_encode($box)], JSON_THROW_ON_ERROR);
    }

    private function sharedSecret(string $channel): string
    {
        $master = base64_decode((string) $this->option('encryption_master_key_base64', ''), true);
        if (! is_string($master) || strlen($master) !== 32) {
            throw new BroadcastException("Pogo: {$channel} needs options.encryption_master_key_base64: 32 random bytes in base64");
        }
        if (! function_exists('sodium_crypto_secretbox')) {
            throw new BroadcastException("Pogo: {$channel} needs ext-sodium");
        }

        return hash('sha256', $channel.$master, true);
    }

    private function base(): string
    {
        // A Unix socket has no host, but a request has.
        if ($this->option('unix_socket', null) !== null) {
            return 'http://localhost';
        }
        $scheme = $this->option('scheme', 'http');
        $port = $this->option('port', $scheme === 'https' ? 443 : 8080);

        return "{$scheme}://{$this->option('host', '127.0.0.1')}:{$port}";
    }

    /** For messages. */
    private function place(): string
    {
        return (string) ($this->option('unix_socket', null) ?? $this->base());
    }

    private function key(): string
    {
        return (string) $this->config['key'];
    }

    private function hmac(string $subject): string
    {
        return hash_hmac('sha256', $subject, (string) $this->config['secret']);
    }

    private function option(string $name, mixed $default): mixed
    {
        $value = $this->config['options'][$name] ?? null;

        return $value === null || $value === '' ? $default : $value;
    }
}
