package io.dshm.server.statemachine;

/**
 * How much state a node has room for.
 *
 * @param growthMax bytes of state beyond which the cluster refuses growth for this node's sake; see
 *     {@link MemoryLimit#own}
 * @param holdMax bytes of state that the heap can hold at all: with more, the node would run out of memory at any place
 * @param besideBytes what the heap must have beside the state and what comes and goes with it
 */
public record StateRoom(long growthMax, long holdMax, long besideBytes) {

    /** Of a node that has no limit. */
    public static final StateRoom UNLIMITED = new StateRoom(MemoryLimit.NONE, MemoryLimit.NONE, 0);

    /** What the process needs whatever it holds: classes, buffers, queues. */
    private static final long PROCESS_BYTES = 48L << 20;

    /** And what it cannot do without, even for a moment. */
    private static final long PROCESS_BYTES_MIN = 16L << 20;

    /** At least this part of the heap is for the state, however small it is. */
    private static final int STATE_PART_MIN = 8;

    /** The collector needs this part of the heap for itself: with less, it is at work all the time. */
    private static final int COLLECTOR_PART = 8;

    /**
     * The room of a node with that heap. The cluster may grow to half of what is left beside the process itself and
     * what clients' values on their way and their unread replies may take. The other half is for old entries that a
     * snapshot being written still needs, for commands and log entries on their way, and for what the collector needs
     * to keep up.
     *
     * @param clientBytes what clients' values on their way and their unread replies may take
     */
    public static StateRoom ofHeap(long heapBytes, long clientBytes) {
        long beside = PROCESS_BYTES + clientBytes;
        long growthMax = Math.max((heapBytes - beside) / 2, heapBytes / STATE_PART_MIN);
        long holdMax = heapBytes - heapBytes / COLLECTOR_PART - PROCESS_BYTES_MIN;
        return new StateRoom(growthMax, Math.max(holdMax, 2 * (heapBytes / STATE_PART_MIN)), beside);
    }

    /** The same for a cluster that is not to grow beyond that. */
    public StateRoom withGrowthMax(long bytes) {
        return new StateRoom(bytes, holdMax, besideBytes);
    }

    /**
     * Ends the use of a state that this node cannot hold.
     *
     * @throws StateTooLargeException if it cannot
     */
    void require(long stateBytes) {
        if (stateBytes > holdMax) {
            throw new StateTooLargeException("the state takes " + mebibytes(stateBytes)
                    + " MiB, and this node's heap has room for " + mebibytes(holdMax)
                    + " MiB at most. Its data is not damaged. Start it with a heap of at least "
                    + mebibytes(heapFor(stateBytes))
                    + " MiB (-Xmx in DSHM_JAVA_OPTS), best with the same as the other nodes");
        }
    }

    /** The heap, in bytes, with which a state of that size does not stop the cluster's growth. */
    private long heapFor(long stateBytes) {
        return 2 * stateBytes + besideBytes;
    }

    private static long mebibytes(long bytes) {
        return (bytes + (1 << 20) - 1) >> 20;
    }
}
