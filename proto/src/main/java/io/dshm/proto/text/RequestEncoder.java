package io.dshm.proto.text;

import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import io.dshm.proto.Doubles;
import io.dshm.proto.Key;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Reply.Failure;
import io.dshm.proto.ValueType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes bytes of commands, for a client. Stateless; writes at the buffer's writer index and lets the buffer grow.
 *
 * <p>Keys with a space or a line end are refused, because a part of them could become a command of its own: the caller has to
 * percent-encode such keys.
 */
public final class RequestEncoder {

    private static final byte[] CRLF = {'\r', '\n'};

    private RequestEncoder() {}

    /**
     * Writes a command, with its data if it has any.
     *
     * @throws IllegalArgumentException if the command cannot be said in this protocol: a key or region with forbidden
     *     bytes, a region with a colon, the default region's flush with an identity, a negative duration or capacity.
     *     Nothing is written then.
     */
    public static void encode(Command command, ByteBuf out) {
        if (command instanceof Command.Read read) {
            encodeRead(read, out);
        } else if (command instanceof Command.Write write) {
            encodeWrite(write, null, out);
        } else if (command instanceof Command.FlushExpired flush) {
            writeRegionVerb(Verb.FLUSH_EXPIRED, flush.region(), out);
            if (flush.max() > 0) {
                writeOption(Option.MAX, Long.toString(flush.max()), out);
            }
            out.writeBytes(CRLF);
        } else if (command instanceof Command.SetReadMode setReadMode) {
            writeVerb(Verb.READ_MODE, out);
            writeWord(setReadMode.mode().wireName(), out);
            out.writeBytes(CRLF);
        } else {
            writeVerb(
                    command == Command.Ping.PING ? Verb.PING : command == Command.Info.INFO ? Verb.INFO : Verb.QUIT,
                    out);
            out.writeBytes(CRLF);
        }
    }

    private static void encodeRead(Command.Read read, ByteBuf out) {
        byte[] data = {};
        if (read instanceof Command.Get get) {
            writeVerb(Verb.GET, get.key(), out);
        } else if (read instanceof Command.Fetch fetch) {
            writeVerb(Verb.FETCH, fetch.key(), out);
            writeStale(fetch.stale(), out);
        } else if (read instanceof Command.Stat stat) {
            writeVerb(Verb.STAT, stat.key(), out);
            writeStale(stat.stale(), out);
        } else if (read instanceof Command.Keys keys) {
            writeRegionVerb(Verb.KEYS, keys.region(), out);
            writeOption(Option.MAX, Integer.toString(keys.max()), out);
            if (keys.after() > 0) {
                writeOption(Option.AFTER, Long.toString(keys.after()), out);
            }
        } else if (read instanceof Command.RegionInfo info) {
            writeRegionVerb(Verb.REGION, info.region(), out);
        } else if (read instanceof Command.MultiRead multi) {
            data = dataOf(multi.reads());
            writeVerb(Verb.MULTI, out);
            writeNumber(data.length, out);
        }
        ReadMode mode = read.mode();
        if (mode != null) {
            writeOption(Option.READ, mode.wireName(), out);
        }
        out.writeBytes(CRLF);
        out.writeBytes(data);
    }

    private static void writeStale(boolean stale, ByteBuf out) {
        if (stale) {
            writeOption(Option.STALE, "yes", out);
        }
    }

    private static byte[] dataOf(List<? extends Command> commands) {
        ByteBuf data = Unpooled.buffer();
        commands.forEach(command -> encode(command, data));
        return ByteBufUtil.getBytes(data);
    }

    /** Writes a line that ends with an identity if there is one, and the data. */
    private static void encodeWrite(Command.Write write, Command.@Nullable Identified identity, ByteBuf out) {
        byte[] data = {};
        if (write instanceof Command.Identified identified) {
            encodeWrite(identified.write(), identified, out);
            return;
        } else if (write instanceof Command.Set set) {
            requireNotNegative(set.ttlMillis());
            writeVerb(Verb.SET, set.key(), out);
            writeSeconds(set.ttlMillis(), out);
            data = set.value();
            writeNumber(data.length, out);
        } else if (write instanceof Command.Touch touch) {
            requireNotNegative(touch.ttlMillis());
            writeVerb(Verb.TOUCH, touch.key(), out);
            writeSeconds(touch.ttlMillis(), out);
        } else if (write instanceof Command.Delete delete) {
            writeVerb(Verb.DELETE, delete.key(), out);
        } else if (write instanceof Command.Incr incr) {
            encodeIncr(incr, out);
        } else if (write instanceof Command.RateLimiter limiter) {
            requireNotNegative(limiter.capacity());
            requireNotNegative(limiter.durationMillis());
            writeVerb(Verb.RATE_LIMITER, limiter.key(), out);
            writeNumber(limiter.capacity(), out);
            writeSeconds(limiter.durationMillis(), out);
        } else if (write instanceof Command.FlushAll flushAll) {
            encodeFlushAll(flushAll.region(), identity != null, out);
        } else if (write instanceof Command.Multi multi) {
            data = dataOf(multi.writes());
            writeVerb(Verb.MULTI, out);
            writeNumber(data.length, out);
        } else {
            data = encodeTyped(write, out);
        }
        if (identity != null) {
            writeOption(Option.ID, Long.toString(identity.client()), out);
            writeOption(Option.SEQ, Long.toString(identity.sequence()), out);
            if (identity.done() > 0) {
                writeOption(Option.DONE, Long.toString(identity.done()), out);
            }
            if (identity.retry()) {
                writeOption(Option.RETRY, "yes", out);
            }
        }
        out.writeBytes(CRLF);
        out.writeBytes(data);
    }

