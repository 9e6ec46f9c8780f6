package io.dshm.server.simulation;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/** Thousands of runs with faults in them: what nodes log about these is not for the build's log. */
final class Quiet implements BeforeAllCallback, AfterAllCallback {

    private static final Logger REPLICATION = (Logger) LoggerFactory.getLogger("io.dshm.server.replication");

    @Override
    public void beforeAll(ExtensionContext context) {
        REPLICATION.setLevel(Level.OFF);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        REPLICATION.setLevel(null);
    }
}
