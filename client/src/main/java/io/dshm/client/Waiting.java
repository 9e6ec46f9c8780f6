package io.dshm.client;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** Waits for outcomes. */
final class Waiting {

    private Waiting() {}

    /**
     * The result.
     *
     * @throws DshmException if there is none
     * @throws IllegalStateException on the event loop
     */
    static <T> T get(CompletableFuture<T> future) {
        if (future instanceof Call<?> call && !future.isDone() && call.core.loop.inEventLoop()) {
            future.cancel(false);
            throw new IllegalStateException("this thread serves all calls: it must not wait for one");
        }
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            future.cancel(false);
            boolean changes = !(future instanceof Call<?> call) || call.changes();
            throw changes
                    ? new UnknownOutcomeException("interrupted", null).thrownHere()
                    : new UnavailableException("interrupted", null).thrownHere();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof DshmException failure) {
                throw failure.thrownHere();
            }
            throw new IllegalStateException(e.getCause());
        } catch (CancellationException e) {
            throw new IllegalStateException(e);
        }
    }
}
