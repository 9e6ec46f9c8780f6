package io.dshm.server.torture;

import io.dshm.server.system.WallClock;
import java.io.IOException;
import java.util.Optional;
import java.util.Random;

/** Everything that can be done to a cluster, and for how long at a time. */
@SuppressWarnings("ImmutableEnumChecker") // references to methods do not change
enum FaultKind {
    KILL(500, 4_000, ProcessFaults::kill, Optional::empty),
    /** 0.5 to 4 election timeouts. */
    PAUSE(375, 3_000, ProcessFaults::pause, Optional::empty),
    CUT(1_000, 6_000, NetworkFaults::cut, Optional::empty),
    ONE_WAY(1_000, 6_000, NetworkFaults::oneWay, Optional::empty),
    BRIDGE(1_000, 6_000, NetworkFaults::bridge, Optional::empty),
    FLAPPING(3_000, 8_000, NetworkFaults::flapping, Optional::empty),
    LOSS(2_000, 8_000, NetworkFaults::loss, Optional::empty),
    CLOCK(1_000, 8_000, ClockFault::step, FaultKind::lackingClock),
    DISK_FULL(2_000, 6_000, DiskFaults::full, Disk::lacking),
    POWER(0, 3_000, DiskFaults::powerCut, Disk::lacking),
    FSYNC_EIO(2_000, 6_000, SyncFaults::failing, SyncFaults::lacking),
    FSYNC_SLOW(2_000, 8_000, SyncFaults::slow, SyncFaults::lacking),
    DATA_LOST(0, 2_000, DataFaults::lost, Optional::empty),
    FORGOTTEN_TERM(3_000, 6_000, ForgottenTerm::plan, Optional::empty),
    /** A part of a data folder is gone. */
    HALF_FOLDER(0, 2_000, DataFaults::halved, Optional::empty),
    BIT_FLIP(0, 2_000, DataFaults::flipped, Optional::empty),
    /** A node is removed, and comes back without its data. */
    MEMBERS(500, 4_000, MemberFaults::removed, Optional::empty),
    /** Nothing that would make the state of the cluster larger is taken. */
    MEMORY_FULL(1_000, 4_000, MemoryFaults::full, Optional::empty),
    /** Only with TLS: a node gets another certificate while it runs. */
    CERTIFICATE(0, 3_000, CertificateFaults::rotated, Optional::empty);

    private final int millisMin;
    private final int millisMax;
    private final Plan plan;
    private final Lack lack;

    /** How one of a kind is made. */
    private interface Plan {
        Optional<Fault> make(Machines machines, Random random) throws InterruptedException;
    }

    private interface Lack {
        Optional<String> find() throws IOException, InterruptedException;
    }

    FaultKind(int millisMin, int millisMax, Plan plan, Lack lack) {
        this.millisMin = millisMin;
        this.millisMax = millisMax;
        this.plan = plan;
        this.lack = lack;
    }

    private static Optional<String> lackingClock() throws IOException {
        return WallClock.library().isPresent() ? Optional.empty() : Optional.of("libfaketime");
    }

    /** As it is written on the command line. */
    String label() {
        return Labels.of(this);
    }

    static FaultKind parse(String label) {
        return Labels.parse(values(), "fault", label);
    }

    /** What this machine lacks for it, if anything. */
    Optional<String> lacking() throws IOException, InterruptedException {
        return lack.find();
    }

    /** Whether each node has to have a disk of its own for it. */
    boolean needsDisk() {
        return this == DISK_FULL || this == POWER;
    }

    /** Whether it is one of TLS. */
    boolean needsTls() {
        return this == CERTIFICATE;
    }

    /** A fault with its victims, or none if it cannot be done just now. */
    Optional<Fault> plan(Machines machines, Random random) throws InterruptedException {
        return plan.make(machines, random);
    }

    /** How long one lasts, in milliseconds. */
    int pickMillis(Random random) {
        return random.nextInt(millisMin, millisMax + 1);
    }
}
