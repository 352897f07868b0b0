<?php

use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;
use Pogo\Laravel\Console\InstallCommand;
use Pogo\Laravel\Install\Installer;
use Symfony\Component\Console\Output\OutputInterface;

final class InstallerTest extends TestCase
{
    private const ENV = "APP_NAME=Laravel\nBROADCAST_CONNECTION=log\nDB_PASSWORD=untouched\n";

    private string $dir;

    protected function setUp(): void
    {
        $this->dir = sys_get_temp_dir().'/pogo-php-'.bin2hex(random_bytes(6));
    }

    protected function tearDown(): void
    {
        exec('rm -rf '.escapeshellarg($this->dir));
    }

    /** @param  array<string, string>  $files */
    private function application(string $return, array $files = []): void
    {
        $files += [
            'artisan' => '',
            '.env' => self::ENV,
            '.env.example' => "BROADCAST_CONNECTION=log\n",
            'bootstrap/app.php' => "<?php\n\nreturn Application::configure(basePath: dirname(__DIR__))\n    ->withRouting(\n        web: __DIR__.'/../routes/web.php',\n        commands: __DIR__.'/../routes/console.php',\n        health: '/up',\n    )\n    ->withMiddleware(function (Middleware \$middleware){$return} {\n        //\n    })->create();\n",
            'resources/js/app.js' => "import './bootstrap';\n",
            'resources/js/bootstrap.js' => "window.axios = axios;\n",
        ];
        foreach ($files as $path => $text) {
            @mkdir(dirname("{$this->dir}/{$path}"), 0777, true);
            file_put_contents("{$this->dir}/{$path}", $text);
        }
    }

    private function read(string $path): string
    {
        return (string) file_get_contents("{$this->dir}/{$path}");
    }

    private function install(array $options = []): Installer
    {
        $installer = new Installer($this->dir, $options);
        $installer->write();

        return $installer;
    }

    /** @dataProvider versions */
    #[DataProvider('versions')]
    public function test_an_application_is_set_up_and_a_second_run_changes_nothing(string $return): void
    {
        $this->application($return);
        $this->assertSame([], $this->install()->warnings);
        $env = $this->read('.env');
        $this->assertStringContainsString("BROADCAST_CONNECTION=reverb\nDB_PASSWORD=untouched\n", $env);
        foreach (['REVERB_APP_ID=\d{6}', 'REVERB_APP_KEY=[0-9a-f]{20}', 'REVERB_APP_SECRET=[0-9a-f]{40}', 'POGO_WEBHOOK_SECRET=[0-9a-f]{40}', 'REVERB_HOST="localhost"', 'REVERB_PORT=8080', 'REVERB_SCHEME=http', 'VITE_REVERB_HOST="\$\{REVERB_HOST\}"'] as $line) {
            $this->assertMatchesRegularExpression("/^{$line}$/m", $env);
        }
        $this->assertMatchesRegularExpression('/^REVERB_APP_ID=$\nREVERB_APP_KEY=$\nREVERB_APP_SECRET=$\nPOGO_WEBHOOK_SECRET=$/m', $this->read('.env.example'));
        $this->assertStringContainsString("console.php',\n        channels: __DIR__.'/../routes/channels.php',\n        health:", $this->read('bootstrap/app.php'));
        $this->assertStringContainsString("'driver' => 'reverb'", $this->read('config/broadcasting.php'));
        $this->assertStringContainsString('App.Models.User.{id}', $this->read('routes/channels.php'));
        $this->assertStringContainsString('VITE_REVERB_APP_KEY', $this->read('resources/js/echo.js'));
        $this->assertSame("window.axios = axios;\n\nimport './echo';\n", $this->read('resources/js/bootstrap.js'));
        foreach (['config/broadcasting.php', 'routes/channels.php', 'bootstrap/app.php'] as $path) {
            exec('php -l '.escapeshellarg("{$this->dir}/{$path}"), $output, $code);
            $this->assertSame(0, $code, implode("\n", $output));
        }
        $this->assertSame([], (new Installer($this->dir))->changes());
    }

    public static function versions(): array
    {
        return ['Laravel 11' => [''], 'Laravel 12 and 13' => [': void']];
    }

