package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.option.RaftMetaStorageOptions;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import io.dshm.proto.Limits;

/**
 * This node's term, and which of the terms that others name can be. A term rises by one with each election; a node that took
 * over the largest number there is could never take part in an election again, nor could whoever heard of it.
 *
 * <p>Thread-safe; without a lock.
 */
final class Terms {

    private volatile long own;

    /** Whether the term that another node names is one that this group can have reached. */
    boolean admits(long term) {
        return term - own <= Limits.TERM_JUMP_MAX;
    }

    /** This node's term now. */
    long own() {
        return own;
    }

    /** A storage that this takes notice of: each new term is written there before the node uses it. */
    RaftMetaStorage watch(RaftMetaStorage storage) {
        return new Watched(storage);
    }

    private final class Watched implements RaftMetaStorage {

        private final RaftMetaStorage storage;

        Watched(RaftMetaStorage storage) {
            this.storage = storage;
        }

        @Override
        public boolean init(RaftMetaStorageOptions options) {
            boolean opened = storage.init(options);
            if (opened) {
                own = storage.getTerm();
            }
            return opened;
        }

        @Override
        public void shutdown() {
            storage.shutdown();
        }

        @Override
        public boolean setTerm(long term) {
            return noted(term, storage.setTerm(term));
        }

        @Override
        public long getTerm() {
            return storage.getTerm();
        }

        @Override
        public boolean setVotedFor(PeerId peer) {
            return storage.setVotedFor(peer);
        }

        @Override
        public PeerId getVotedFor() {
            return storage.getVotedFor();
        }

        @Override
        public boolean setTermAndVotedFor(long term, PeerId peer) {
            return noted(term, storage.setTermAndVotedFor(term, peer));
        }

        private boolean noted(long term, boolean written) {
            if (written) {
                own = term;
            }
            return written;
        }
    }
}
