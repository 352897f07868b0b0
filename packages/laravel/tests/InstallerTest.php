<?php

use PHPUnit\Framework\TestCase;
use Pogo\Laravel\Installer;

final class InstallerTest extends TestCase
{
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
            '.env' => "APP_NAME=Laravel\nBROADCAST_CONNECTION=log\nDB_PASSWORD=untouched\n",
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
    public function test_an_application_is_set_up_and_a_second_run_changes_nothing(string $return): void
    {
        $this->application($return);
        $this->assertSame([], $this->install()->warnings);
        $env = $this->read('.env');
        $this->assertStringContainsString("BROADCAST_CONNECTION=reverb\nDB_PASSWORD=untouched\n", $env);
        foreach (['REVERB_APP_ID=\d{6}', 'REVERB_APP_KEY=[0-9a-f]{20}', 'REVERB_APP_SECRET=[0-9a-f]{40}', 'POGO_WEBHOOK_SECRET=[0-9a-f]{40}', 'REVERB_HOST="localhost"', 'REVERB_PORT=8080', 'REVERB_SCHEME=http', 'VITE_REVERB_HOST="\$\{REVERB_HOST\}"'] as $line) {
            $this->assertMatchesRegularExpression("/^{$line}$/m", $env);
        }
        $this->assertStringContainsString("console.php',\n        channels: __DIR__.'/../routes/channels.php',\n        health:", $this->read('bootstrap/app.php'));
        $this->assertStringContainsString("'driver' => 'reverb'", $this->read('config/broadcasting.php'));
        $this->assertStringContainsString('App.Models.User.{id}', $this->read('routes/channels.php'));
        $this->assertStringContainsString('VITE_REVERB_APP_KEY', $this->read('resources/js/echo.js'));
        $this->assertSame("window.axios = axios;\n\nimport './echo';\n", $this->read('resources/js/bootstrap.js'));
        foreach (['config/broadcasting.php', 'routes/channels.php', 'bootstrap/app.php'] as $path) {
            exec('php -l '.escapeshellarg("{$this->dir}/{$path}"), $output, $code);
            $this->assertSame(0, $code, implode("\n", $output));
        }
        $this->assertSame([], (new Installer($this->dir))->plan());
    }

    public static function versions(): array
    {
        return ['Laravel 11' => [''], 'Laravel 12 and 13' => [': void']];
    }

    public function test_what_is_there_is_kept_unless_forced(): void
    {
        $this->application('', ['.env' => "BROADCAST_CONNECTION=pusher\r\nREVERB_APP_SECRET=mine\r\n", 'resources/js/echo.js' => '// mine']);
        $this->assertStringContainsString('BROADCAST_CONNECTION is pusher', $this->install()->warnings[0]);
        $this->assertStringStartsWith("BROADCAST_CONNECTION=pusher\r\nREVERB_APP_SECRET=mine\r\nREVERB_APP_ID=", $this->read('.env'));
        $this->assertSame('// mine', $this->read('resources/js/echo.js'));
        $this->install(['force' => true, 'driver' => 'pogo']);
        $this->assertStringStartsWith("BROADCAST_CONNECTION=pogo\r\nREVERB_APP_SECRET=", $this->read('.env'));
        $this->assertStringNotContainsString('mine', $this->read('.env'));
        $this->assertStringContainsString("'driver' => 'pogo'", $this->read('config/broadcasting.php'));
    }

    public function test_a_plan_writes_nothing(): void
    {
        $this->application('');
        $before = $this->read('.env');
        $this->assertArrayHasKey('.env', (new Installer($this->dir))->plan());
        $this->assertSame($before, $this->read('.env'));
        $this->assertFileDoesNotExist("{$this->dir}/config/broadcasting.php");
    }

    public function test_a_shape_that_is_not_known_is_told(): void
    {
        $this->application('', ['bootstrap/app.php' => "<?php\nreturn 1;\n", 'config/broadcasting.php' => "<?php\nreturn [];\n"]);
        $warnings = implode("\n", $this->install()->warnings);
        $this->assertStringContainsString("by hand: channels: __DIR__.'/../routes/channels.php',", $warnings);
        $this->assertStringContainsString('config/broadcasting.php: add the connection', $warnings);
    }

    public function test_a_folder_without_artisan_is_refused(): void
    {
        mkdir($this->dir);
        $this->expectExceptionMessage('is no Laravel application');
        new Installer($this->dir);
    }
}
