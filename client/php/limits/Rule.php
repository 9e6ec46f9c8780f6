<?php

declare(strict_types=1);

namespace Dshm;

/** What a limit admits: so many tokens in a period, by one of the cluster's algorithms. */
final class Rule
{
    private function __construct(private string $words)
    {
    }

    /**
     * @param string $algorithm fixed, log, counter, gcra or leaky; lua/LIMITS.md says which one is for what
     * @param int $limit tokens in a period: 0 to 10^12
     * @param float $period seconds: 0.001 to ten years
     * @param ?int $burst of gcra and leaky: what may come at once beyond the first; null: the server's own
     * @throws \InvalidArgumentException if one of them is outside its range
     */
    public static function of(string $algorithm, int $limit, float $period, ?int $burst = null): self
    {
        $hasBurst = $algorithm === 'gcra' || $algorithm === 'leaky';
        if (!$hasBurst && !in_array($algorithm, ['fixed', 'log', 'counter'], true)) {
            throw new \InvalidArgumentException("\"$algorithm\" is no algorithm");
        }
        if ($limit < 0 || $limit > Limiter::TOKENS_MAX) {
            throw new \InvalidArgumentException("$limit is no number of tokens");
        }
        if (!($period >= 0.001 && $period <= 315619200.0)) {
            throw new \InvalidArgumentException("$period is no period: 0.001 to 315,619,200 seconds");
        }
        $words = sprintf('%s %d %s', $algorithm, $limit, rtrim(rtrim(sprintf('%.3F', $period), '0'), '.'));
        if ($burst === null) {
            return new self($words);
        }
        if (!$hasBurst || $burst < 0 || $burst > Limiter::TOKENS_MAX) {
            throw new \InvalidArgumentException("$burst is no burst of $algorithm");
        }
        return new self("$words burst=$burst");
    }

    /** The rule that the cluster keeps under this name, in the region "policies": it can change while sites run. */
    public static function policy(string $name): self
    {
        return new self('policy=' . rawurlencode($name));
    }

    /** As it is sent. */
    public function words(): string
    {
        return $this->words;
    }
}
