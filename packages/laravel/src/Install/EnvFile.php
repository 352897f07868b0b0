<?php

namespace Pogo\Laravel\Install;

/** A `.env`: lines are changed where they stand, everything else stays as it is, each line's end as well. */
class EnvFile
{
    /** @var list<string> */
    private array $lines;

    /** @var list<string> */
    private array $added = [];

    public function __construct(public readonly PlannedFile $file)
    {
        $this->lines = $file->text === '' ? [] : explode("\n", (string) preg_replace('/\n$/D', '', $file->text));
    }

    /** The value without quotes; null when there is no such name, "" when it has none. The last line counts, as it does for Laravel. */
    public function get(string $name): ?string
    {
        $line = $this->lineOf($name);
        if ($line === null) {
            return null;
        }
        $value = trim(explode('=', $this->lines[$line], 2)[1]);
        if (preg_match('/^(["\'])(.*?)\1/', $value, $quoted)) {
            return $quoted[2];
        }

        return (string) preg_replace('/(^|\s+)#.*$/', '', $value);
    }

    /** Sets the value where the name stands, or at the end. */
    public function set(string $name, string $value): void
    {
        $line = $this->lineOf($name);
        if ($line === null) {
            $this->added[] = "{$name}={$value}";
        } else {
            $end = str_ends_with($this->lines[$line], "\r") ? "\r" : '';
            $this->lines[$line] = strstr($this->lines[$line], $name, true)."{$name}={$value}{$end}";
        }
    }

    /** Sets what has no value yet. */
    public function fill(string $name, string $value): void
    {
        $current = $this->get($name);
        if ($current === null || ($current === '' && $value !== '')) {
            $this->set($name, $value);
        }
    }

    /** Hands the text back to the file. New names stand together, after an empty line. */
    public function save(): void
    {
        $end = substr($this->file->newline(), 0, -1);
        $hadEnd = $this->file->text === '' || str_ends_with($this->file->text, "\n");
        if ($this->added !== [] && ! $hadEnd) {
            $this->lines[] = array_pop($this->lines).$end;
        }
        $hasGap = $this->added === [] || $this->lines === [] || trim(end($this->lines)) === '';
        $added = array_map(fn (string $line) => $line.$end, [...($hasGap ? [] : ['']), ...$this->added]);
        $text = implode("\n", [...$this->lines, ...$added]);
        $this->file->text = $text !== '' && ($hadEnd || $this->added !== []) ? $text."\n" : $text;
    }

    private function lineOf(string $name): ?int
    {
        return array_key_last(preg_grep("/^\\s*(?:export\\s+)?{$name}\\s*=/", $this->lines));
    }
}
