<?php

namespace Pogo\Laravel;

use RuntimeException;

/**
 * What `pogo laravel:install` does, for whoever has Composer and not npm: sets up broadcasting in an application. What is there
 * is kept, and a second run changes nothing. Needs no framework, so that it can be tested without one.
 */
class Installer
{
    private const CHANNELS_ARGUMENT = "channels: __DIR__.'/../routes/channels.php',";

    /** @var array<string, array{before: ?string, after: string}> by path below the application */
    private array $files = [];

    /** @var list<string> */
    public array $warnings = [];

    /** @param  array{force?: bool, driver?: string, host?: string, port?: int, scheme?: string}  $options */
    public function __construct(private string $dir, private array $options = [])
    {
        if (! is_file("{$dir}/artisan")) {
            throw new RuntimeException("{$dir} is no Laravel application: there is no artisan");
        }
    }

    /** Plans everything. @return array<string, array{before: ?string, after: string}> files that change */
    public function plan(): array
    {
        $this->planEnv();
        $this->planBroadcasting();
        $this->planChannels();
        $this->planEcho();

        return array_filter($this->files, fn (array $file) => $file['before'] !== $file['after']);
    }

    /** Writes what {@see plan} has planned, each file whole or not at all. */
    public function write(): void
    {
        foreach ($this->plan() as $path => ['after' => $text]) {
            $target = realpath("{$this->dir}/{$path}") ?: "{$this->dir}/{$path}";
            @mkdir(dirname($target), 0777, true);
            $temporary = $target.'.pogo-'.getmypid();
            if (@file_put_contents($temporary, $text) === false) {
                throw new RuntimeException("{$path} cannot be written");
            }
            if (is_file($target)) {
                chmod($temporary, fileperms($target) & 0777);
            }
            rename($temporary, $target);
        }
    }

    private function planEnv(): void
    {
        $driver = $this->options['driver'] ?? 'reverb';
        $force = $this->options['force'] ?? false;
        $text = $this->read('.env') ?? $this->read('.env.example') ?? '';
        $chosen = $this->valueIn($text, 'BROADCAST_CONNECTION');
        if ($force || in_array($chosen, [null, '', 'log', 'null'], true)) {
            $text = $chosen === $driver ? $text : $this->set($text, 'BROADCAST_CONNECTION', $driver);
        } elseif ($chosen !== $driver) {
            $this->warnings[] = "BROADCAST_CONNECTION is {$chosen} in .env and stays so: set it to {$driver}, or use --force";
        }
        $values = [
            'REVERB_APP_ID' => (string) random_int(100000, 999999),
            'REVERB_APP_KEY' => bin2hex(random_bytes(10)),
            'REVERB_APP_SECRET' => bin2hex(random_bytes(20)),
            'POGO_WEBHOOK_SECRET' => bin2hex(random_bytes(20)),
            'REVERB_HOST' => '"'.($this->options['host'] ?? 'localhost').'"',
            'REVERB_PORT' => (string) ($this->options['port'] ?? 8080),
            'REVERB_SCHEME' => $this->options['scheme'] ?? 'http',
        ];
        foreach (['APP_KEY', 'HOST', 'PORT', 'SCHEME'] as $name) {
            $values["VITE_REVERB_{$name}"] = "\"\${REVERB_{$name}}\"";
        }
        foreach ($values as $name => $value) {
            $isNew = $force && in_array($name, ['REVERB_APP_KEY', 'REVERB_APP_SECRET', 'POGO_WEBHOOK_SECRET'], true);
            if ($isNew || in_array($this->valueIn($text, $name), [null, ''], true)) {
                $text = $this->set($text, $name, $value);
            }
        }
        $this->put('.env', $text);
    }

    private function planBroadcasting(): void
    {
        $driver = $this->options['driver'] ?? 'reverb';
        $connection = <<<PHP
                '{$driver}' => [
                    'driver' => '{$driver}',
                    'key' => env('REVERB_APP_KEY'),
                    'secret' => env('REVERB_APP_SECRET'),
                    'app_id' => env('REVERB_APP_ID'),
                    'options' => [
                        'host' => env('REVERB_HOST'),
                        'port' => env('REVERB_PORT', 443),
                        'scheme' => env('REVERB_SCHEME', 'https'),
                        'useTLS' => env('REVERB_SCHEME', 'https') === 'https',
                    ],
                ],

        PHP;
        $text = $this->read('config/broadcasting.php');
        if ($text === null) {
            $text = "<?php\n\nreturn [\n\n    'default' => env('BROADCAST_CONNECTION', 'null'),\n\n    'connections' => [\n\n{$connection}\n"
                ."        'log' => ['driver' => 'log'],\n\n        'null' => ['driver' => 'null'],\n\n    ],\n\n];\n";
        } elseif (! preg_match("/(['\"]){$driver}\\1\\s*=>\\s*\\[/", $text)) {
            $text = preg_replace("/^[ \\t]*(['\"])connections\\1\\s*=>\\s*\\[[ \\t]*\\R/m", "$0\n{$connection}", $text, 1, $count) ?? $text;
            if ($count === 0) {
                $this->warnings[] = "config/broadcasting.php: add the connection {$driver} by hand";
            }
        }
        $this->put('config/broadcasting.php', $text);
    }

