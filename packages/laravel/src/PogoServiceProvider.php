<?php

namespace Pogo\Laravel;

use Illuminate\Broadcasting\BroadcastManager;
use Illuminate\Support\ServiceProvider;
use Pogo\Laravel\Console\InstallCommand;

/** The broadcasting driver `pogo` and `php artisan pogo:ws-install`. */
class PogoServiceProvider extends ServiceProvider
{
    public function boot(): void
    {
        $this->app->make(BroadcastManager::class)->extend('pogo', function ($app, array $config) {
            return new PogoBroadcaster(new Gateway($config, new CurlTransport));
        });

        if ($this->app->runningInConsole()) {
            $this->commands([InstallCommand::class]);
        }
    }
}
