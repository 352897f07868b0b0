<?php

namespace Pogo\Laravel\Install;

/**
 * What `pogo laravel:install` does, for whoever has Composer and not npm: sets up broadcasting in an application. What is there
 * is kept, and a second run changes nothing. Everything is planned before the first file is written. Needs no framework, so
 * that it can be tested without one.
 */
class Installer
{
    /** What the skeletons say when nobody has chosen a broadcaster. */
    private const NOT_CHOSEN = [null, '', 'log', 'null'];

    /** Those that are made up, and their bytes. */
    private const TOKENS = ['REVERB_APP_KEY' => 10, 'REVERB_APP_SECRET' => 20, 'POGO_WEBHOOK_SECRET' => 20];

    private const ADDRESS = ['host' => 'localhost', 'port' => '8080', 'scheme' => 'http'];

    private const INSTALLERS = ['pnpm-lock.yaml' => 'pnpm add --save-dev', 'yarn.lock' => 'yarn add --dev', 'bun.lock' => 'bun add --dev', 'bun.lockb' => 'bun add --dev'];

    /** @var list<PlannedFile> */
    private array $files;

    /** @var list<string> what a person has to look at */
    public array $warnings = [];

    /** @var list<string> */
    public array $nextSteps;

    /** An echo.js that was left as it is: --force replaces it. */
    public readonly ?PlannedFile $kept;

    private readonly bool $force;

    private readonly string $driver;

    /**
     * @param  array{force?: bool, driver?: string, host?: string, port?: int|string, scheme?: string}  $options
     *
     * @throws InstallException when it is no application of Laravel, an option is wrong, or a file cannot be read
     */
    public function __construct(private readonly string $dir, private readonly array $options = [])
    {
        if (! is_file("{$dir}/artisan")) {
            throw new InstallException("{$dir} is no Laravel application: there is no artisan");
        }
        $this->force = $options['force'] ?? false;
        $this->driver = $options['driver'] ?? 'reverb';
        $this->checkOptions();
        $broadcasting = $this->open('config/broadcasting.php');
        $channels = $this->open('routes/channels.php');
        $application = $this->open('bootstrap/app.php');
        $env = [$this->planEnv(), ...$this->planExample()];
        $providers = is_file("{$dir}/app/Providers/BroadcastServiceProvider.php") ? [$this->open('config/app.php')] : [];
        PhpFiles::createChannels($channels);
        $leftovers = [PhpFiles::addConnection($broadcasting, $this->driver), PhpFiles::usesConnection($broadcasting), PhpFiles::routeChannels($application, ...$providers)];
        $manifest = $this->json('package.json');
        $nodePackages = ($manifest['dependencies'] ?? []) + ($manifest['devDependencies'] ?? []);
        $scripts = new Scripts($dir, $nodePackages, $this->force);
        array_push($this->warnings, ...array_filter([...$leftovers, $scripts->warning]));
        $this->files = [...$env, $broadcasting, $channels, $application, ...$providers, ...$scripts->files];
        $this->kept = $scripts->kept;
        $this->nextSteps = $this->stepsAfter($scripts->packages, $nodePackages);
    }

    /** @return list<PlannedFile> files that change */
    public function changes(): array
    {
        return array_values(array_filter($this->files, fn (PlannedFile $file) => $file->hasChanged()));
    }

    /** @throws InstallException which names the first file that cannot be written */
    public function write(): void
    {
        foreach ($this->changes() as $file) {
            $file->write();
        }
    }

    private function checkOptions(): void
    {
        if (! in_array($this->driver, ['reverb', 'pogo'], true)) {
            throw new InstallException('the driver is reverb or pogo');
        }
        if (! preg_match('/^[\w.:[\]-]+$/D', $this->options['host'] ?? 'localhost')) {
            throw new InstallException(json_encode($this->options['host'], JSON_INVALID_UTF8_SUBSTITUTE).' is no host');
        }
        if (filter_var($this->options['port'] ?? 8080, FILTER_VALIDATE_INT, ['options' => ['min_range' => 1, 'max_range' => 65535]]) === false) {
            throw new InstallException('the port must be a number from 1 to 65535');
        }
        if (! in_array($this->options['scheme'] ?? 'http', ['http', 'https'], true)) {
            throw new InstallException('the scheme is http or https');
        }
    }

