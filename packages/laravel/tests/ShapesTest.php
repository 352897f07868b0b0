<?php

use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;
use Pogo\Laravel\Install\Installer;
use Pogo\Laravel\Install\PlannedFile;

/** Applications that are not as the skeletons are: what is there is recognized, and nothing is put into the middle of something. */
final class ShapesTest extends TestCase
{
    private string $dir;

    protected function setUp(): void
    {
        $this->dir = sys_get_temp_dir().'/pogo-shapes-'.bin2hex(random_bytes(6));
    }

    protected function tearDown(): void
    {
        exec('rm -rf '.escapeshellarg($this->dir));
    }

    /** @param  array<string, string>  $files */
    private function install(array $files, array $options = []): Installer
    {
        exec('rm -rf '.escapeshellarg($this->dir));
        foreach ($files + ['artisan' => '', 'bootstrap/app.php' => "<?php\n->withRouting(\n    channels: 'c',\n);\n"] as $path => $text) {
            @mkdir(dirname("{$this->dir}/{$path}"), 0777, true);
            file_put_contents("{$this->dir}/{$path}", $text);
        }
        $installer = new Installer($this->dir, $options);
        $installer->write();

        return $installer;
    }

    private function read(string $path): string
    {
        return (string) @file_get_contents("{$this->dir}/{$path}");
    }

    public function test_comments_strings_and_lists_are_told_apart(): void
    {
        $app = fn (string $routing) => "<?php\n\nreturn Application::configure()\n    ->withRouting(\n        {$routing},\n    )->create();\n";
        $list = "commands: ['a',\n            'b']";
        $this->install(['bootstrap/app.php' => $app($list)]);
        $this->assertSame($app("channels: __DIR__.'/../routes/channels.php',\n        {$list}"), $this->read('bootstrap/app.php'));
        $this->install(['bootstrap/app.php' => $app("health: '/up', // channels: later\n        web: 'w'")]);
        $this->assertStringContainsString("withRouting(\n        channels:", $this->read('bootstrap/app.php'));
        $hidden = $app("health: 'a/*')\n    ->withBroadcasting(/* here */ __DIR__");
        $this->install(['bootstrap/app.php' => $hidden]);
        $this->assertSame($hidden, $this->read('bootstrap/app.php'));
    }

    public function test_an_application_may_be_the_root_of_a_container(): void
    {
        $this->assertTrue(PlannedFile::open('/', ltrim(__FILE__, '/'))->exists());
    }

    public function test_an_address_that_is_asked_for_is_written_once(): void
    {
        $this->install(['.env' => "A=1\n", 'resources/js/app.js' => ''], ['host' => 'ws.example', 'port' => '443', 'scheme' => 'https']);
        $this->assertStringContainsString("\nREVERB_HOST=\"ws.example\"\nREVERB_PORT=443\nREVERB_SCHEME=https\nVITE_", $this->read('.env'));
        $this->install(['.env' => "REVERB_HOST=\n", 'resources/js/app.js' => ''], ['port' => '443']);
        $this->assertMatchesRegularExpression('/^REVERB_HOST="localhost"\n\n[^#]*\nREVERB_PORT=443\nREVERB_SCHEME=http\nVITE_/m', $this->read('.env'));
    }

    public function test_the_provider_of_an_application_from_laravel_10_is_taken_out_of_its_comment(): void
    {
        $config = "<?php\n\nreturn ['providers' => [\n        // App\\Providers\\BroadcastServiceProvider::class,\n        App\\Providers\\Other::class,\n]];\n";
        $old = ['bootstrap/app.php' => "<?php\n\nreturn new Application();\n", 'config/app.php' => $config, 'resources/js/app.js' => ''];
        // There is no such class: it would not be found.
        $this->assertStringContainsString('by hand', $this->install($old)->warnings[0]);
        $this->assertSame($config, $this->read('config/app.php'));
        $this->assertSame([], $this->install($old + ['app/Providers/BroadcastServiceProvider.php' => "<?php\n"])->warnings);
        $this->assertSame(str_replace('// ', '', $config), $this->read('config/app.php'));
        $again = new Installer($this->dir);
        $this->assertSame([[], []], [$again->warnings, $again->changes()]);
    }

    public function test_lines_of_an_env_keep_their_ends_and_a_comment_may_have_quotes(): void
    {
        $env = "A=1\nB=2\r\nBROADCAST_CONNECTION=\"log\" # was \"pusher\"\r\nREVERB_PORT=\nE=5";
        $this->assertSame([], $this->install(['.env' => $env, 'resources/js/app.js' => ''])->warnings);
        $this->assertStringStartsWith("A=1\nB=2\r\nBROADCAST_CONNECTION=reverb\r\nREVERB_PORT=8080\nE=5\r\n\r\nREVERB_APP_ID=", $this->read('.env'));
        $this->assertStringEndsWith("\r\nVITE_REVERB_SCHEME=\"\${REVERB_SCHEME}\"\r\n", $this->read('.env'));
    }

    /** @dataProvider endsOfImports */
    #[DataProvider('endsOfImports')]
    public function test_hooks_are_configured_below_the_last_import(string $imports, string $rest): void
    {
        $this->install(['package.json' => '{"dependencies":{"vue":"^3"}}', 'resources/js/app.ts' => $imports.$rest]);
        $this->assertSame("{$imports}import { configureEcho } from '@laravel/echo-vue';\n\nconfigureEcho({\n    broadcaster: 'reverb',\n});\n{$rest}", $this->read('resources/js/app.ts'));
    }

    public static function endsOfImports(): array
    {
        return [
            ["import a from 'a';\n", "\nimport.meta.glob([\n    '../images/**',\n    '../fonts/**'\n]);\n"],
            ["import a from 'a'\n", "import('./b').then(start)\nconst c = [\n  'c'\n]\n"],
            ["import {\n  a,\n} from 'a' // b\n", "const c = {\n  d: 'd'\n}\n"],
        ];
    }

    public function test_an_echo_that_is_made_in_place_is_left_alone(): void
    {
        $echo = "window.Echo = new Echo({\n    broadcaster: 'pusher',\n});\n";
        $installer = $this->install(['resources/js/bootstrap.js' => $echo]);
        $this->assertSame(["resources/js/bootstrap.js makes an Echo, which stays: give it broadcaster 'reverb' and VITE_REVERB_*"], $installer->warnings);
        $this->assertSame($echo, $this->read('resources/js/bootstrap.js'));
        $this->assertSame('', $this->read('resources/js/echo.js'));
        $this->assertContains('npm install --save-dev laravel-echo pusher-js', $installer->nextSteps);
        $this->assertSame([], $this->install(['resources/js/bootstrap.js' => str_replace('pusher', 'reverb', $echo)])->warnings);
        $this->install(['resources/js/bootstrap.js' => "/* new Echo() */\n// window.Echo = new Echo({\n"]);
        $this->assertNotSame('', $this->read('resources/js/echo.js'));
    }

    public function test_an_echo_that_is_imported_needs_no_hooks_beside_it(): void
    {
        $this->install(['package.json' => '{"dependencies":{"vue":"^3"}}', 'resources/js/app.ts' => '', 'resources/js/bootstrap.ts' => "import './echo';\n"]);
        $this->assertSame('', $this->read('resources/js/app.ts'));
    }
}
