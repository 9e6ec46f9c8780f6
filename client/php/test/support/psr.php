<?php

/** As much of the interfaces of PSR-7, PSR-15 and PSR-17 as the example of a middleware uses, and classes with them. */

declare(strict_types=1);

// phpcs:disable PSR1.Classes.ClassDeclaration.MultipleClasses

namespace Psr\Http\Message {

    interface ResponseInterface
    {
        public function getStatusCode(): int;
        public function withHeader(string $name, $value): self;
    }

    interface ServerRequestInterface
    {
        public function getServerParams(): array;
    }

    interface ResponseFactoryInterface
    {
        public function createResponse(int $code = 200, string $reasonPhrase = ''): ResponseInterface;
    }
}

namespace Psr\Http\Server {

    use Psr\Http\Message\ResponseInterface;
    use Psr\Http\Message\ServerRequestInterface;

    interface RequestHandlerInterface
    {
        public function handle(ServerRequestInterface $request): ResponseInterface;
    }

    interface MiddlewareInterface
    {
        public function process(ServerRequestInterface $request, RequestHandlerInterface $handler): ResponseInterface;
    }
}

namespace Dshm\Sharedance\Test {

    use Psr\Http\Message\ResponseFactoryInterface;
    use Psr\Http\Message\ResponseInterface;
    use Psr\Http\Message\ServerRequestInterface;
    use Psr\Http\Server\RequestHandlerInterface;

    final class Response implements ResponseInterface
    {
        public function __construct(private int $status, private array $headers = [])
        {
        }

        public function getStatusCode(): int
        {
            return $this->status;
        }

        public function withHeader(string $name, $value): self
        {
            return new self($this->status, array_merge($this->headers, [$name => $value]));
        }

        public function all(): array
        {
            return [$this->status, $this->headers];
        }
    }

    final class Responses implements ResponseFactoryInterface
    {
        public function createResponse(int $code = 200, string $reasonPhrase = ''): ResponseInterface
        {
            return new Response($code);
        }
    }

    final class Request implements ServerRequestInterface
    {
        public function __construct(private string $address)
        {
        }

        public function getServerParams(): array
        {
            return ['REMOTE_ADDR' => $this->address];
        }
    }

    final class Handler implements RequestHandlerInterface
    {
        public function handle(ServerRequestInterface $request): ResponseInterface
        {
            return new Response(200);
        }
    }
}
