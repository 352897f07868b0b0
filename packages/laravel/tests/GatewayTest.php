<?php

use Illuminate\Broadcasting\BroadcastException;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;
use Pogo\Laravel\Gateway;
use Pogo\Laravel\PogoBroadcaster;
use Pogo\Laravel\Transport;
use Pogo\Laravel\TransportException;
use Symfony\Component\HttpKernel\Exception\AccessDeniedHttpException;

final class FakeTransport implements Transport
{
    /** @var list<array{url: string, body: array<string, mixed>, options: array<string, mixed>}> */
    public array $requests = [];

    public function __construct(private int $status = 200, private string $answer = '{}', private ?string $failure = null) {}

    public function post(string $url, string $body, array $options): array
    {
        $this->requests[] = ['url' => $url, 'body' => json_decode($body, true), 'options' => $options];
        if ($this->failure !== null) {
            throw new TransportException($this->failure);
        }

        return [$this->status, $this->answer];
    }
}

final class User
{
    public function getAuthIdentifier(): int
    {
        return 7;
    }
}

final class GatewayTest extends TestCase
{
    /** The vectors of Pusher's documentation. */
    private const CONFIG = ['key' => '278d425bdf160c739803', 'secret' => '7ad3773142a6692b25b8', 'app_id' => '3'];

    private function broadcaster(FakeTransport $transport, array $options = []): PogoBroadcaster
    {
        return new PogoBroadcaster(new Gateway(self::CONFIG + ['options' => $options], $transport));
    }

    private function request(string $channel, ?User $user = null, ?string $socketId = '1234.1234'): object
    {
        return (object) ['channel_name' => $channel, 'socket_id' => $socketId, 'user' => $user];
    }

    public function test_a_private_channel_is_signed_as_pusher_does(): void
    {
        $gateway = new Gateway(self::CONFIG, new FakeTransport);
        $this->assertSame(
            '278d425bdf160c739803:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4',
            $gateway->signChannel('1234.1234', 'private-foobar')['auth'],
        );
    }

    public function test_a_presence_channel_is_signed_with_its_data(): void
    {
        $data = '{"user_id":10,"user_info":{"name":"Mr. Channels"}}';
        $answer = (new Gateway(self::CONFIG, new FakeTransport))->signChannel('1234.1234', 'presence-foobar', $data);
        $this->assertSame('278d425bdf160c739803:31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80', $answer['auth']);
        $this->assertSame($data, $answer['channel_data']);
    }

    public function test_a_user_is_signed(): void
    {
        $answer = (new Gateway(self::CONFIG, new FakeTransport))->signUser('1234.1234', '{"id":"12345"}');
        $this->assertSame('278d425bdf160c739803:'.hash_hmac('sha256', '1234.1234::user::{"id":"12345"}', '7ad3773142a6692b25b8'), $answer['auth']);
    }

    public function test_channels_are_authorized_by_the_application(): void
    {
        $broadcaster = $this->broadcaster(new FakeTransport);
        $broadcaster->channels = ['orders' => true, 'room' => ['name' => 'Ada']];
        $this->assertStringStartsWith('278d425bdf160c739803:', $broadcaster->auth($this->request('private-orders', new User))['auth']);
        $member = $broadcaster->auth($this->request('presence-room', new User))['channel_data'];
        $this->assertSame(['user_id' => '7', 'user_info' => ['name' => 'Ada']], json_decode($member, true));
        $user = $broadcaster->resolveAuthenticatedUser($this->request('', new User));
        $this->assertSame('{"id":"7"}', $user['user_data']);
        foreach ([['private-orders', null], ['private-others', new User], ['', new User]] as [$channel, $somebody]) {
            try {
                $broadcaster->auth($this->request($channel, $somebody));
                $this->fail("{$channel} was let in");
            } catch (AccessDeniedHttpException) {
                $this->addToAssertionCount(1);
            }
        }
    }

    /** @dataProvider confusions */
    #[DataProvider('confusions')]
    public function test_what_would_sign_something_else_is_refused(string $channel, ?string $socketId): void
    {
        $broadcaster = $this->broadcaster(new FakeTransport);
        $broadcaster->channels = ['mine' => true, 'mine:x' => true, "mine\n" => true];
        foreach (['auth', 'resolveAuthenticatedUser'] as $method) {
            try {
                $broadcaster->$method($this->request($channel, new User, $method === 'auth' ? $socketId : ($socketId ?? '').'x'));
                $this->fail("{$method} has signed {$socketId}:{$channel}");
            } catch (AccessDeniedHttpException) {
                $this->addToAssertionCount(1);
            }
        }
    }

    public static function confusions(): array
    {
        return [
            ['private-mine', '1.1:private-theirs:'],
            ['private-mine', '1.1::user::{"id":"admin","x":"'],
            ['presence-mine', '1.1:presence-theirs:{"user_id":"1"}'],
            ['private-mine:x', '1.1'],
            ["private-mine\n", '1.1'],
            ['private-mine', "1.1\n"],
            ['private-mine', ''],
            ['private-mine', null],
        ];
    }

