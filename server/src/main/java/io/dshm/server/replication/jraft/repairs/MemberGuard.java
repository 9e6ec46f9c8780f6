package io.dshm.server.replication.jraft.repairs;

import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.RpcContext;
import com.alipay.sofa.jraft.rpc.RpcProcessor;
import com.alipay.sofa.jraft.rpc.RpcRequestProcessor;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequestHeader;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.ReadIndexRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowResponse;
import com.alipay.sofa.jraft.storage.snapshot.Snapshot;
import com.alipay.sofa.jraft.util.Endpoint;
import com.alipay.sofa.jraft.util.RpcFactoryHelper;
import com.google.protobuf.Message;
import io.dshm.proto.Limits;
import io.dshm.server.guard.Guard;
import io.dshm.server.network.RefusalLog;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Checks what comes from other nodes: only requests that a member sends to this node, with a plausible term, are
 * accepted. SOFAJRaft itself checks only that there is a node of the addressed name, and starts a thread for each name
 * that a leader may have.
 *
 * <p>It does not protect from a program that uses a member's name and address. Thread-safe.
 */
public final class MemberGuard {

    private final String group;
    private final String self;
    private final Set<String> others;
    private final Function<String, @Nullable String> foreign;
    private final LongSupplier ownTerm;
    private final RefusalLog refusals;

    /**
     * A guard of one node.
     *
     * @param self this node's Raft address
     * @param others those of the other members; may change
     * @param foreign why no snapshot may come from that member's address, null if it may; may block
     * @param ownTerm this node's term; asked on any thread, for each request
     */
    public MemberGuard(
            String group,
            String self,
            Set<String> others,
            Function<String, @Nullable String> foreign,
            LongSupplier ownTerm,
            RefusalLog refusals) {
        this.group = group;
        this.self = self;
        this.others = others;
        this.foreign = foreign;
        this.ownTerm = ownTerm;
        this.refusals = refusals;
    }

    /** That processor, for requests that are admitted; others are answered with an error. */
    public <T extends Message> RpcProcessor<T> before(RpcRequestProcessor<T> processor) {
        return new RpcProcessor<T>() {
            @Override
            public void handleRequest(RpcContext context, T request) {
                String refusal = refusal(request);
                if (refusal == null) {
                    // The transport logs whatever is thrown, and goes on.
                    Guard.errorsOf("a Raft request", () -> processor.handleRequest(context, request));
                    return;
                }
                refusals.refused(context.getRemoteAddress(), refusal);
                context.sendResponse(RpcFactoryHelper.responseFactory()
                        .newResponse(processor.defaultResp(), RaftError.EPERM, "%s", refusal));
            }

            @Override
            public String interest() {
                return processor.interest();
            }

            @Override
            public Executor executor() {
                return processor.executor();
            }

            @Override
            public @Nullable ExecutorSelector executorSelector() {
                ExecutorSelector selector = processor.executorSelector();
                return selector == null
                        ? null
                        : (name, header) -> isMembers(header) ? selector.select(name, header) : executor();
            }
        };
    }

    private boolean isMembers(@Nullable Object header) {
        return header instanceof AppendEntriesRequestHeader sent
                && stranger(sent.getGroupId(), sent.getServerId(), sent.getPeerId()) == null;
    }

    /** Hands answers of that node on, if they are admitted, and an error otherwise. */
    public InvokeCallback after(Endpoint endpoint, InvokeCallback callback) {
        return new InvokeCallback() {
            @Override
            public void complete(@Nullable Object answer, @Nullable Throwable failure) {
                String refusal = answer == null ? null : refusalOfAnswer(answer);
                if (refusal == null) {
                    Guard.errorsOf("a Raft response", () -> callback.complete(answer, failure));
                    return;
                }
                refusals.refused(endpoint, refusal);
                callback.complete(null, new RemotingException(refusal));
            }

            @Override
            public Executor executor() {
                return callback.executor();
            }
        };
    }

    /** Why a request is refused; null if it is admitted. */
    @Nullable
    String refusal(Object request) {
        if (request instanceof AppendEntriesRequest append) {
            return refusal(append.getGroupId(), append.getServerId(), append.getPeerId(), append.getTerm());
        }
        if (request instanceof RequestVoteRequest vote) {
            return refusal(vote.getGroupId(), vote.getServerId(), vote.getPeerId(), vote.getTerm());
        }
        if (request instanceof TimeoutNowRequest takeover) {
            return refusal(takeover.getGroupId(), takeover.getServerId(), takeover.getPeerId(), takeover.getTerm());
        }
        if (request instanceof InstallSnapshotRequest install) {
            String leader = install.getServerId();
            String refusal = refusal(install.getGroupId(), leader, install.getPeerId(), install.getTerm());
            if (refusal != null) {
                return refusal;
            }
            // The copy is fetched from there, by a connection of this node's own.
            return install.getUri().startsWith(Snapshot.REMOTE_SNAPSHOT_URI_SCHEME + leader + "/")
                    ? foreign.apply(leader)
                    : "a snapshot of " + leader + " at " + install.getUri();
        }
        if (request instanceof ReadIndexRequest read) {
            return stranger(read.getGroupId(), read.getServerId(), read.getPeerId());
        }
        if (request instanceof GetFileRequest file) {
            // The library asks for the list of a snapshot's files as a whole, with the largest number; it is short.
            boolean list = file.getFilename().equals(Snapshot.JRAFT_SNAPSHOT_META_FILE);
            return !list && file.getCount() > Limits.RAFT_CHUNK_BYTES
                    ? "a piece of " + file.getCount() + " bytes"
                    : null;
        }
        return "no request for a member: " + request.getClass();
    }

    private @Nullable String refusal(String toGroup, String from, String to, long term) {
        String stranger = stranger(toGroup, from, to);
        return stranger == null ? absurd(term) : stranger;
    }

    private @Nullable String stranger(String toGroup, String from, String to) {
        if (!toGroup.equals(group) || !to.equals(self)) {
            return "a request for " + toGroup + " " + to + ", this is " + group + " " + self;
        }
        return others.contains(from) ? null : "a request of " + from + ", which is no other member";
    }

    /**
     * A term rises by one with each election. A node that took over the largest number there is could never take part
     * in one again, nor could whoever heard of it.
     */
    private @Nullable String absurd(long term) {
        long own = ownTerm.getAsLong();
        return term - own <= Limits.TERM_JUMP_MAX
                ? null
                : "term " + term + " is too far above this node's " + own + " to be the group's";
    }

    /** Why an answer to a request of this node is refused; null if it is admitted. */
    @Nullable
    String refusalOfAnswer(Object answer) {
        if (answer instanceof AppendEntriesResponse append) {
            return absurd(append.getTerm());
        }
        if (answer instanceof RequestVoteResponse vote) {
            return absurd(vote.getTerm());
        }
        if (answer instanceof InstallSnapshotResponse install) {
            return absurd(install.getTerm());
        }
        return answer instanceof TimeoutNowResponse takeover ? absurd(takeover.getTerm()) : null;
    }
}
