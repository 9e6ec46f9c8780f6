package io.dshm.client.cli.bench;

/** A request on its way, used again and again. */
final class Flight {

    Op op = Op.PING;
    int key;
    /** Whether it is the second request of a {@link Op#CAS}. */
    boolean stores;
    /** Index of the endpoint that it went to. */
    int endpoint;
    /** When it was to be sent, or was sent in a closed loop: what its latency counts from. */
    long begun;
    /** When it was sent. */
    long sent;
    /** What it writes: the number of the write, or of the element, or the number that a {@link Op#CAS} stores. */
    long number;
    /** What the reply has to be above, or at least; see the checks. */
    long bound;
    /** Whether its reply has come. */
    boolean finished;
}
