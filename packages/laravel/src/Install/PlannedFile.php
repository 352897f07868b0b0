<?php

namespace Pogo\Laravel\Install;

use SebastianBergmann\Diff\Differ;
use SebastianBergmann\Diff\Output\StrictUnifiedDiffOutputBuilder;

/** A file of the application, as it is and as it should be. Nothing is written before {@see write}. */
class PlannedFile
{
    private const SECRET_LINE = '/^([-+]\s*\w*(?:SECRET|PASSWORD|TOKEN|PRIVATE)\w*\s*=).+$/m';

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
        if (! $mayLeave && ! str_starts_with($real, realpath($dir).'/')) {
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
        $builder = new StrictUnifiedDiffOutputBuilder([
            'contextLines' => str_starts_with($this->path, '.env') ? 0 : 3,
            'fromFile' => $this->exists() ? $this->path : '/dev/null',
            'toFile' => $this->path,
        ]);

        return (string) preg_replace(self::SECRET_LINE, '$1<redacted>', (new Differ($builder))->diff($this->before ?? '', $this->text));
    }

    /**
     * Whole or not at all; keeps the file's mode.
     *
     * @throws InstallException
     */
    public function write(): void
    {
        $folder = dirname($this->realPath);
        // Its name is nobody's to guess, and `x` follows no link.
        $temporary = $this->realPath.'.pogo-'.bin2hex(random_bytes(6));
        $file = is_dir($folder) || @mkdir($folder, 0777, true) ? @fopen($temporary, 'x') : false;
        if ($file === false) {
            throw $this->unwritten();
        }
        $isComplete = fwrite($file, $this->text) === strlen($this->text) && fclose($file);
        if ($isComplete && $this->exists()) {
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
    private static function realPlace(string $path): string
    {
        $real = realpath($path);
        $parent = dirname($path);

        return $real !== false || $parent === $path ? $real ?: $path : self::realPlace($parent).'/'.basename($path);
    }
}
