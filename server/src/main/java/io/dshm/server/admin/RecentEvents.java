package io.dshm.server.admin;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.dshm.proto.Limits;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.LoggerFactory;

/**
 * The newest lines of this node's log, for the operators' page: elections, members, snapshots, a full disk.
 * Thread-safe.
 */
final class RecentEvents extends AppenderBase<ILoggingEvent> {

    /** Whose lines these are. */
    private static final String LOGGER = "io.dshm";

    /** Oldest first. Guarded by itself. */
    private final Deque<Map<String, Object>> lines = new ArrayDeque<>();

    /** Remembers what is logged from now on; with another logging library than Logback, nothing. */
    void begin() {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext logging) {
            setContext(logging);
            start();
            logging.getLogger(LOGGER).addAppender(this);
        }
    }

    /** Remembers nothing more. */
    void end() {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext logging) {
            logging.getLogger(LOGGER).detachAppender(this);
        }
        stop();
    }

    @Override
    protected void append(ILoggingEvent event) {
        if (!event.getLevel().isGreaterOrEqual(Level.INFO)) {
            return;
        }
        String text = event.getFormattedMessage();
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("millis", event.getTimeStamp());
        line.put("level", event.getLevel().toString());
        line.put("text", text.substring(0, Math.min(text.length(), Limits.PAGE_EVENT_CHARACTERS_MAX)));
        synchronized (lines) {
            if (lines.size() == Limits.PAGE_EVENTS_MAX) {
                lines.removeFirst();
            }
            lines.addLast(line);
        }
    }

    /** Newest first: {@code millis} since 1970, {@code level}, {@code text}. */
    List<Map<String, Object>> newest() {
        List<Map<String, Object>> all;
        synchronized (lines) {
            all = new ArrayList<>(lines);
        }
        Collections.reverse(all);
        return all;
    }
}
