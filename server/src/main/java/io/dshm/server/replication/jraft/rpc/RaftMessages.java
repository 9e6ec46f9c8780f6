package io.dshm.server.replication.jraft.rpc;

import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.ErrorResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.ReadIndexRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.ReadIndexResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowResponse;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import io.dshm.server.transport.CallMessages;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Raft's messages, as far as members send them to each other. Their numbers on the wire are their places here, from 1:
 * never to be changed.
 */
final class RaftMessages implements CallMessages {

    private static final List<MessageLite> KINDS = List.of(
            ErrorResponse.getDefaultInstance(),
            RequestVoteRequest.getDefaultInstance(),
            RequestVoteResponse.getDefaultInstance(),
            AppendEntriesRequest.getDefaultInstance(),
            AppendEntriesResponse.getDefaultInstance(),
            InstallSnapshotRequest.getDefaultInstance(),
            InstallSnapshotResponse.getDefaultInstance(),
            GetFileRequest.getDefaultInstance(),
            GetFileResponse.getDefaultInstance(),
            ReadIndexRequest.getDefaultInstance(),
            ReadIndexResponse.getDefaultInstance(),
            TimeoutNowRequest.getDefaultInstance(),
            TimeoutNowResponse.getDefaultInstance());

    static final RaftMessages INSTANCE = new RaftMessages();

    private final Map<Class<?>, Integer> numbers = new HashMap<>();

    private RaftMessages() {
        for (MessageLite kind : KINDS) {
            numbers.put(kind.getClass(), numbers.size() + 1);
        }
    }

    /**
     * Whether such a request goes on the connection for large messages: it may be large itself, or its answer. Votes
     * and heartbeats never wait behind those.
     */
    static boolean isLarge(Object request) {
        return request instanceof AppendEntriesRequest append
                // A question for where the log ends has data, which is empty: it keeps its place among the entries.
                ? append.hasData() || append.getEntriesCount() > 0
                : request instanceof GetFileRequest || request instanceof InstallSnapshotRequest;
    }

    @Override
    public int kindOf(MessageLite message) {
        Integer number = numbers.get(message.getClass());
        if (number == null) {
            throw new IllegalArgumentException("no message between members: " + message.getClass());
        }
        return number;
    }

    @Override
    public MessageLite parse(int kind, CodedInputStream bytes) throws InvalidProtocolBufferException {
        if (kind < 1 || kind > KINDS.size()) {
            throw new InvalidProtocolBufferException("no message has the number " + kind);
        }
        return KINDS.get(kind - 1).getParserForType().parseFrom(bytes);
    }
}
