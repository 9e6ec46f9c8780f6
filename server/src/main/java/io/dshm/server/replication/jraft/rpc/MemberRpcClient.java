package io.dshm.server.replication.jraft.rpc;

import com.alipay.sofa.jraft.ReplicatorGroup;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.error.InvokeTimeoutException;
import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.option.RpcOptions;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.InvokeContext;
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteRequest;
import com.alipay.sofa.jraft.util.Endpoint;
import com.alipay.sofa.jraft.util.RpcFactoryHelper;
import com.google.protobuf.MessageLite;
import io.dshm.proto.Limits;
import io.dshm.server.guard.Guard;
import io.dshm.server.guard.GuardedPool;
import io.dshm.server.replication.jraft.bolt.BoltTransport;
import io.dshm.server.transport.CallAnswer;
import io.dshm.server.transport.MemberLink;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends Raft's requests to the other members: over this project's own transport, or over Bolt to a node of format 1, as
 * the other node says when it is greeted. Before it has said so, requests fail.
 *
 * <p>Nobody waits for a machine that does not answer. SOFAJRaft connects to all members before it asks for their votes,
 * before it counts them, and again as a leader, and holds the lock of the Raft node meanwhile. So a caller waits for a
 * moment, and goes on without that member for this time; connections are made in the background.
 *
 * <p>It also sends no request for votes while the node may not have any, and passes no answer on that the guard does
 * not admit. Thread-safe.
 */
public final class MemberRpcClient implements RpcClient {

    /** A machine that is up answers within this time, even when both sides have just started. */
    private static final long WAIT_MILLIS = 150;

    /** So many entries at most are sent on the event loop after an answer: a leader under load has one or two more. */
    private static final long QUICK_ENTRIES_MAX = 16;

    private final Map<Endpoint, Peer> peers = new ConcurrentHashMap<>();

    /** For what the library does when a member is there again, which may block. */
    private final Executor connected = new GuardedPool("raft-connected", 1, new LinkedBlockingQueue<>(), task -> {
        Thread thread = new Thread(task, "raft-connected");
        thread.setDaemon(true);
        return thread;
    });

    private @Nullable MemberOptions options;
    private @Nullable ReplicatorGroup replicators;
    private @Nullable RpcClient bolt;
    private volatile boolean closed;

    /** One other member. */
    private final class Peer {

        private final Endpoint endpoint;
        private final String name;
        private final MemberLink link;

        /** It was waited for in vain, and has not answered since. */
        private volatile boolean silent;

        Peer(Endpoint endpoint, MemberOptions with, String name) {
            this.endpoint = endpoint;
            this.name = name;
            long unsentBytesMax = Math.min(Limits.RAFT_UNSENT_BYTES_MAX, Limits.processMemoryBytes() / 8);
            this.link = new MemberLink(name, with.dialer(), RaftMessages.INSTANCE, unsentBytesMax, this::onKnown);
        }

        private void onKnown() {
            silent = false;
            ReplicatorGroup group = replicators;
            if (group != null && link.speech() == MemberLink.Speech.CALLS) {
                connected.execute(() -> group.checkReplicator(new PeerId(endpoint, 0), true));
            }
        }

        /** Waits a moment for it. */
        MemberLink.Speech await() throws InterruptedException, RemotingException {
            try {
                return link.known().get(silent ? 0 : WAIT_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                silent = true;
                throw new InvokeTimeoutException("no answer from " + endpoint + " yet");
            } catch (ExecutionException e) {
                throw new RemotingException(e.getCause());
            }
        }
    }

    @Override
    public boolean init(RpcOptions given) {
        if (!(given instanceof MemberOptions members)) {
            throw new IllegalArgumentException("no settings for a member: " + given);
        }
        options = members;
        return true;
    }

    @Override
    public void shutdown() {
        closed = true;
        peers.values().forEach(peer -> peer.link.close());
        synchronized (this) {
            if (bolt != null) {
                bolt.shutdown();
            }
        }
    }

    @Override
    public void registerConnectEventListener(ReplicatorGroup group) {
        replicators = group;
    }

    /** The client for nodes of format 1, made when the first one is met. */
    private synchronized RpcClient bolt() {
        RpcClient client = bolt;
        if (client == null) {
            client = BoltTransport.newClient(new RpcOptions(), replicators);
            bolt = client;
        }
        return client;
    }

    private @Nullable Peer peer(Endpoint endpoint) {
        Peer known = peers.get(endpoint);
        MemberOptions with = options;
        if (with == null || closed || (known != null && known.link.speech() != MemberLink.Speech.UNKNOWN)) {
            return known;
        }
        String name = with.nameOf().apply(endpoint.toString());
        if (known != null && !known.name.equals(name) && peers.remove(endpoint, known)) {
            // It is no member any more, and another one may be where it was.
            known.link.close();
        }
        return name == null ? null : peers.computeIfAbsent(endpoint, key -> new Peer(key, with, name));
    }

