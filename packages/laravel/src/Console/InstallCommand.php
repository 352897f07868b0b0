<?php

namespace Pogo\Laravel\Console;

use Illuminate\Console\Command;
use Pogo\Laravel\Installer;
use RuntimeException;

/** As `pogo laravel:install`, without npm. */
class InstallCommand extends Command
{
    protected $signature = 'pogo:ws-install
        {--driver=reverb : reverb, which Laravel brings, or pogo}
        {--host=localhost : where browsers and Laravel find the gateway}
        {--port=8080}
        {--scheme=http}
        {--force : a new key and secret, and a new echo.js}
        {--dry-run : say what would change, and change nothing}';

    protected $description = 'Set up broadcasting through Pogo Gateway';

    public function handle(): int
    {
        $options = ['force' => (bool) $this->option('force'), 'driver' => (string) $this->option('driver'), 'host' => (string) $this->option('host'), 'port' => (int) $this->option('port'), 'scheme' => (string) $this->option('scheme')];
        try {
            $installer = new Installer($this->laravel->basePath(), $options);
            $changes = $installer->plan();
            foreach ($changes as $path => ['before' => $before]) {
                $this->line(($this->option('dry-run') ? 'would be ' : '').($before === null ? 'created' : 'changed')."  {$path}");
            }
            if (! $this->option('dry-run')) {
                $installer->write();
            }
        } catch (RuntimeException $e) {
            $this->error($e->getMessage());

            return self::FAILURE;
        }
        if ($changes === []) {
            $this->line('Nothing to do.');
        }
        foreach ($installer->warnings as $warning) {
            $this->warn($warning);
        }
        $this->line('Next: npm install --save-dev laravel-echo pusher-js && npm run build');
        if ($options['driver'] === 'reverb') {
            $this->line('      composer require pusher/pusher-php-server');
        }
        $this->line('      php artisan queue:work, and the gateway: npx pogo start --env-file .env');

        return self::SUCCESS;
    }
}
