<?php

namespace Pogo\Laravel\Install;

/** Echo, where the application has scripts. */
class Scripts
{
    private const FOLDER = 'resources/js';

    private const ENTRIES = ['bootstrap.js', 'bootstrap.ts', 'app.js', 'app.ts', 'app.jsx', 'app.tsx'];

    /** Starter kits since Laravel 12 have hooks that configure Echo themselves: framework → module, files. */
    private const KITS = [
        'react' => ['@laravel/echo-react', ['app.tsx', 'app.jsx']],
        'vue' => ['@laravel/echo-vue', ['app.ts', 'app.js']],
    ];

    /** A statement and not import.meta.glob( or import(: with whatever is behind it on its line. */
    private const ANY_IMPORT = '/^import\b(?!\s*[.(])[^;\'"]*[\'"][^\'"\r\n]+[\'"][^\r\n]*\R/m';

    private const IMPORTS = "import Echo from 'laravel-echo';\nimport Pusher from 'pusher-js';\n\n";

    private const TYPES = "declare global {\n    interface Window {\n        Echo: Echo<'reverb'>;\n        Pusher: typeof Pusher;\n    }\n}\n\n";

    private const ECHO = <<<'JS'
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

    JS;

    /** @var list<PlannedFile> */
    public array $files = [];

    /** @var list<string> names of npm packages that they need */
    public array $packages = [];

    public ?string $warning = null;

    /** An echo.js that is there and was left as it is. */
    public ?PlannedFile $kept = null;

    /** @param  array<string, mixed>  $nodePackages  names in package.json */
    public function __construct(private readonly string $dir, array $nodePackages, bool $force)
    {
        if ($this->hasOwnEcho()) {
            $this->packages = ['laravel-echo', 'pusher-js'];

            return;
        }
        // Those with a bootstrap.js are of the older kind, whatever they use besides, and so are those that have an echo.js in use.
        foreach ($this->has('bootstrap.js') || $this->importsEcho() ? [] : array_intersect_key(self::KITS, $nodePackages) as [$module, $names]) {
            $entry = $this->first($names);
            if ($entry !== null) {
                $this->planKit($module, $entry);

                return;
            }
        }
        $entry = $this->first(self::ENTRIES);
        if ($entry === null) {
            $this->warning = 'there is no '.self::FOLDER.'/app.js: Echo is left to you';
        } else {
            $this->planEcho($entry, $force);
        }
    }

    private function planEcho(string $entry, bool $force): void
    {
        $echo = $this->open($this->first(['echo.js', 'echo.ts']) ?? (preg_match('/\.tsx?$/', $entry) ? 'echo.ts' : 'echo.js'));
        if ($echo->exists() && ! $force) {
            $this->kept = $echo;
        } else {
            $echo->text = self::IMPORTS.(str_ends_with($echo->path, '.ts') ? self::TYPES : '').self::ECHO;
        }
        $importer = $this->open($entry);
        if (! $this->importsEcho()) {
            $newline = $importer->newline();
            $gap = $importer->text === '' ? '' : (str_ends_with($importer->text, "\n") ? $newline : $newline.$newline);
            $importer->text .= "{$gap}import './echo';{$newline}";
        }
        $this->files = [$echo, $importer];
        $this->packages = ['laravel-echo', 'pusher-js'];
    }

    /** After the last import: `configureEcho` takes host, port and key from VITE_REVERB_*. */
    private function planKit(string $module, string $entry): void
    {
        $file = $this->open($entry);
        if (! str_contains($file->text, 'configureEcho(')) {
            preg_match_all(self::ANY_IMPORT, $file->text, $imports, PREG_OFFSET_CAPTURE);
            $last = end($imports[0]);
            $code = ["import { configureEcho } from '{$module}';", '', 'configureEcho({', "    broadcaster: 'reverb',", '});', ''];
            $file->insert($last === false ? 0 : $last[1] + strlen($last[0]), implode($file->newline(), $code));
        }
        $this->files = [$file];
        $this->packages = [$module, 'laravel-echo', 'pusher-js'];
    }

    /** One that is made in place, as skeletons had it until Laravel 10: it would replace that of an echo.js, whose import runs first. */
    private function hasOwnEcho(): bool
    {
        foreach (self::ENTRIES as $name) {
            $file = $this->open($name);
            $code = (string) preg_replace('#/\*.*?\*/|^\s*//[^\n]*$#ms', '', $file->text);
            if (preg_match('/\bnew Echo\s*\(/', $code)) {
                if (! preg_match('/\bbroadcaster:\s*[\'"]reverb[\'"]/', $code)) {
                    $this->warning = "{$file->path} makes an Echo, which stays: give it broadcaster 'reverb' and VITE_REVERB_*";
                }

                return true;
            }
        }

        return false;
    }

    private function importsEcho(): bool
    {
        foreach (self::ENTRIES as $name) {
            if (preg_match('#^\s*import\s+[\'"]\./echo(?:\.[jt]s)?[\'"]#m', $this->open($name)->text)) {
                return true;
            }
        }

        return false;
    }

    /** @param  list<string>  $names */
    private function first(array $names): ?string
    {
        foreach ($names as $name) {
            if ($this->has($name)) {
                return $name;
            }
        }

        return null;
    }

    private function has(string $name): bool
    {
        return is_file("{$this->dir}/".self::FOLDER."/{$name}");
    }

    private function open(string $name): PlannedFile
    {
        return PlannedFile::open($this->dir, self::FOLDER."/{$name}");
    }
}
