package io.dshm.proto.text;

import io.dshm.proto.Command;
import io.dshm.proto.CommandVisitor;
import io.dshm.proto.Condition;
import io.dshm.proto.Doubles;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Policy;
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
 * <p>Keys with a space or a line end are refused, because a part of them could become a command of its own: the caller
 * has to percent-encode such keys.
 */
public final class RequestEncoder {

    private static final byte[] CRLF = {'\r', '\n'};

    private static final byte[] NO_DATA = {};
    private static final ReadLines READ_LINES = new ReadLines();
    private static final WriteLines WRITE_LINES = new WriteLines(false);
    private static final WriteLines IDENTIFIED_WRITE_LINES = new WriteLines(true);

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
                writeOption(Option.MAX, flush.max(), out);
            }
            out.writeBytes(CRLF);
        } else if (command instanceof Command.SetReadMode setReadMode) {
            writeVerb(Verb.READ_MODE, out);
            writeWord(setReadMode.mode().wireName(), out);
            out.writeBytes(CRLF);
        } else if (command instanceof Command.SetShares shares) {
            writeVerb(Verb.SHARES, out);
            writeWord(shares.allowed() ? LineParser.YES : LineParser.NO, out);
            out.writeBytes(CRLF);
        } else if (command instanceof Command.Auth auth) {
            writeVerb(Verb.AUTH, out);
            out.writeByte(' ');
            AuthWords.encode(auth.user(), out);
            out.writeByte(' ');
            AuthWords.encode(auth.secret(), out);
            out.writeBytes(CRLF);
        } else {
            writeVerb(
                    command == Command.Ping.PING ? Verb.PING : command == Command.Info.INFO ? Verb.INFO : Verb.QUIT,
                    out);
            out.writeBytes(CRLF);
        }
    }

    private static void encodeRead(Command.Read read, ByteBuf out) {
        byte[] data = read.accept(out, READ_LINES);
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

    /** Writes the line of a request that has others in its data, without its end, and returns the data. */
    private static byte[] encodeWithin(Verb verb, List<? extends Command> commands, ByteBuf out) {
        ByteBuf data = Unpooled.buffer();
        commands.forEach(command -> encode(command, data));
        writeVerb(verb, out);
        writeNumber(data.readableBytes(), out);
        return ByteBufUtil.getBytes(data);
    }

    /** Writes a line that ends with an identity if there is one, and the data. */
    private static void encodeWrite(Command.Write write, Command.@Nullable Identified identity, ByteBuf out) {
        if (write instanceof Command.Identified identified) {
            encodeWrite(identified.write(), identified, out);
            return;
        }
        byte[] data = write.accept(out, identity == null ? WRITE_LINES : IDENTIFIED_WRITE_LINES);
        if (identity != null) {
            writeOption(Option.ID, identity.client(), out);
            writeOption(Option.SEQ, identity.sequence(), out);
            if (identity.done() > 0) {
                writeOption(Option.DONE, identity.done(), out);
            }
            if (identity.retry()) {
                writeOption(Option.RETRY, "yes", out);
            }
        }
        out.writeBytes(CRLF);
        out.writeBytes(data);
    }

    /** Writes the line of a read, without its mode and end, and returns the data. */
    private static final class ReadLines implements CommandVisitor.OfRead<ByteBuf, byte[]> {
        @Override
        public byte[] get(Command.Get read, ByteBuf out) {
            writeVerb(Verb.GET, read.key(), out);
            return NO_DATA;
        }

        @Override
        public byte[] fetch(Command.Fetch read, ByteBuf out) {
            writeVerb(Verb.FETCH, read.key(), out);
            writeStale(read.stale(), out);
            return NO_DATA;
        }

        @Override
        public byte[] stat(Command.Stat read, ByteBuf out) {
            writeVerb(Verb.STAT, read.key(), out);
            writeStale(read.stale(), out);
            return NO_DATA;
        }

        @Override
        public byte[] keys(Command.Keys read, ByteBuf out) {
            writeRegionVerb(Verb.KEYS, read.region(), out);
            writeOption(Option.MAX, read.max(), out);
            if (read.after() > 0) {
                writeOption(Option.AFTER, read.after(), out);
            }
            return NO_DATA;
        }

        @Override
        public byte[] regionInfo(Command.RegionInfo read, ByteBuf out) {
            writeRegionVerb(Verb.REGION, read.region(), out);
            return NO_DATA;
        }

        @Override
        public byte[] multiRead(Command.MultiRead read, ByteBuf out) {
            return encodeWithin(Verb.MULTI, read.reads(), out);
        }
    }

    /** Writes the line of a write, without its identity and end, and returns the data. */
    private record WriteLines(boolean identified) implements CommandVisitor.OfWrite<ByteBuf, byte[]> {
        @Override
        public byte[] set(Command.Set write, ByteBuf out) {
            requireNotNegative(write.ttlMillis());
            writeVerb(Verb.SET, write.key(), out);
            writeSeconds(write.ttlMillis(), out);
            writeNumber(write.value().length, out);
            return write.value();
        }

        @Override
        public byte[] touch(Command.Touch write, ByteBuf out) {
            requireNotNegative(write.ttlMillis());
            writeVerb(Verb.TOUCH, write.key(), out);
            writeSeconds(write.ttlMillis(), out);
            return NO_DATA;
        }

        @Override
        public byte[] delete(Command.Delete write, ByteBuf out) {
            writeVerb(Verb.DELETE, write.key(), out);
            return NO_DATA;
        }

        @Override
        public byte[] incr(Command.Incr write, ByteBuf out) {
            encodeIncr(write, out);
            return NO_DATA;
        }

        @Override
        public byte[] rateLimiter(Command.RateLimiter write, ByteBuf out) {
            requireNotNegative(write.capacity());
            requireNotNegative(write.durationMillis());
            writeVerb(Verb.RATE_LIMITER, write.key(), out);
            writeNumber(write.capacity(), out);
            writeSeconds(write.durationMillis(), out);
            return NO_DATA;
        }

        @Override
        public byte[] put(Command.Put write, ByteBuf out) {
            requireNotNegative(write.ttlMillis());
            writeVerb(Verb.PUT, write.key(), out);
            writeSeconds(write.ttlMillis(), out);
            writeNumber(write.value().length, out);
            writeType(write.type(), out);
            if (write.flags() != 0) {
                writeOption(Option.FLAGS, Integer.toUnsignedString(write.flags()), out);
            }
            writeCondition(write.condition(), out);
            writeFull(write.full(), out);
            return write.value();
        }

        @Override
        public byte[] remove(Command.Remove write, ByteBuf out) {
            writeVerb(Verb.REMOVE, write.key(), out);
            writeCondition(write.condition(), out);
            return NO_DATA;
        }

        @Override
        public byte[] expire(Command.Expire write, ByteBuf out) {
            requireNotNegative(write.ttlMillis());
            writeVerb(Verb.EXPIRE, write.key(), out);
            writeSeconds(write.ttlMillis(), out);
            return NO_DATA;
        }

        @Override
        public byte[] incrNumber(Command.IncrNumber write, ByteBuf out) {
            encodeIncrNumber(write, out);
            return NO_DATA;
        }

        @Override
        public byte[] push(Command.Push write, ByteBuf out) {
            writeVerb(write.end() == Command.End.LEFT ? Verb.LPUSH : Verb.RPUSH, write.key(), out);
            writeNumber(write.element().length, out);
            writeType(write.type(), out);
            writeFull(write.full(), out);
            return write.element();
        }

        @Override
        public byte[] pop(Command.Pop write, ByteBuf out) {
            writeVerb(write.end() == Command.End.LEFT ? Verb.LPOP : Verb.RPOP, write.key(), out);
            return NO_DATA;
        }

        @Override
        public byte[] take(Command.Take write, ByteBuf out) {
            encodeTake(write, out);
            return NO_DATA;
        }

        @Override
        public byte[] reserve(Command.Reserve write, ByteBuf out) {
            encodeLimit(Verb.RESERVE, write.take(), out);
            writeId(Option.HOLD, write.hold(), out);
            writeOptionSeconds(Option.TTL, write.ttlMillis(), out);
            writeOption(Option.COST, write.take().cost(), out);
            return NO_DATA;
        }

        @Override
        public byte[] settle(Command.Settle write, ByteBuf out) {
            requireId(write.hold());
            writeVerb(Verb.SETTLE, write.key(), out);
            out.writeByte(' ');
            out.writeBytes(write.hold().bytes());
            writeOption(Option.COST, write.cost(), out);
            return NO_DATA;
        }

        @Override
        public byte[] grant(Command.Grant write, ByteBuf out) {
            encodeLimit(Verb.GRANT, write.take(), out);
            writeId(Option.HOLDER, write.holder(), out);
            writeOption(Option.WANT, write.take().cost(), out);
            if (write.min() != 1) {
                writeOption(Option.MIN, write.min(), out);
            }
            return NO_DATA;
        }

        @Override
        public byte[] giveBack(Command.Return write, ByteBuf out) {
            writeVerb(Verb.RETURN, write.key(), out);
            writeId(Option.HOLDER, write.holder(), out);
            writeOption(Option.UNUSED, write.unused(), out);
            return NO_DATA;
        }

        @Override
        public byte[] acquire(Command.Acquire write, ByteBuf out) {
            requireNotNegative(write.limit());
            writeVerb(Verb.ACQUIRE, write.key(), out);
            writeNumber(write.limit(), out);
            writeId(Option.HOLDER, write.holder(), out);
            writeOptionSeconds(Option.TTL, write.ttlMillis(), out);
            return NO_DATA;
        }

        @Override
        public byte[] release(Command.Release write, ByteBuf out) {
            writeVerb(Verb.RELEASE, write.key(), out);
            writeId(Option.HOLDER, write.holder(), out);
            return NO_DATA;
        }

        @Override
        public byte[] takeAll(Command.TakeAll write, ByteBuf out) {
            return encodeWithin(Verb.TAKE_ALL, write.takes(), out);
        }

        @Override
        public byte[] flushAll(Command.FlushAll write, ByteBuf out) {
            encodeFlushAll(write.region(), identified, out);
            return NO_DATA;
        }

        @Override
        public byte[] multi(Command.Multi write, ByteBuf out) {
            return encodeWithin(Verb.MULTI, write.writes(), out);
        }

        @Override
        public byte[] identified(Command.Identified write, ByteBuf out) {
            throw new IllegalArgumentException("an identity within an identity");
        }
    }

    private static void encodeIncrNumber(Command.IncrNumber incr, ByteBuf out) {
        requireNotNegative(incr.initTtlMillis());
        writeVerb(Verb.INCR_NUMBER, incr.key(), out);
        writeWord(Doubles.format(incr.by()), out);
        Double init = incr.init();
        if (init != null) {
            writeOption(Option.INIT, Doubles.format(init), out);
            if (incr.initTtlMillis() > 0) {
                writeOptionSeconds(Option.TTL, incr.initTtlMillis(), out);
            }
        }
        writeFull(incr.full(), out);
    }

    private static void encodeTake(Command.Take take, ByteBuf out) {
        encodeLimit(Verb.TAKE, take, out);
        if (take.cost() != 1) {
            writeOption(Option.COST, take.cost(), out);
        }
        if (take.shadow()) {
            writeOption(Option.SHADOW, "yes", out);
        }
        if (take.share()) {
            writeOption(Option.SHARE, "yes", out);
        }
    }

    /** The verb, the key and what says the limit. */
    private static void encodeLimit(Verb verb, Command.Take take, ByteBuf out) {
        Policy policy = take.policy();
        Key policyKey = take.policyKey();
        if (policyKey != null && !Policies.isKey(policyKey)) {
            throw new IllegalArgumentException("not the key of a policy: " + policyKey);
        }
        writeVerb(verb, take.key(), out);
        if (policy != null) {
            writeWord(Policies.format(policy), out);
        } else if (policyKey != null) {
            require(Names.keyFault(verb, policyKey.bytes(), 0, policyKey.bytes().length), "policy");
            out.writeByte(' ');
            out.writeCharSequence(Option.POLICY.prefix(), StandardCharsets.US_ASCII);
            out.writeBytes(
                    policyKey.bytes(), Policies.PREFIX.length, policyKey.bytes().length - Policies.PREFIX.length);
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

    private static void writeFull(Command.Full full, ByteBuf out) {
        String name = TypedParser.nameOf(full);
        if (name != null) {
            writeOption(Option.FULL, name, out);
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

    private static void writeOptionSeconds(Option option, long millis, ByteBuf out) {
        requireNotNegative(millis);
        writeWord(option.prefix(), out);
        Decimals.writeMillisAsSeconds(millis, out);
    }

    /** The identity of somebody who holds something. */
    private static void writeId(Option option, Key id, ByteBuf out) {
        requireId(id);
        writeWord(option.prefix(), out);
        out.writeBytes(id.bytes());
    }

    private static void requireId(Key id) {
        if (id.bytes().length > Limits.HOLDER_BYTES_MAX || !Names.isName(id.bytes(), 0, id.bytes().length)) {
            throw new IllegalArgumentException("this identity cannot be sent: " + id);
        }
    }

    private static void writeOption(Option option, String value, ByteBuf out) {
        writeWord(option.prefix(), out);
        out.writeCharSequence(value, StandardCharsets.US_ASCII);
    }

    private static void writeOption(Option option, long number, ByteBuf out) {
        writeWord(option.prefix(), out);
        Decimals.write(number, out);
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