    public function test_what_is_there_is_kept_unless_forced(): void
    {
        $this->application('', ['.env' => "BROADCAST_CONNECTION=pusher\r\nREVERB_APP_SECRET=mine\r\nexport REVERB_HOST = 'ws.example' # ours\r\n", 'resources/js/echo.js' => '// mine']);
        chmod("{$this->dir}/.env", 0600);
        $this->assertStringContainsString('BROADCAST_CONNECTION is pusher', $this->install()->warnings[0]);
        $this->assertStringStartsWith("BROADCAST_CONNECTION=pusher\r\nREVERB_APP_SECRET=mine\r\nexport REVERB_HOST = 'ws.example' # ours\r\n\r\nREVERB_APP_ID=", $this->read('.env'));
        $this->assertStringNotContainsString("\n", str_replace("\r\n", '', $this->read('.env')));
        $this->assertSame(0600, fileperms("{$this->dir}/.env") & 0777);
        $this->assertSame('// mine', $this->read('resources/js/echo.js'));
        $this->install(['force' => true, 'driver' => 'pogo']);
        $this->assertMatchesRegularExpression("/^BROADCAST_CONNECTION=pogo\r\nREVERB_APP_SECRET=[0-9a-f]{40}\r\nexport REVERB_HOST = 'ws.example' # ours\r\n/", $this->read('.env'));
        $this->assertStringNotContainsString('mine', $this->read('.env').$this->read('resources/js/echo.js'));
        $this->assertStringContainsString("'driver' => 'pogo'", $this->read('config/broadcasting.php'));
    }

    public function test_of_two_lines_the_last_counts_and_an_address_is_told_or_forced(): void
    {
        $this->application('', ['.env' => "REVERB_PORT=1\nREVERB_APP_KEY=\nREVERB_APP_KEY=last\nREVERB_PORT=2\n"]);
        $this->assertSame(['REVERB_PORT is 2 in .env and stays so: change it there, or use --force'], $this->install(['port' => '3', 'host' => 'ws.example'])->warnings);
        $this->assertStringStartsWith("REVERB_PORT=1\nREVERB_APP_KEY=\nREVERB_APP_KEY=last\nREVERB_PORT=2\n", $this->read('.env'));
        $this->assertStringContainsString('REVERB_HOST="ws.example"', $this->read('.env'));
        $this->assertSame([], $this->install(['port' => '3', 'force' => true])->warnings);
        $this->assertMatchesRegularExpression("/^REVERB_PORT=1\nREVERB_APP_KEY=\nREVERB_APP_KEY=[0-9a-f]{20}\nREVERB_PORT=3\n/", $this->read('.env'));
    }

    public function test_a_connection_in_a_comment_is_none_and_an_old_default_is_told(): void
    {
        $this->application('', ['config/broadcasting.php' => "<?php\n\nreturn [\n    'default' => env('BROADCAST_DRIVER', 'null'),\n    'connections' => [\n        // 'reverb' => [],\n    ],\n];\n"]);
        $this->assertStringContainsString("the default is that of BROADCAST_DRIVER, so that BROADCAST_CONNECTION does nothing", $this->install()->warnings[0]);
        $this->assertStringContainsString("'driver' => 'reverb'", $this->read('config/broadcasting.php'));
    }

    public function test_a_missing_env_begins_as_the_example(): void
    {
        $this->application('');
        unlink("{$this->dir}/.env");
        $this->install();
        $this->assertMatchesRegularExpression('/^BROADCAST_CONNECTION=reverb\n\nREVERB_APP_ID=\d{6}\n/', $this->read('.env'));
    }

    public function test_a_shape_that_is_not_known_is_told(): void
    {
        $this->application('', ['bootstrap/app.php' => "<?php\nreturn 1;\n", 'config/broadcasting.php' => "<?php\nreturn [];\n"]);
        $warnings = implode("\n", $this->install()->warnings);
        $this->assertStringContainsString("by hand: channels: __DIR__.'/../routes/channels.php',", $warnings);
        $this->assertStringContainsString('config/broadcasting.php: add a connection by hand', $warnings);
    }

    public function test_a_starter_kit_configures_its_hooks(): void
    {
        $this->application(': void', [
            'package.json' => '{"dependencies":{"react":"^19"},"devDependencies":{"pusher-js":"^8"}}',
            'pnpm-lock.yaml' => '',
            'resources/js/app.tsx' => "import '../css/app.css';\nimport {\n    createInertiaApp,\n} from '@inertiajs/react';\n\ncreateInertiaApp();\n",
        ]);
        array_map(fn (string $name) => unlink("{$this->dir}/resources/js/{$name}"), ['app.js', 'bootstrap.js']);
        $steps = $this->install()->nextSteps;
        $this->assertStringContainsString("from '@inertiajs/react';\nimport { configureEcho } from '@laravel/echo-react';\n\nconfigureEcho({\n    broadcaster: 'reverb',\n});\n\ncreateInertiaApp", $this->read('resources/js/app.tsx'));
        $this->assertFileDoesNotExist("{$this->dir}/resources/js/echo.js");
        $this->assertContains('pnpm add --save-dev @laravel/echo-react laravel-echo', $steps);
        $this->assertSame([], (new Installer($this->dir))->changes());
    }

