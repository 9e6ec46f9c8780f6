package io.dshm.server.replication.jraft.rpc;

import io.dshm.server.transport.CallServer;
import io.dshm.server.transport.Dialer;

/**
 * What Raft needs of the network between members.
 *
 * @param dialer connects to members, by their names
 * @param calls takes their calls
 */
public record MemberNetwork(Dialer dialer, CallServer calls) {}