    @Override
    public boolean checkConnection(Endpoint endpoint) {
        return checkConnection(endpoint, false);
    }

    /** Whether it is connected; if not, that is tried in the background in any case. */
    @Override
    public boolean checkConnection(Endpoint endpoint, boolean createIfAbsent) {
        Peer peer = peer(endpoint);
        if (peer == null) {
            return false;
        }
        return switch (peer.link.speech()) {
            case CALLS -> true;
            case NO_CALLS -> bolt().checkConnection(endpoint, createIfAbsent);
            case UNKNOWN -> false;
        };
    }

    /** The library calls this for members that it has removed. */
    @Override
    public void closeConnection(Endpoint endpoint) {
        Peer peer = peers.remove(endpoint);
        if (peer != null) {
            peer.link.close();
        }
    }

    /** The library does this in order to connect, and for nothing else: the request is a ping. */
    @Override
    public Object invokeSync(Endpoint endpoint, Object ping, @Nullable InvokeContext context, long timeoutMillis)
            throws InterruptedException, RemotingException {
        Peer peer = peer(endpoint);
        if (peer == null) {
            throw new RemotingException("no member has the address " + endpoint);
        }
        return peer.await() == MemberLink.Speech.NO_CALLS
                ? bolt().invokeSync(endpoint, ping, context, timeoutMillis)
                : RpcFactoryHelper.responseFactory().newResponse(null, 0, "connected");
    }

    /**
     * At most so many bytes answer it. The library asks for the list of a snapshot's files as one of 2^31 - 1 bytes.
     */
    private static long pieceBytes(GetFileRequest file) {
        return Math.min(file.getCount(), Limits.RAFT_CHUNK_BYTES);
    }

    /**
     * Fails if there is no connection yet, instead of waiting for one, and for a request for votes or for a piece of a
     * snapshot that is not allowed.
     */
    @Override
    public void invokeAsync(
            Endpoint endpoint,
            Object request,
            @Nullable InvokeContext context,
            InvokeCallback callback,
            long timeoutMillis)
            throws InterruptedException, RemotingException {
        Peer peer = peer(endpoint);
        MemberOptions with = options;
        if (peer == null || with == null) {
            throw new RemotingException("no member has the address " + endpoint);
        }
        if (request instanceof RequestVoteRequest && !with.mayVote().getAsBoolean()) {
            throw new RemotingException("this node has lost its data and asks for no vote before it has it back");
        }
        if (request instanceof GetFileRequest file && !with.mayCopy().test(pieceBytes(file))) {
            // The library tries again; if it could not write what comes, it would end this node for good.
            throw new RemotingException("no room for a snapshot: the disk is full");
        }
        InvokeCallback admitted = with.guard() == null ? callback : with.guard().after(endpoint, callback);
        if (peer.link.speech() == MemberLink.Speech.NO_CALLS) {
            bolt().invokeAsync(endpoint, request, context, admitted, timeoutMillis);
            return;
        }
        try {
            peer.link.call(
                    RaftMessages.isLarge(request),
                    (MessageLite) request,
                    timeoutMillis,
                    answerTo(endpoint, lastEntry(request), admitted, with.lastAppended()));
        } catch (IOException e) {
            throw new RemotingException(e.getMessage());
        }
    }

    /** The index of the last entry that is sent; 0 without entries. */
    private static long lastEntry(Object request) {
        return request instanceof AppendEntriesRequest append && append.getEntriesCount() > 0
                ? append.getPrevLogIndex() + append.getEntriesCount()
                : 0;
    }

    /**
     * Whether the library deals with an answer fast enough for an event loop: a follower has taken the entries up to
     * that index, and there are few behind it that have to be sent. So the leader wakes no other thread for each
     * answer. What is sent to a follower that is further behind is read from the disk, and a refusal may make the
     * library write to it.
     */
    private static boolean isQuick(@Nullable MessageLite answer, long lastEntry, LongSupplier lastAppended) {
        return lastEntry > 0
                && answer instanceof AppendEntriesResponse append
                && append.getSuccess()
                && lastAppended.getAsLong() - lastEntry <= QUICK_ENTRIES_MAX;
    }

    /** Hands an answer to who asked, on the executor that it wants unless that takes no time. */
    private static CallAnswer answerTo(
            Endpoint endpoint, long lastEntry, InvokeCallback callback, LongSupplier lastAppended) {
        return (answer, failure) -> {
            Throwable cause = failure instanceof TimeoutException
                    ? new InvokeTimeoutException("no answer of " + endpoint + " in time")
                    : failure;
            Runnable tell = Guard.of("an answer to a Raft request", () -> callback.complete(answer, cause));
            Executor executor = callback.executor();
            if (executor == null || isQuick(answer, lastEntry, lastAppended)) {
                tell.run();
                return;
            }
            try {
                executor.execute(tell);
            } catch (RejectedExecutionException e) {
                // It is being shut down, or full: a replicator that is not told would wait for ever.
                tell.run();
            }
        };
    }
}
