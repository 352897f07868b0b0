<?php

namespace Pogo\Laravel\Install;

use SebastianBergmann\Diff\Differ;
use SebastianBergmann\Diff\Output\StrictUnifiedDiffOutputBuilder;

/** A file of the application, as it is and as it should be. Nothing is written before {@see write}. */
class PlannedFile
{
    /** What a `.env` says of the server and need not hide. Everything else in it may be a secret, whatever its name. */
    private const PUBLIC_LINE = '/^.\s*(?:(?:export\s+)?(?:BROADCAST_CONNECTION|(?:VITE_)?REVERB_(?:APP_ID|APP_KEY|HOST|PORT|SCHEME))\s*=.*)?$/';

    /** Where the value of a line begins; of a line that goes on with a value of several lines, all of it is one. */
    private const NAME = '/^.\s*(?:export\s+)?\w+\s*=/';

    /** As Linux allows; a link may lead to itself. */
    private const MAX_LINKS = 40;

    private function __construct(
        /** Below the application's folder. */
        public readonly string $path,
        /** Where it really is: links are followed. */
        private readonly string $realPath,
        public readonly ?string $before,
        public string $text,
    ) {}

    /**
     * @param  bool  $mayLeave  it may be a link to somewhere outside of the application
     *
     * @throws InstallException
     */
    public static function open(string $dir, string $path, bool $mayLeave = false): self
    {
        $real = self::realPlace("{$dir}/{$path}");
        // The root ends with a separator itself, and on Windows it is another one.
        $root = preg_quote(rtrim((string) realpath($dir), '/\\'), '#');
        if (! $mayLeave && ! preg_match("#^{$root}[/\\\\]#", $real)) {
            throw new InstallException("{$path} is a link out of the application: it is not followed");
        }
        if (! file_exists($real)) {
            return new self($path, $real, null, '');
        }
        $text = is_file($real) ? @file_get_contents($real) : false;
        if ($text === false) {
            throw new InstallException("{$path} cannot be read");
        }

        return new self($path, $real, $text, $text);
    }

    public function exists(): bool
    {
        return $this->before !== null;
    }

    public function hasChanged(): bool
    {
        return $this->before !== $this->text && ($this->exists() || $this->text !== '');
    }

    /** How its lines end. */
    public function newline(): string
    {
        return str_contains($this->text, "\r\n") ? "\r\n" : "\n";
    }

    public function insert(int $at, string $text): void
    {
        $this->text = substr($this->text, 0, $at).$text.substr($this->text, $at);
    }

    /** Unified; secrets are not shown, and of a `.env` nothing but the lines that change. */
    public function diff(): string
    {
        if (! $this->hasChanged()) {
            return '';
        }
        $isEnv = str_starts_with($this->path, '.env');
        $header = ['fromFile' => $this->exists() ? $this->path : '/dev/null', 'toFile' => $this->path];
        $builder = new StrictUnifiedDiffOutputBuilder(['contextLines' => $isEnv ? 0 : 3] + $header);
        $diff = (new Differ($builder))->diff($this->before ?? '', $this->text);

        return $isEnv ? self::redacted($diff) : $diff;
    }

    private static function redacted(string $diff): string
    {
        $lines = explode("\n", $diff);
        foreach ($lines as $number => $line) {
            // The first two name the file. A hunk may have a line between two that change.
            if ($number < 2 || ! preg_match('/^[-+ ]/', $line)) {
                continue;
            }
            if (! preg_match(self::PUBLIC_LINE, rtrim($line, "\r"))) {
                $lines[$number] = (preg_match(self::NAME, $line, $name) ? $name[0] : $line[0]).'<redacted>';
            }
        }

        return implode("\n", $lines);
    }

    /**
     * Whole or not at all; keeps the file's mode and owner.
     *
     * @throws InstallException
     */
    public function write(): void
    {
        $folder = dirname($this->realPath);
        // Its name is nobody's to guess, and `x` follows no link.
        $temporary = $this->realPath.'.pogo-'.bin2hex(random_bytes(6));
        // From its first byte nobody reads it who could not read the file.
        $mask = umask($this->exists() ? 0077 : umask());
        $file = is_dir($folder) || @mkdir($folder, 0777, true) ? @fopen($temporary, 'x') : false;
        umask($mask);
        if ($file === false) {
            throw $this->unwritten();
        }
        $isComplete = @fwrite($file, $this->text) === strlen($this->text) && fclose($file);
        if ($isComplete && $this->exists()) {
            // A web server that reads the file by its group, or owns it, still has to after root has installed.
            @chown($temporary, fileowner($this->realPath));
            @chgrp($temporary, filegroup($this->realPath));
            chmod($temporary, fileperms($this->realPath) & 0777);
        }
        if (! $isComplete || ! @rename($temporary, $this->realPath)) {
            @unlink($temporary);
            throw $this->unwritten();
        }
    }

    private function unwritten(): InstallException
    {
        return new InstallException("{$this->path} cannot be written: nothing after it was changed");
    }

    /** The file that a path leads to, be it there or not. */
    private static function realPlace(string $path, int $depth = 0): string
    {
        $real = realpath($path);
        $parent = dirname($path);
        if ($real !== false || $parent === $path) {
            return $real ?: $path;
        }
        // A link to what is not there yet: of a deployment that links a .env before somebody writes it.
        $target = is_link($path) ? (string) readlink($path) : '';
        if ($target !== '' && $depth < self::MAX_LINKS) {
            return self::realPlace(str_starts_with($target, '/') ? $target : "{$parent}/{$target}", $depth + 1);
        }

        return self::realPlace($parent, $depth + 1).'/'.basename($path);
    }
}
