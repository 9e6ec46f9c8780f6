package io.dshm.server.replication.jraft.repairs;

import com.alipay.sofa.jraft.rpc.RaftServerService;
import com.alipay.sofa.jraft.rpc.RpcRequestClosure;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowResponse;
import com.alipay.sofa.jraft.rpc.impl.core.RequestVoteRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.TimeoutNowRequestProcessor;
import com.google.protobuf.Message;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;

/**
 * A node that lost its data has forgotten what it voted for and which entries it had promised to keep: with its vote,
 * two nodes of three could elect one that lacks an acknowledged write. So until it has its data back it gives no vote
 * and asks for none, and names term 0: see {@code JoiningTerm}.
 */
public final class VoteGuard {

    private VoteGuard() {}

    /** Answers requests for votes with a refusal while the node may not vote. */
    public static RequestVoteRequestProcessor votes(Executor executor, BooleanSupplier mayVote) {
        return new RequestVoteRequestProcessor(executor) {
            @Override
            public Message processRequest0(
                    RaftServerService service, RequestVoteRequest request, RpcRequestClosure done) {
                return mayVote.getAsBoolean()
                        ? super.processRequest0(service, request, done)
                        : RequestVoteResponse.newBuilder()
                                .setTerm(0)
                                .setGranted(false)
                                .build();
            }
        };
    }

    /** Refuses to take over leadership while the node may not vote. */
    public static TimeoutNowRequestProcessor takeovers(Executor executor, BooleanSupplier mayVote) {
        return new TimeoutNowRequestProcessor(executor) {
            @Override
            public Message processRequest0(
                    RaftServerService service, TimeoutNowRequest request, RpcRequestClosure done) {
                return mayVote.getAsBoolean()
                        ? super.processRequest0(service, request, done)
                        : TimeoutNowResponse.newBuilder()
                                .setTerm(0)
                                .setSuccess(false)
                                .build();
            }
        };
    }
}
