import com.alipay.sofa.jraft.entity.RaftOutter.EntryMeta;
import com.alipay.sofa.jraft.option.RpcOptions;
import com.alipay.sofa.jraft.rpc.ProtobufMsgFactory;
import com.alipay.sofa.jraft.rpc.RaftRpcFactory;
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.rpc.RpcContext;
import com.alipay.sofa.jraft.rpc.RpcProcessor;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.alipay.sofa.jraft.rpc.RpcServer;
import com.alipay.sofa.jraft.rpc.impl.BoltRaftRpcFactory;
import com.alipay.sofa.jraft.rpc.impl.GrpcRaftRpcFactory;
import com.alipay.sofa.jraft.rpc.impl.MarshallerRegistry;
import com.alipay.sofa.jraft.util.Endpoint;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.sun.management.OperatingSystemMXBean;
import io.dshm.server.transport.CallMessages;
import io.dshm.server.transport.CallServer;
import io.dshm.server.transport.LoopbackMembers;
import io.dshm.server.transport.MemberLink;
import io.dshm.server.transport.UnansweredCalls;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What a call between nodes costs in the transport of this project, in SOFAJRaft's over Bolt, and in SOFAJRaft's over gRPC: {@code PORT
 * ROUNDS SECONDS}. Both sides are in this process. A call is an AppendEntries with so many bytes of entries, answered where it arrives.
 */
public final class TransportCost {

    private static final long TIMEOUT_MILLIS = 60_000;
    private static final String MEMBER = "n2";

    private static final AppendEntriesResponse ANSWER =
            AppendEntriesResponse.newBuilder().setTerm(1).setSuccess(true).setLastLogIndex(1).build();

    private TransportCost() {}

    /** A way to the other side. */
    private interface Transport {
        void call(AppendEntriesRequest request, Runnable answered) throws Exception;
    }

