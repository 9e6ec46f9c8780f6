<?php

declare(strict_types=1);

namespace Dshm\Example;

use Dshm\Decision;
use Dshm\Limiter;
use Dshm\RefusedException;
use Dshm\Rule;
use Dshm\Sharedance\UnavailableException;
use Psr\Http\Message\ResponseFactoryInterface;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Server\MiddlewareInterface;
use Psr\Http\Server\RequestHandlerInterface;

/**
 * A limit for each address, as middleware of PSR-15. A refused request gets 429 and Retry-After; each response tells of
 * the limit in the headers of the IETF's draft. When the cluster cannot decide, all are admitted or, with
 * $refuseOnFailure, refused with 503.
 */
final class RateLimitMiddleware implements MiddlewareInterface
{
    public function __construct(
        private Limiter $limiter,
        private ResponseFactoryInterface $responses,
        private string $name,
        private int $limit,
        private int $seconds,
        private bool $refuseOnFailure = false
    ) {
    }

    public function process(ServerRequestInterface $request, RequestHandlerInterface $handler): ResponseInterface
    {
        $address = $request->getServerParams()['REMOTE_ADDR'] ?? 'unknown';
        try {
            $rule = Rule::of('gcra', $this->limit, $this->seconds);
            $decision = $this->limiter->take("{$this->name}:$address", $rule);
        } catch (UnavailableException | RefusedException $e) {
            error_log('DSHM: ' . $e->getMessage());
            return $this->refuseOnFailure
                ? $this->responses->createResponse(503)->withHeader('Retry-After', '1')
                : $handler->handle($request);
        }
        $response = $decision->allowed ? $handler->handle($request) : $this->responses->createResponse(429);
        return $this->tell($response, $decision);
    }

    private function tell(ResponseInterface $response, Decision $decision): ResponseInterface
    {
        $reset = (int) ceil($decision->reset);
        $response = $response
            ->withHeader('RateLimit-Policy', "\"{$this->name}\";q={$this->limit};w={$this->seconds}")
            ->withHeader('RateLimit', "\"{$this->name}\";r={$decision->remaining};t=$reset");
        $retry = $decision->retryAfter();
        return $retry === null ? $response : $response->withHeader('Retry-After', (string) $retry);
    }
}
