package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.option.RaftMetaStorageOptions;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import org.jspecify.annotations.Nullable;

/** Term and vote in memory. */
final class FakeMeta implements RaftMetaStorage {

    private long term;
    private @Nullable PeerId vote;

    FakeMeta(long term) {
        this.term = term;
    }

    @Override
    public boolean init(RaftMetaStorageOptions options) {
        return true;
    }

    @Override
    public void shutdown() {
        vote = null;
    }

    @Override
    public boolean setTerm(long newTerm) {
        term = newTerm;
        return true;
    }

    @Override
    public long getTerm() {
        return term;
    }

    @Override
    public boolean setVotedFor(@Nullable PeerId peer) {
        vote = peer;
        return true;
    }

    @Override
    public @Nullable PeerId getVotedFor() {
        return vote;
    }

    @Override
    public boolean setTermAndVotedFor(long newTerm, @Nullable PeerId peer) {
        return setTerm(newTerm) && setVotedFor(peer);
    }
}