    /** Writes a line, without its end, and returns the data. */
    private static byte[] encodeTyped(Command.Write write, ByteBuf out) {
        if (write instanceof Command.Put put) {
            requireNotNegative(put.ttlMillis());
            writeVerb(Verb.PUT, put.key(), out);
            writeSeconds(put.ttlMillis(), out);
            writeNumber(put.value().length, out);
            writeType(put.type(), out);
            if (put.flags() != 0) {
                writeOption(Option.FLAGS, Integer.toUnsignedString(put.flags()), out);
            }
            writeCondition(put.condition(), out);
            return put.value();
        } else if (write instanceof Command.Push push) {
            writeVerb(push.end() == Command.End.LEFT ? Verb.LPUSH : Verb.RPUSH, push.key(), out);
            writeNumber(push.element().length, out);
            writeType(push.type(), out);
            return push.element();
        } else if (write instanceof Command.Pop pop) {
            writeVerb(pop.end() == Command.End.LEFT ? Verb.LPOP : Verb.RPOP, pop.key(), out);
        } else if (write instanceof Command.Remove remove) {
            writeVerb(Verb.REMOVE, remove.key(), out);
            writeCondition(remove.condition(), out);
        } else if (write instanceof Command.Expire expire) {
            requireNotNegative(expire.ttlMillis());
            writeVerb(Verb.EXPIRE, expire.key(), out);
            writeSeconds(expire.ttlMillis(), out);
        } else if (write instanceof Command.IncrNumber incr) {
            encodeIncrNumber(incr, out);
        }
        return new byte[0];
    }

    private static void encodeIncrNumber(Command.IncrNumber incr, ByteBuf out) {
        requireNotNegative(incr.initTtlMillis());
        writeVerb(Verb.INCR_NUMBER, incr.key(), out);
        writeWord(Doubles.format(incr.by()), out);
        Double init = incr.init();
        if (init != null) {
            writeOption(Option.INIT, Doubles.format(init), out);
            if (incr.initTtlMillis() > 0) {
                out.writeByte(' ');
                out.writeCharSequence(Option.TTL.prefix(), StandardCharsets.US_ASCII);
                Decimals.writeMillisAsSeconds(incr.initTtlMillis(), out);
            }
        }
    }

    private static void writeType(ValueType type, ByteBuf out) {
        if (type != ValueType.STRING) {
            writeOption(Option.TYPE, type.wireName(), out);
        }
    }

    private static void writeCondition(Condition condition, ByteBuf out) {
        if (condition.kind() != Condition.Kind.ANY) {
            writeOption(Option.IF, TypedParser.nameOf(condition), out);
        }
    }

    private static void encodeIncr(Command.Incr incr, ByteBuf out) {
        requireNotNegative(incr.initTtlMillis());
        writeVerb(Verb.INCR, incr.key(), out);
        writeNumber(incr.by(), out);
        writeNumber(incr.init(), out);
        if (incr.initTtlMillis() > 0) {
            writeSeconds(incr.initTtlMillis(), out);
        }
    }

    private static void encodeFlushAll(byte[] region, boolean withOptions, ByteBuf out) {
        if (region.length == 0 && !withOptions) {
            writeVerb(Verb.FLUSHALL, out);
            return;
        }
        require(Names.regionFault(Verb.FLUSHALL, region, 0, region.length), "region");
        writeVerb(Verb.FLUSHALL, out);
        out.writeByte(' ');
        out.writeBytes(region);
    }

    private static void writeRegionVerb(Verb verb, byte[] region, ByteBuf out) {
        require(region.length == 0 ? null : Names.regionFault(verb, region, 0, region.length), "region");
        writeVerb(verb, out);
        out.writeByte(' ');
        out.writeBytes(TypedParser.nameOf(region));
    }

    private static void writeVerb(Verb verb, Key key, ByteBuf out) {
        require(Names.keyFault(verb, key.bytes(), 0, key.bytes().length), "key");
        writeVerb(verb, out);
        out.writeByte(' ');
        out.writeBytes(key.bytes());
    }

    private static void writeWord(String word, ByteBuf out) {
        out.writeByte(' ');
        out.writeCharSequence(word, StandardCharsets.US_ASCII);
    }

    private static void writeOption(Option option, String value, ByteBuf out) {
        writeWord(option.prefix() + value, out);
    }

    private static void writeVerb(Verb verb, ByteBuf out) {
        out.writeCharSequence(verb.name(), StandardCharsets.US_ASCII);
    }

    private static void writeNumber(long number, ByteBuf out) {
        out.writeByte(' ');
        Decimals.write(number, out);
    }

    private static void writeSeconds(long millis, ByteBuf out) {
        out.writeByte(' ');
        Decimals.writeMillisAsSeconds(millis, out);
    }

    private static void require(@Nullable Failure fault, String what) {
        if (fault != null) {
            throw new IllegalArgumentException("this " + what + " cannot be sent: "
                    + (fault.text() != null ? fault.text() : "it holds a byte that a " + what + " may not hold"));
        }
    }

    private static void requireNotNegative(long number) {
        if (number < 0) {
            throw new IllegalArgumentException("not a duration or capacity: " + number);
        }
    }
}
