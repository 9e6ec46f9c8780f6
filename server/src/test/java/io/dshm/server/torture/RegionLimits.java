package io.dshm.server.torture;

import java.util.List;

/**
 * The limits of memory of those workloads' regions that have one. They are set before the clients come, if the cluster takes
 * it: without them there is more room, and nothing else is different for the checkers.
 */
final class RegionLimits {

    /** Less than a third of what the clients would store. */
    private static final int BYTES = 6_000;

    private final Machines machines;
    private final List<Workload> workloads;

    RegionLimits(Machines machines, List<Workload> workloads) {
        this.machines = machines;
        this.workloads = workloads.stream()
                .filter(workload -> !workload.whenFull().isEmpty())
                .toList();
    }

    /** Limits the regions of a round. */
    void set(int round) {
        change(round, BYTES);
    }

    /** Nobody writes to the regions of that round any more. */
    void lift(int round) {
        change(round, 0);
    }

    private void change(int round, int bytes) {
        for (Workload workload : workloads) {
            String path = "/region?name=" + workload.keys(round).region() + "&bytes=" + bytes + "&policy="
                    + workload.whenFull();
            List<Machine> free = machines.free();
            if (!free.isEmpty()) {
                free.get(round % free.size()).ask(path);
            }
        }
    }
}
