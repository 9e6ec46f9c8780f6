package io.dshm.client.cli.bench;

/** A request that is about to be sent; of one thread, used again and again. */
final class Request {

    Op op = Op.PING;
    /** The letter of its kind of keys. */
    char space;
    /** Number of the key. */
    int key;
    /** Length of the value, in bytes. */
    int size;
    /** What the value says about itself; of a {@link Op#CAS}, the number to store. */
    long tag;
    /** Whether this is the second request of a {@link Op#CAS}, which stores. */
    boolean stores;
    /** The version that the second request names; 0 if there was nothing. */
    long version;
    /** Whether the reply must show all that was acknowledged anywhere, whatever the load's own reads are. */
    boolean exact;
}