    public function test_an_event_is_published_signed_and_not_to_the_socket_that_caused_it(): void
    {
        $transport = new FakeTransport;
        $options = ['host' => 'ws.example', 'port' => 443, 'scheme' => 'https', 'path' => '/ws', 'timeout' => 3];
        $this->broadcaster($transport, $options)->broadcast(['private-a', 'b'], 'App\\Events\\Created', ['id' => 1, 'socket' => '1.2']);
        [['url' => $url, 'body' => $body, 'options' => $sent]] = $transport->requests;
        $this->assertSame(['name' => 'App\\Events\\Created', 'channels' => ['private-a', 'b'], 'data' => '{"id":1}', 'socket_id' => '1.2'], $body);
        $this->assertStringStartsWith('https://ws.example:443/ws/apps/3/events?auth_key=278d425bdf160c739803&auth_timestamp=', $url);
        parse_str((string) parse_url($url, PHP_URL_QUERY), $query);
        $signed = "POST\n/ws/apps/3/events\nauth_key={$query['auth_key']}&auth_timestamp={$query['auth_timestamp']}&auth_version=1.0&body_md5={$query['body_md5']}";
        $this->assertSame(hash_hmac('sha256', $signed, '7ad3773142a6692b25b8'), $query['auth_signature']);
        $this->assertSame(3.0, $sent['timeout']);
        $this->assertTrue($sent['verify']);
    }

    public function test_a_path_prefix_may_have_slashes_around_it_or_not(): void
    {
        foreach (['ws' => '/ws/apps', '/ws/' => '/ws/apps', '/' => '/apps', '' => '/apps'] as $path => $expected) {
            $transport = new FakeTransport;
            $this->broadcaster($transport, ['path' => $path])->broadcast(['a'], 'news');
            $this->assertStringStartsWith("http://127.0.0.1:8080{$expected}/3/events?", $transport->requests[0]['url']);
        }
    }

    public function test_channels_are_sent_a_hundred_at_a_time(): void
    {
        $transport = new FakeTransport;
        $channels = array_map(fn (int $n) => "room-{$n}", range(1, 250));
        $this->broadcaster($transport)->broadcast($channels, 'news');
        $this->assertSame([100, 100, 50], array_map(fn (array $request) => count($request['body']['channels']), $transport->requests));
        $this->assertSame($channels, array_merge(...array_map(fn (array $request) => $request['body']['channels'], $transport->requests)));
    }

    public function test_an_encrypted_channel_is_encrypted_with_its_own_key(): void
    {
        if (! function_exists('sodium_crypto_secretbox')) {
            $this->markTestSkipped('ext-sodium is not there');
        }
        $transport = new FakeTransport;
        $master = random_bytes(32);
        $gateway = new Gateway(self::CONFIG + ['options' => ['encryption_master_key_base64' => base64_encode($master)]], $transport);
        (new PogoBroadcaster($gateway))->broadcast(['private-encrypted-a', 'news'], 'secret', ['id' => 1]);
        $this->assertSame([['private-encrypted-a'], ['news']], array_map(fn (array $request) => $request['body']['channels'], $transport->requests));
        $box = json_decode($transport->requests[0]['body']['data'], true);
        $shared = base64_decode($gateway->signChannel('1.2', 'private-encrypted-a')['shared_secret'], true);
        $this->assertSame(hash('sha256', 'private-encrypted-a'.$master, true), $shared);
        $this->assertSame('{"id":1}', sodium_crypto_secretbox_open(base64_decode($box['ciphertext']), base64_decode($box['nonce']), $shared));
        $this->expectExceptionMessage('needs options.encryption_master_key_base64');
        $this->broadcaster($transport)->broadcast(['private-encrypted-a'], 'secret');
    }

    /** @dataProvider refusals */
    #[DataProvider('refusals')]
    public function test_a_refusal_has_the_name_of_the_status(int $http, string $answer, string $sentence): void
    {
        try {
            $this->broadcaster(new FakeTransport($http, $answer))->broadcast(['a'], 'news');
            $this->fail('it was published');
        } catch (BroadcastException $e) {
            $this->assertStringContainsString($sentence, $e->getMessage());
            $this->assertStringNotContainsString('7ad3773142a6692b25b8', $e->getMessage());
        }
    }

    public static function refusals(): array
    {
        $names = ['hub_missing', 'channel_too_long', 'event_too_long', 'payload_too_large', 'invalid_payload_json', 'broker_failed', 'invalid_channels_json', 'broker_queue_full', 'shard_queue_full'];
        $statuses = array_map(fn (string $name, int $n) => [503, json_encode(['error' => 'why', 'status' => $n + 1]), "Pogo: {$name}: http://127.0.0.1:8080 answers HTTP 503: why"], $names, array_keys($names));

        return [
            ...$statuses,
            [401, '{"error":"authentication signature invalid: signature"}', 'Pogo: unauthorized: '],
            [404, '{"error":"application not found"}', 'Pogo: hub_missing: '],
            [429, '{"error":"slow down"}', 'Pogo: rate_limited: '],
            [502, '<html>', 'Pogo: http_502: http://127.0.0.1:8080 answers HTTP 502: it does not say why'],
        ];
    }

    public function test_a_gateway_that_is_not_there_is_named(): void
    {
        $this->expectException(BroadcastException::class);
        $this->expectExceptionMessage('Pogo: unreachable: /run/pogo.sock: no such file');
        $this->broadcaster(new FakeTransport(failure: 'no such file'), ['unix_socket' => '/run/pogo.sock'])->broadcast(['a'], 'news');
    }

    public function test_a_connection_without_a_secret_is_refused_at_once(): void
    {
        $this->expectExceptionMessage('has no secret');
        new Gateway(['key' => 'k', 'secret' => null, 'app_id' => '1'], new FakeTransport);
    }
}
