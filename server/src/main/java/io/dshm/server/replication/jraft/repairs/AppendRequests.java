package io.dshm.server.replication.jraft.repairs;

import com.alipay.sofa.jraft.Node;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.rpc.RaftServerService;
import com.alipay.sofa.jraft.rpc.RpcRequestClosure;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.impl.core.AppendEntriesRequestProcessor;
import com.alipay.sofa.jraft.util.RpcFactoryHelper;
import com.google.protobuf.Message;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Takes a leader's entries, without those that this node has applied already, and its heartbeats.
 *
 * <p>A leader that lost its connection begins again with the last entry of which it knows that this node has it. If
 * this node has taken two snapshots since, that entry is no longer in its log; SOFAJRaft then refuses all that follows,
 * the leader goes back, entry by entry, to a snapshot that is older than this node's, and begins again from there, for
 * ever. But what is applied is committed, and so in the leader's log as well: such a request can begin behind it.
 *
 * <p>If the leader has another log entry there, one of the two nodes has lost entries that it had acknowledged, and
 * this node must stop: see {@link Difference}.
 */
public final class AppendRequests extends AppendEntriesRequestProcessor {

    /**
     * A place in the log.
     *
     * @param index from 1 on
     * @param term of the entry there
     */
    public record Position(long index, long term) {}

    private final Difference difference;
    private final AppliedTerms applied;
    private final LeaderReminder reminder;
    private final BooleanSupplier noRoom;

    /**
     * A processor of requests.
     *
     * @param noRoom whether no entry can be taken, because the disk is full: an append that fails would end this node.
     *     The leader asks again, and its heartbeats are answered meanwhile.
     */
    public AppendRequests(
            Executor executor,
            AppliedTerms applied,
            Difference difference,
            LeaderReminder reminder,
            BooleanSupplier noRoom) {
        super(executor);
        this.noRoom = noRoom;
        this.applied = applied;
        this.difference = difference;
        this.reminder = reminder;
    }

    @Override
    public @Nullable Message processRequest0(
            RaftServerService service, AppendEntriesRequest request, RpcRequestClosure done) {
        Position last = applied.last();
        difference.check(request);
        if (request.hasData() && noRoom.getAsBoolean()) {
            return RpcFactoryHelper.responseFactory().newResponse(defaultResp(), RaftError.EBUSY, "the disk is full");
        }
        if (request.hasData()) {
            reminder.onEntries();
        } else {
            Message answer = reminder.answer(request, ((Node) service).getLastLogIndex());
            if (answer != null) {
                return answer;
            }
        }
        return super.processRequest0(service, behind(last, request), done);
    }

    /** The part of the request after the log entry at that position; the request itself if it begins there or later. */
    static AppendEntriesRequest behind(@Nullable Position applied, AppendEntriesRequest request) {
        // A heartbeat without a position comes from a leader that is about to send a snapshot.
        if (applied == null || request.getPrevLogIndex() == 0 || request.getPrevLogIndex() >= applied.index()) {
            return request;
        }
        int skipped = (int) Math.min(applied.index() - request.getPrevLogIndex(), request.getEntriesCount());
        int bytes = request.getEntriesList().subList(0, skipped).stream()
                .mapToInt(entry -> (int) entry.getDataLen())
                .sum();
        AppendEntriesRequest.Builder rest = request.toBuilder()
                .setPrevLogIndex(applied.index())
                .setPrevLogTerm(applied.term())
                .clearEntries()
                .addAllEntries(request.getEntriesList().subList(skipped, request.getEntriesCount()));
        if (request.hasData()) {
            // Even if no entry is left: without data it would be a heartbeat, which is answered out of order.
            rest.setData(request.getData().substring(bytes));
        }
        return rest.build();
    }
}