    public function test_typescript_gets_a_typed_echo(): void
    {
        $this->application('', ['resources/js/app.ts' => "import './theme';"]);
        array_map(fn (string $name) => unlink("{$this->dir}/resources/js/{$name}"), ['app.js', 'bootstrap.js']);
        $this->install();
        $this->assertStringContainsString('interface Window', $this->read('resources/js/echo.ts'));
        $this->assertSame("import './theme';\n\nimport './echo';\n", $this->read('resources/js/app.ts'));
    }

    /** @dataProvider wrongOptions */
    #[DataProvider('wrongOptions')]
    public function test_an_option_that_is_wrong_is_refused(array $options, string $sentence): void
    {
        $this->application('');
        $this->expectExceptionMessage($sentence);
        new Installer($this->dir, $options);
    }

    public static function wrongOptions(): array
    {
        return [
            [['host' => "a\"\nEVIL=1"], 'is no host'],
            [['port' => '80x'], 'from 1 to 65535'],
            [['port' => '0'], 'from 1 to 65535'],
            [['scheme' => 'ftp'], 'http or https'],
            [['driver' => 'pusher'], 'reverb or pogo'],
        ];
    }

    public function test_a_folder_without_artisan_is_refused(): void
    {
        mkdir($this->dir);
        $this->expectExceptionMessage('is no Laravel application');
        new Installer($this->dir);
    }

    public function test_a_link_out_of_the_application_is_not_followed_but_that_of_a_deployments_env_is(): void
    {
        $this->application('');
        $elsewhere = "{$this->dir}-elsewhere";
        mkdir($elsewhere);
        try {
            unlink("{$this->dir}/.env");
            symlink("{$elsewhere}/env", "{$this->dir}/.env");
            $this->install();
            $this->assertTrue(is_link("{$this->dir}/.env"));
            $this->assertStringContainsString('REVERB_APP_KEY=', (string) file_get_contents("{$elsewhere}/env"));
            exec('rm -r '.escapeshellarg("{$this->dir}/config"));
            symlink($elsewhere, "{$this->dir}/config");
            $this->expectExceptionMessage('config/broadcasting.php is a link out of the application');
            $this->install();
        } finally {
            $this->assertSame(['.', '..', 'env'], scandir($elsewhere));
            exec('rm -r '.escapeshellarg($elsewhere));
        }
    }

    /** @return array{int, string} */
    private function command(array $given): array
    {
        $command = new InstallCommand;
        $command->laravel = new class($this->dir)
        {
            public function __construct(private string $dir) {}

            public function basePath(): string
            {
                return $this->dir;
            }
        };
        $command->output = new class
        {
            public string $text = '';

            public function write(string $text, bool $newline, int $options): void
            {
                $this->text .= $options === OutputInterface::OUTPUT_RAW && ! $newline ? $text : throw new LogicException;
            }
        };
        $command->given = $given;

        return [$command->handle(), $command->output->text];
    }

    public function test_the_command_shows_the_differences_and_no_secret_and_changes_nothing(): void
    {
        $this->application('', ['.env' => self::ENV."REVERB_APP_SECRET=mine\n", 'bootstrap/app.php' => "<?php\n\nreturn Application::configure()\n    ->withRouting(\n        commands: '<info>',\n    )->create();\n"]);
        [$code, $text] = $this->command(['dry-run' => true, 'force' => true]);
        $this->assertSame(0, $code);
        foreach (["Nothing is changed, this is what would be:\n", "changed   .env\n--- .env\n+++ .env\n", "-BROADCAST_CONNECTION=log\n+BROADCAST_CONNECTION=reverb\n", "-REVERB_APP_SECRET=<redacted>\n+REVERB_APP_SECRET=<redacted>\n", "--- /dev/null\n+++ routes/channels.php\n", "         commands: '<info>',\n+        channels: __DIR__", "created   resources/js/echo.js\n", 'npm install --save-dev laravel-echo pusher-js'] as $part) {
            $this->assertStringContainsString($part, $text);
        }
        foreach (['mine', 'untouched'] as $secret) {
            $this->assertStringNotContainsString($secret, $text);
        }
        $this->assertSame(self::ENV."REVERB_APP_SECRET=mine\n", $this->read('.env'));
        $this->assertFileDoesNotExist("{$this->dir}/config/broadcasting.php");
    }

    public function test_the_command_sets_up_once_and_tells_what_went_wrong(): void
    {
        $this->application('');
        $this->assertStringContainsString("Broadcasting is set up:\nchanged   .env\n", $this->command([])[1]);
        $this->assertStringContainsString("Nothing to do.\nkept      resources/js/echo.js  (--force replaces it)\n", $this->command([])[1]);
        $this->assertSame([1, "the port must be a number from 1 to 65535\n"], $this->command(['port' => 'many']));
        unlink("{$this->dir}/routes/channels.php");
        mkdir("{$this->dir}/routes/channels.php");
        $this->assertSame([1, "routes/channels.php cannot be read\n"], $this->command([]));
    }
}
