package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class EvictionLogTest {

    @Test
    void a_line_says_how_many_there_were_and_none_comes_where_there_were_none() {
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger(EvictionLog.class);
        lines.start();
        logger.addAppender(lines);
        logger.setLevel(Level.INFO);
        try {
            AtomicLong evicted = new AtomicLong();
            EvictionLog log = new EvictionLog(evicted::get);
            log.look();
            evicted.set(5);
            log.look();
            log.look();
            evicted.set(7);
            log.look();
        } finally {
            logger.setLevel(null);
            logger.detachAppender(lines);
        }
        assertEquals(
                List.of(
                        "5 entries were evicted to make room in their regions, 5 since the start",
                        "2 entries were evicted to make room in their regions, 7 since the start"),
                lines.list.stream().map(ILoggingEvent::getFormattedMessage).toList());
    }
}