    private function planEnv(): PlannedFile
    {
        // Deployments link it to a place of their own.
        $file = PlannedFile::open($this->dir, '.env', true);
        if (! $file->exists()) {
            $file->text = $this->open('.env.example')->text;
        }
        $env = new EnvFile($file);
        $chosen = $env->get('BROADCAST_CONNECTION');
        if ($this->force || in_array($chosen, self::NOT_CHOSEN, true)) {
            if ($chosen !== $this->driver) {
                $env->set('BROADCAST_CONNECTION', $this->driver);
            }
        } elseif ($chosen !== $this->driver) {
            $this->warnings[] = "BROADCAST_CONNECTION is {$chosen} in .env and stays so: set it to {$this->driver}, or use --force";
        }
        $env->fill('REVERB_APP_ID', (string) random_int(100000, 999999));
        foreach (self::TOKENS as $name => $bytes) {
            $token = bin2hex(random_bytes($bytes));
            $this->force ? $env->set($name, $token) : $env->fill($name, $token);
        }
        $this->planAddress($env);
        $this->fillVite($env);
        $env->save();

        return $file;
    }

    /** Names without values, for whoever sets the application up next. @return list<PlannedFile> */
    private function planExample(): array
    {
        $file = $this->open('.env.example');
        if (! $file->exists()) {
            return [];
        }
        $env = new EnvFile($file);
        foreach (['REVERB_APP_ID', ...array_keys(self::TOKENS)] as $name) {
            $env->fill($name, '');
        }
        $env->fill('REVERB_HOST', '"localhost"');
        $env->fill('REVERB_PORT', '8080');
        $env->fill('REVERB_SCHEME', 'http');
        $this->fillVite($env);
        $env->save();

        return [$file];
    }

    /** What was asked for, or the default. What is there is kept, unless forced, and that is told. */
    private function planAddress(EnvFile $env): void
    {
        foreach (self::ADDRESS as $option => $default) {
            $asked = (string) ($this->options[$option] ?? '');
            $name = 'REVERB_'.strtoupper($option);
            $current = $env->get($name) ?? '';
            if ($current === '' || ($this->force && $asked !== '' && $asked !== $current)) {
                $value = $asked === '' ? $default : $asked;
                $env->set($name, $option === 'host' ? "\"{$value}\"" : $value);
            } elseif ($asked !== '' && $asked !== $current) {
                $this->warnings[] = "{$name} is {$current} in .env and stays so: change it there, or use --force";
            }
        }
    }

    private function fillVite(EnvFile $env): void
    {
        foreach (['APP_KEY', 'HOST', 'PORT', 'SCHEME'] as $name) {
            $env->fill("VITE_REVERB_{$name}", "\"\${REVERB_{$name}}\"");
        }
    }

    /**
     * @param  list<string>  $packages
     * @param  array<string, mixed>  $nodePackages
     * @return list<string>
     */
    private function stepsAfter(array $packages, array $nodePackages): array
    {
        $require = $this->json('composer.json')['require'] ?? [];
        $hasLibrary = isset($require['pusher/pusher-php-server']) || isset($require['laravel/reverb']);
        $lock = array_filter(array_keys(self::INSTALLERS), fn (string $name) => is_file("{$this->dir}/{$name}"));
        $installer = self::INSTALLERS[reset($lock) ?: ''] ?? 'npm install --save-dev';
        $missing = array_diff($packages, array_keys($nodePackages));

        return [
            ...($this->driver !== 'reverb' || $hasLibrary ? [] : ['composer require pusher/pusher-php-server   # what Laravel publishes with']),
            ...($missing === [] ? [] : [$installer.' '.implode(' ', $missing)]),
            ...($packages === [] ? [] : [strtok($installer, ' ').' run build   # or dev: VITE_REVERB_* are read when scripts are built']),
            'php artisan config:clear',
            'php artisan queue:work   # events that ShouldBroadcast are sent by a worker',
            'npx pogo start --env-file .env   # the server takes REVERB_* from there',
        ];
    }

    /** @return array<string, mixed> */
    private function json(string $path): array
    {
        $text = $this->open($path)->text;
        $json = json_decode($text === '' ? '{}' : $text, true);

        return is_array($json) ? $json : throw new InstallException("{$path} is no valid JSON");
    }

    private function open(string $path): PlannedFile
    {
        return PlannedFile::open($this->dir, $path);
    }
}
