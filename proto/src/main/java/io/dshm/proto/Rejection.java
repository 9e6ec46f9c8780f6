package io.dshm.proto;

/**
 * A request that was refused while it was decoded: nothing has seen it.
 *
 * @param failure the reply that its sender gets
 * @param closes whether the connection must be closed after the reply, because where the next request begins is
 *     unknown
 */
public record Rejection(Reply.Failure failure, boolean closes) implements Request {}
