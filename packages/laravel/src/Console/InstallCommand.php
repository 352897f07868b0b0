<?php

namespace Pogo\Laravel\Console;

use Illuminate\Console\Command;
use Pogo\Laravel\Install\InstallException;
use Pogo\Laravel\Install\Installer;
use Symfony\Component\Console\Output\OutputInterface;

/** As `pogo laravel:install`, without npm. */
class InstallCommand extends Command
{
    protected $signature = 'pogo:ws-install
        {--driver=reverb : reverb, which Laravel brings, or pogo}
        {--host= : Where browsers and Laravel find the gateway: localhost}
        {--port= : And on which port: 8080}
        {--scheme= : http, or https}
        {--force : A new key and secret, and a new echo.js, even where there are some}
        {--dry-run : Show what would change, and change nothing}';

    protected $description = 'Set up broadcasting through Pogo Gateway';

    public function handle(): int
    {
        $isDryRun = (bool) $this->option('dry-run');
        $options = ['force' => (bool) $this->option('force')];
        foreach (['driver', 'host', 'port', 'scheme'] as $name) {
            // Only what was asked for may contradict what is there.
            $options += $this->option($name) === null ? [] : [$name => (string) $this->option($name)];
        }
        try {
            $installer = new Installer($this->laravel->basePath(), $options);
            $changes = $installer->changes();
            if (! $isDryRun) {
                $installer->write();
            }
        } catch (InstallException $e) {
            $this->error($e->getMessage());

            return self::FAILURE;
        }
        $this->line($changes === [] ? 'Nothing to do.' : ($isDryRun ? 'Nothing is changed, this is what would be:' : 'Broadcasting is set up:'));
        foreach ($changes as $file) {
            $this->line(($file->exists() ? 'changed' : 'created')."   {$file->path}");
            if ($isDryRun) {
                // Of a file and not of this command: it must not be taken for the tags of a formatter.
                $this->output->write($file->diff()."\n", false, OutputInterface::OUTPUT_RAW);
            }
        }
        if ($installer->kept !== null) {
            $this->line("kept      {$installer->kept->path}  (--force replaces it)");
        }
        foreach ($installer->warnings as $warning) {
            $this->warn("! {$warning}");
        }
        foreach (['', 'Next:', ...array_map(fn (string $step) => "  {$step}", $installer->nextSteps)] as $line) {
            $this->line($line);
        }

        return self::SUCCESS;
    }
}
