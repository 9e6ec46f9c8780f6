package io.dshm.proto;

/**
 * A request that was refused while it was decoded: nothing has seen it.
 *
 * @param failure the reply that its sender gets
 * @param closes whether the connection must be closed after the reply, because what follows cannot be told apart from
 *     data
 */
public record Rejection(Reply.Failure failure, boolean closes) implements Request {}
