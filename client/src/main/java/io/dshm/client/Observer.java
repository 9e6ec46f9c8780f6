package io.dshm.client;

import org.jspecify.annotations.Nullable;

/**
 * Sees all calls, for metrics and traces. It is called on the threads of the calls, so it must be quick, must not
 * block, and must not throw.
 */
@FunctionalInterface
public interface Observer {

    /**
     * A call begins, on the thread that makes it.
     *
     * @param verb in upper case, for example {@code INCR}
     * @return who is told the end of this call; null for nobody
     */
    @Nullable
    Observation began(String verb);

    /** Is told the end of one call. */
    @FunctionalInterface
    interface Observation {

        /**
         * The call has ended, on whatever thread that happened.
         *
         * @param failure null if there is a result
         * @param attempts how often it was sent; 0 if it never was
         */
        void ended(@Nullable Throwable failure, int attempts);
    }
}