    private function planChannels(): void
    {
        $this->put('routes/channels.php', $this->read('routes/channels.php') ?? <<<'PHP'
        <?php

        use Illuminate\Support\Facades\Broadcast;

        Broadcast::channel('App.Models.User.{id}', function ($user, $id) {
            return (int) $user->id === (int) $id;
        });

        PHP);
        $text = $this->read('bootstrap/app.php') ?? '';
        $code = preg_replace(['#/\*.*?\*/#s', '#^\s*(//|\#).*$#m'], '', $text) ?? '';
        if (preg_match('/->withBroadcasting\s*\(|\bchannels\s*:/', $code)) {
            return;
        }
        $below = preg_replace('/^([ \t]*)commands\s*:[^\r\n]*,[ \t]*\R/m', '$0$1'.self::CHANNELS_ARGUMENT."\n", $text, 1, $count) ?? $text;
        if ($count === 0) {
            $below = preg_replace('/^([ \t]*->withRouting\([ \t]*\R)([ \t]*)/m', '$1$2'.self::CHANNELS_ARGUMENT."\n$2", $text, 1, $count) ?? $text;
        }
        if ($count === 0) {
            $this->warnings[] = 'bootstrap/app.php: add this to ->withRouting( by hand: '.self::CHANNELS_ARGUMENT;
        } else {
            $this->put('bootstrap/app.php', $below);
        }
    }

    private function planEcho(): void
    {
        $entries = array_filter(['bootstrap.js', 'bootstrap.ts', 'app.js', 'app.ts'], fn (string $name) => is_file("{$this->dir}/resources/js/{$name}"));
        if ($entries === []) {
            $this->warnings[] = 'there is no resources/js/bootstrap.js or app.js: Echo is left to you';

            return;
        }
        $old = $this->read('resources/js/echo.js');
        $this->put('resources/js/echo.js', $old !== null && ! ($this->options['force'] ?? false) ? $old : <<<'JS'
        import Echo from 'laravel-echo';
        import Pusher from 'pusher-js';

        window.Pusher = Pusher;

        window.Echo = new Echo({
            broadcaster: 'reverb',
            key: import.meta.env.VITE_REVERB_APP_KEY,
            wsHost: import.meta.env.VITE_REVERB_HOST,
            wsPort: import.meta.env.VITE_REVERB_PORT ?? 80,
            wssPort: import.meta.env.VITE_REVERB_PORT ?? 443,
            forceTLS: (import.meta.env.VITE_REVERB_SCHEME ?? 'https') === 'https',
            enabledTransports: ['ws', 'wss'],
        });

        JS);
        foreach ($entries as $name) {
            if (preg_match('#^\s*import\s+[\'"]\./echo#m', $this->read("resources/js/{$name}") ?? '')) {
                return;
            }
        }
        $entry = 'resources/js/'.reset($entries);
        $text = $this->read($entry) ?? '';
        $this->put($entry, rtrim($text, "\r\n").($text === '' ? '' : "\n\n")."import './echo';\n");
    }

    /** The value without quotes; null when there is no such name. */
    private function valueIn(string $env, string $name): ?string
    {
        if (! preg_match("/^\\s*{$name}\\s*=(.*)$/m", $env, $match)) {
            return null;
        }
        $value = trim($match[1]);
        if (preg_match('/^(["\'])(.*)\1/', $value, $quoted)) {
            return $quoted[2];
        }

        return preg_replace('/(^|\s+)#.*$/', '', $value);
    }

    private function set(string $env, string $name, string $value): string
    {
        // A replacement has no references: a value may have a dollar sign.
        $changed = preg_replace_callback("/^(\\s*){$name}\\s*=[^\\r\\n]*/m", fn (array $match) => "{$match[1]}{$name}={$value}", $env, 1, $count);
        if ($count > 0) {
            return $changed ?? $env;
        }
        $newline = str_contains($env, "\r\n") ? "\r\n" : "\n";

        return $env.($env === '' || str_ends_with($env, "\n") ? '' : $newline)."{$name}={$value}{$newline}";
    }

    private function read(string $path): ?string
    {
        if (isset($this->files[$path])) {
            return $this->files[$path]['after'];
        }
        $file = "{$this->dir}/{$path}";

        return is_file($file) ? (string) file_get_contents($file) : null;
    }

    private function put(string $path, string $text): void
    {
        $file = "{$this->dir}/{$path}";
        $before = $this->files[$path]['before'] ?? (is_file($file) ? (string) file_get_contents($file) : null);
        $this->files[$path] = ['before' => $before, 'after' => $text];
    }
}
