package io.dshm.server.shares;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The milliseconds since the machine has started, sleep included, as Linux says them. Any thread. */
public final class Uptime implements Supplier<OptionalLong> {

    private static final Logger LOG = LoggerFactory.getLogger(Uptime.class);

    private final Path file;

    /** Of this machine. */
    public Uptime() {
        this(Path.of("/proc/uptime"));
    }

    Uptime(Path file) {
        this.file = file;
    }

    @Override
    public OptionalLong get() {
        try {
            String seconds = Files.readString(file).split(" ", 2)[0];
            return OptionalLong.of(new BigDecimal(seconds).movePointRight(3).longValueExact());
        } catch (IOException | ArithmeticException | NumberFormatException e) {
            LOG.debug("{} does not say how long this machine has been up", file, e);
            return OptionalLong.empty();
        }
    }
}
