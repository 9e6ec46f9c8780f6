<?php

declare(strict_types=1);

namespace Dshm;

/** What a limit has decided. Times are in seconds. */
final class Decision
{
    /**
     * @param bool $allowed whether the tokens were taken; a refusal takes none
     * @param int $limit what can be taken at once, of an unused limit
     * @param int $remaining what can be taken at once, now
     * @param float $reset until all of it is there again
     * @param ?float $retry until this cost would be admitted, 0 if it was; null if it never will be
     * @param ?float $delay of leaky: what to wait before going on
     * @param ?bool $would in shadow mode: what $allowed would be
     */
    public function __construct(
        public bool $allowed,
        public int $limit,
        public int $remaining,
        public float $reset,
        public ?float $retry,
        public ?float $delay = null,
        public ?bool $would = null
    ) {
    }

    /** What a line of a reply says; null if it is no decision. */
    public static function read(string $line): ?self
    {
        preg_match_all('/ ([a-z]+)=(-?[0-9]+)/', $line, $found);
        $words = array_map('intval', array_combine($found[1], $found[2]));
        if (!str_starts_with($line, 'DONE ') || !isset($words['allowed'], $words['limit'], $words['remaining'])) {
            return null;
        }
        $retry = $words['retry'] ?? 0;
        return new self(
            $words['allowed'] === 1,
            $words['limit'],
            $words['remaining'],
            ($words['reset'] ?? 0) / 1000,
            $retry < 0 ? null : $retry / 1000,
            isset($words['delay']) ? $words['delay'] / 1000 : null,
            isset($words['would']) ? $words['would'] === 1 : null
        );
    }

    /** Whole seconds for Retry-After, never 0; null if waiting does not help, or need not be. */
    public function retryAfter(): ?int
    {
        return $this->allowed || $this->retry === null ? null : max(1, (int) ceil($this->retry));
    }
}
