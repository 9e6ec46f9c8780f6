package io.dshm.server.torture;

import io.dshm.server.history.History;

/** A part of a run with keys of its own, whose history can be checked by itself. */
final class Round {

    private final int number;
    private final History history = new History();
    private int users;

    private Round(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }

    History history() {
        return history;
    }

    /** All rounds of a run, one after another. Thread-safe. */
    static final class Sequence {

        private Round current = new Round(1);

        /** The present round; it is not over before the caller has left it. */
        synchronized Round enter() {
            current.users++;
            return current;
        }

        synchronized void leave(Round round) {
            round.users--;
            notifyAll();
        }

        /** Begins the next round, and returns the one before it. */
        synchronized Round next() {
            Round previous = current;
            current = new Round(previous.number + 1);
            return previous;
        }

        /** Waits until nobody is in that round any more. */
        synchronized void awaitLeft(Round round) throws InterruptedException {
            while (round.users > 0) {
                wait();
            }
        }
    }
}
