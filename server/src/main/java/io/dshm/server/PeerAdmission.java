package io.dshm.server;

import io.dshm.proto.Limits;
import io.dshm.server.config.ServerConfig;
import io.dshm.server.network.AdmittedAddresses;
import io.dshm.server.network.ClusterMembers;
import io.dshm.server.network.FrameGuard;
import io.dshm.server.network.PeerPort;
import io.dshm.server.network.RefusalLog;
import java.net.InetAddress;
import java.util.function.Predicate;

/** Who may connect to this node's two ports for other nodes, and what they may cost. */
final class PeerAdmission {

    private final Predicate<InetAddress> mayConnect;

    PeerAdmission(ServerConfig config, ClusterMembers members) {
        if (!config.peerAddressCheck()) {
            this.mayConnect = address -> true;
            return;
        }
        AdmittedAddresses addresses = new AdmittedAddresses(
                members.hosts(), InetAddress::getAllByName, PeerAdmission::inBackground, System::nanoTime);
        members.onChange(() -> addresses.set(members.hosts()));
        this.mayConnect = addresses::mayBeMember;
    }

    private static void inBackground(Runnable lookup) {
        Thread thread = new Thread(lookup, "dshm-peer-names");
        thread.setDaemon(true);
        thread.start();
    }

    PeerPort raftPort() {
        return port("Raft port", Limits.RAFT_FRAME_BYTES_MAX, Limits.RAFT_FRAME_BYTES_MAX);
    }

    PeerPort forwardingPort() {
        return port("forwarding port", Limits.PEER_GREETING_BYTES_MAX, Limits.PEER_FRAME_BYTES_MAX);
    }

    private PeerPort port(String name, int firstBytesMax, int frameBytesMax) {
        long unfinishedBytes = Math.max(Limits.PEER_UNFINISHED_BYTES_MIN, Limits.processMemoryBytes() / 8);
        FrameGuard.Bounds frame = new FrameGuard.Bounds(firstBytesMax, frameBytesMax, Limits.PEER_FRAME_MILLIS_MAX);
        return new PeerPort(
                new PeerPort.Bounds(Limits.PEER_CONNECTIONS_MAX, unfinishedBytes, frame),
                mayConnect,
                new RefusalLog(name, System::nanoTime));
    }
}