    private record Load(String words, int bytes, int inFlight) {}

    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        int rounds = Integer.parseInt(arguments[1]);
        long seconds = Long.parseLong(arguments[2]);
        TreeMap<String, Transport> transports = new TreeMap<>();
        transports.put("DSHM", own());
        transports.put("Bolt", jraft(new BoltRaftRpcFactory(), port));
        transports.put("gRPC", jraft(new GrpcRaftRpcFactory(), port + 1));
        List<Load> loads = List.of(
                new Load("100 bytes, one at a time", 100, 1),
                new Load("100 bytes, 64 at a time", 100, 64),
                new Load("64 KiB, one at a time", 65_536, 1),
                // Bolt refuses more than its buffer for writing holds.
                new Load("64 KiB, 8 at a time", 65_536, 8));
        for (Load load : loads) {
            TreeMap<String, List<Double>> perSecond = new TreeMap<>();
            TreeMap<String, List<Double>> micros = new TreeMap<>();
            for (int round = -1; round < rounds; round++) {
                for (String name : transports.keySet()) {
                    double[] measured = measure(transports.get(name), load, seconds);
                    if (round >= 0) {
                        perSecond.computeIfAbsent(name, any -> new ArrayList<>()).add(measured[0]);
                        micros.computeIfAbsent(name, any -> new ArrayList<>()).add(measured[1]);
                    }
                }
            }
            for (String name : transports.keySet()) {
                System.out.printf(
                        Locale.ROOT,
                        "| %s | %s | %.0f | %.1f |%n",
                        load.words,
                        name,
                        median(perSecond.get(name)),
                        median(micros.get(name)));
            }
        }
        System.exit(0);
    }

    private static double median(List<Double> values) {
        Collections.sort(values);
        return values.get(values.size() / 2);
    }

    /** Calls a second, and microseconds of processor time of both sides for each. */
    private static double[] measure(Transport transport, Load load, long seconds) throws Exception {
        AppendEntriesRequest request = AppendEntriesRequest.newBuilder()
                .setGroupId("group")
                .setServerId("127.0.0.1:1")
                .setPeerId("127.0.0.1:2")
                .setTerm(1)
                .setPrevLogTerm(1)
                .setPrevLogIndex(1)
                .setCommittedIndex(1)
                .addEntries(EntryMeta.newBuilder().setTerm(1).setType(
                        com.alipay.sofa.jraft.entity.EnumOutter.EntryType.ENTRY_TYPE_DATA).setDataLen(load.bytes))
                .setData(ByteString.copyFrom(new byte[load.bytes]))
                .build();
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        Semaphore room = new Semaphore(load.inFlight);
        AtomicLong answered = new AtomicLong();
        long began = System.nanoTime();
        long cpu = system.getProcessCpuTime();
        while (System.nanoTime() - began < TimeUnit.SECONDS.toNanos(seconds)) {
            room.acquire();
            transport.call(request, () -> {
                answered.incrementAndGet();
                room.release();
            });
        }
        room.acquire(load.inFlight);
        long nanos = System.nanoTime() - began;
        long used = system.getProcessCpuTime() - cpu;
        return new double[] {answered.get() * 1e9 / nanos, used / 1e3 / answered.get()};
    }

    private static Transport own() throws Exception {
        LoopbackMembers members = new LoopbackMembers("n1", MEMBER);
        CallServer server = new CallServer(new UnansweredCalls.Total(1L << 28), System::nanoTime);
        server.open(new Appends(), call -> call.answer(ANSWER));
        members.listen(MEMBER, server);
        MemberLink link = new MemberLink(MEMBER, members.dialer("n1"), new Appends(), 1L << 28, () -> {});
        if (link.known().join() != MemberLink.Speech.CALLS) {
            throw new IllegalStateException("no calls");
        }
        return (request, answered) -> link.call(false, request, TIMEOUT_MILLIS, (answer, failure) -> {
            if (failure != null) {
                throw new IllegalStateException(failure);
            }
            answered.run();
        });
    }

    /** As the server's own; theirs has more kinds. */
    private static final class Appends implements CallMessages {
        @Override
        public int kindOf(MessageLite message) {
            return message instanceof AppendEntriesRequest ? 4 : 5;
        }

        @Override
        public MessageLite parse(int kind, CodedInputStream bytes) throws InvalidProtocolBufferException {
            try {
                return kind == 4 ? AppendEntriesRequest.parseFrom(bytes) : AppendEntriesResponse.parseFrom(bytes);
            } catch (java.io.IOException e) {
                throw new InvalidProtocolBufferException(e);
            }
        }
    }

    private static Transport jraft(RaftRpcFactory factory, int port) {
        ProtobufMsgFactory.load();
        if (factory instanceof GrpcRaftRpcFactory grpc) {
            grpc.registerProtobufSerializer(
                    AppendEntriesRequest.class.getName(), AppendEntriesRequest.getDefaultInstance());
            MarshallerRegistry registry = grpc.getMarshallerRegistry();
            registry.registerResponseInstance(
                    AppendEntriesRequest.class.getName(), AppendEntriesResponse.getDefaultInstance());
        }
        Endpoint endpoint = new Endpoint("127.0.0.1", port);
        RpcServer server = factory.createRpcServer(endpoint);
        server.registerProcessor(new RpcProcessor<AppendEntriesRequest>() {
            @Override
            public void handleRequest(RpcContext context, AppendEntriesRequest request) {
                context.sendResponse(ANSWER);
            }

            @Override
            public String interest() {
                return AppendEntriesRequest.class.getName();
            }

            @Override
            public Executor executor() {
                return Runnable::run;
            }
        });
        if (!server.init(null)) {
            throw new IllegalStateException("it does not listen on " + endpoint);
        }
        RpcClient client = factory.createRpcClient();
        client.init(new RpcOptions());
        client.checkConnection(endpoint, true);
        return (request, answered) -> client.invokeAsync(
                endpoint,
                request,
                (answer, failure) -> {
                    if (failure != null) {
                        throw new IllegalStateException(failure);
                    }
                    answered.run();
                },
                TIMEOUT_MILLIS);
    }
}
