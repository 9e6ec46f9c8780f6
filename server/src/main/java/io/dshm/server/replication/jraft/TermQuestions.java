package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteResponse;
import com.alipay.sofa.jraft.util.Endpoint;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the other members for their terms, before this node takes part; see {@link JoiningTerm}.
 *
 * <p>The question is Raft's own: whether they would vote for this node in term 0. No node would, the question changes
 * nothing, and the refusal contains the term of the member. Nodes of all releases answer it.
 */
final class TermQuestions {

    private static final Logger LOG = LoggerFactory.getLogger(TermQuestions.class);

    /** How long an answer may take. */
    private static final int ANSWER_MILLIS = 500;

    /**
     * Between the answers of one round and the questions of the next; in the first round no member is connected yet.
     */
    private static final int PAUSE_MILLIS = 200;

    private static final long LINE_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final String group;
    private final String self;
    private final Map<String, Endpoint> others;
    private final List<Electorate> electorates;
    private final RpcClient client;

    /**
     * Questions that nobody has asked yet.
     *
     * @param self the address that this node has in the group
     * @param others the Raft addresses of the other members, by their names
     * @param electorates see {@link JoiningTerm}
     * @param client reaches them; is shut down when that is done
     */
    TermQuestions(
            String group, String self, Map<String, Endpoint> others, List<Electorate> electorates, RpcClient client) {
        this.electorates = List.copyOf(electorates);
        this.group = group;
        this.self = self;
        this.others = Map.copyOf(others);
        this.client = client;
    }

    /**
     * Asks until enough have answered. Blocks until then.
     *
     * @param patienceNanos see {@link JoiningTerm}
     * @param waiting is told, now and then, whose answers are missing
     * @return the term in which this node may take part
     */
    long ask(long patienceNanos, Consumer<List<String>> waiting) throws InterruptedException {
        JoiningTerm known = new JoiningTerm(electorates, patienceNanos);
        try {
            long startedNanos = System.nanoTime();
            long saidNanos = startedNanos;
            while (true) {
                long askedNanos = System.nanoTime();
                Map<String, CompletableFuture<Long>> answers = new HashMap<>();
                others.forEach((name, endpoint) -> answers.put(name, ask(endpoint)));
                for (Map.Entry<String, CompletableFuture<Long>> answer : answers.entrySet()) {
                    try {
                        known.heard(answer.getKey(), answer.getValue().get(), askedNanos - startedNanos);
                    } catch (ExecutionException e) {
                        LOG.debug("no answer of {}", answer.getKey(), e);
                    }
                }
                if (known.isKnown()) {
                    LOG.info("the others' highest term is {}: this node takes part from there on", known.highest());
                    return known.highest();
                }
                waiting.accept(known.missing());
                if (askedNanos - saidNanos >= LINE_NANOS) {
                    saidNanos = askedNanos;
                    LOG.info(
                            "the data of this node is lost, and it may have forgotten votes: it counts for nothing"
                                    + " before it has heard the terms of {}. See 'When a node, or its data, is lost' in"
                                    + " deploy/README.md",
                            known.missing());
                }
                TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
            }
        } finally {
            client.shutdown();
        }
    }

    private CompletableFuture<Long> ask(Endpoint endpoint) {
        RequestVoteRequest question = RequestVoteRequest.newBuilder()
                .setGroupId(group)
                .setServerId(self)
                .setPeerId(endpoint.toString())
                .setTerm(0)
                .setLastLogTerm(0)
                .setLastLogIndex(0)
                .setPreVote(true)
                .build();
        CompletableFuture<Long> term = new CompletableFuture<>();
        InvokeCallback callback = (answer, failure) -> {
            if (failure != null) {
                term.completeExceptionally(failure);
            } else if (answer instanceof RequestVoteResponse vote && !vote.hasErrorResponse()) {
                term.complete(vote.getTerm());
            } else {
                term.completeExceptionally(new RemotingException(String.valueOf(answer)));
            }
        };
        try {
            client.invokeAsync(endpoint, question, null, callback, ANSWER_MILLIS);
        } catch (RemotingException e) {
            term.completeExceptionally(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            term.completeExceptionally(e);
        }
        return term.orTimeout(2 * ANSWER_MILLIS, TimeUnit.MILLISECONDS);
    }
}
