package io.dshm.server.replication.writes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.proto.ValueType;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.WhenFull;
import io.dshm.server.statemachine.Admission;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.Outcome;
import io.dshm.server.statemachine.StateMachine;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A command's whole way but for the network: its record, its outcome over the wire, its reply. */
class RecordsTest {

    private static final long ORIGIN = 9;
    private static final Key KEY = Key.of("k");

    private final StateMachine stateMachine = new StateMachine(new ClusterClock(System::nanoTime));
    private long index;
    private long sequence;

    @BeforeEach
    void register() {
        applied(CommandRecord.newBuilder()
                .setRegisterNode(RegisterNode.newBuilder().setNode("n").addOrigins(ORIGIN))
                .build());
    }

    private Outcome apply(CommandRecord.Builder record) {
        CommandRecord numbered =
                record.setOrigin(ORIGIN).setSequence(++sequence).build();
        assertTrue(Admission.admits(numbered), numbered::toString);
        return Outcome.fromWire(applied(numbered).toWire(sequence));
    }

    private Outcome applied(CommandRecord record) {
        LogEntry entry =
                LogEntry.newBuilder().setStampMillis(1000).addRecords(record).build();
        return stateMachine.apply(++index, ByteBuffer.wrap(entry.toByteArray()))[0];
    }

    private String run(Command.Write write) {
        return text(Replies.of(write, apply(Records.of(write))));
    }

    private static String text(Reply reply) {
        if (reply instanceof Reply.Value value) {
            return text(value.bytes());
        } else if (reply instanceof Reply.Detailed detailed) {
            byte[] value = detailed.value();
            return (value == null ? "" : text(value) + " ") + detailed.details();
        } else if (reply instanceof Reply.Several several) {
            return several.replies().stream().map(RecordsTest::text).toList().toString();
        } else if (reply instanceof Reply.Failure failure) {
            return failure.code().wireName() + (failure.text() == null ? "" : " " + failure.text());
        }
        return reply instanceof Reply.IntegerValue integer ? Long.toString(integer.number()) : reply.toString();
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static Command.Put put(ValueType type, String value) {
        return new Command.Put(KEY, 0, type, 0, Condition.ANY, bytes(value));
    }

    @Test
    void each_write_has_its_reply() {
        assertEquals("version=1", run(put(ValueType.NUMBER, "1.5")));
        assertEquals("2", run(new Command.IncrNumber(KEY, 0.5, null, 0)));
        assertEquals("3", run(new Command.Incr(KEY, 1, 0, 0)));
        assertEquals("version=4", run(new Command.Expire(KEY, 1000)));
        assertEquals("exists", run(new Command.Remove(KEY, Condition.version(3))));
        assertEquals("DONE", run(new Command.Remove(KEY, Condition.version(4))));
        assertEquals("not_found", run(new Command.Expire(KEY, 1000)));
        assertEquals("1", run(new Command.Push(KEY, Command.End.LEFT, ValueType.STRING, bytes("a"))));
        assertEquals("2", run(new Command.Push(KEY, Command.End.LEFT, ValueType.NUMBER, bytes("2.50"))));
        assertEquals("a type=string", run(new Command.Pop(KEY, Command.End.RIGHT)));
        assertEquals("2.5 type=number", run(new Command.Pop(KEY, Command.End.RIGHT)));
        assertEquals("version=10", run(put(ValueType.BOOLEAN, "false")));
        assertEquals("false", run(new Command.Incr(KEY, 1, 0, 0)));
        assertEquals("not_a_list", run(new Command.Pop(KEY, Command.End.RIGHT)));
        assertEquals("not_a_number", run(new Command.IncrNumber(KEY, 1, 1.0, 0)));
    }

    @Test
    void what_was_evicted_for_is_said_by_the_replies_to_typed_writes() {
        assertEquals("version=1 evicted=yes", runEvicting(put(ValueType.STRING, "x")));
        assertEquals("x", runEvicting(new Command.Set(KEY, 0, bytes("x"))), "as the older program");
        assertEquals("DONE", run(new Command.Delete(KEY)).replace("ABSENT", "DONE"));
        assertEquals("2 evicted=yes", runEvicting(new Command.IncrNumber(KEY, 1, 1.0, 0)));
        assertEquals("DONE", run(new Command.Delete(KEY)).replace("ABSENT", "DONE"));
        assertEquals(
                "1 evicted=yes", runEvicting(new Command.Push(KEY, Command.End.LEFT, ValueType.STRING, bytes("a"))));
        Command.Multi multi =
                new Command.Multi(List.of(put(ValueType.NUMBER, "1"), new Command.IncrNumber(KEY, 1, null, 0)), 100);
        assertEquals("[version=7 evicted=yes, 2 evicted=yes]", runEvicting(multi));
    }

    private String runEvicting(Command.Write write) {
        return text(Replies.of(write, apply(Records.of(write)).afterEviction()));
    }

    @Test
    void a_record_says_what_to_do_where_there_is_no_room_but_not_to_the_first_format() {
        Command.Put put = new Command.Put(KEY, 0, ValueType.STRING, 0, Condition.ANY, Command.Full.EVICT, bytes("x"));
        Command.IncrNumber incr = new Command.IncrNumber(KEY, 1, 1.0, 0, Command.Full.REFUSE);
        CommandRecord.Builder multi = Records.of(new Command.Multi(List.of(put, incr), 100));
        assertEquals(WhenFull.EVICT, multi.getMulti().getWrites(0).getWhenFull());
        assertEquals(WhenFull.REFUSE, multi.getMulti().getWrites(1).getWhenFull());
        Records.forFirstFormat(multi);
        assertEquals(WhenFull.AS_REGION, multi.getMulti().getWrites(0).getWhenFull());
        assertEquals(WhenFull.AS_REGION, multi.getMulti().getWrites(1).getWhenFull());
        CommandRecord.Builder alone = Records.of(new Command.Identified(1, 1, 1, false, put));
        assertEquals(WhenFull.EVICT, alone.getWhenFull());
        assertEquals(WhenFull.EVICT, Records.publication(put, 1).getWhenFull());
        Records.forFirstFormat(alone);
        assertEquals(WhenFull.AS_REGION, alone.getWhenFull());
        assertEquals(0, alone.getClientDone());
    }

    @Test
    void a_multi_has_the_replies_of_its_writes_or_tells_which_one_failed() {
        Command.Multi multi = new Command.Multi(
                List.of(
                        put(ValueType.NUMBER, "1"),
                        new Command.Incr(KEY, 1, 0, 0),
                        new Command.Set(KEY, 0, bytes("x")),
                        new Command.Delete(KEY)),
                0);
        assertEquals("[version=1, 2, x, DONE]", run(multi));
        Command.Identified again = new Command.Identified(5, 1, multi);
        assertEquals("[version=5, 2, x, DONE]", run(again));
        assertEquals("[version=5, 2, x, DONE]", run(again));
        assertEquals(
                "not_found 2", run(new Command.Multi(List.of(new Command.Delete(KEY), new Command.Expire(KEY, 0)), 0)));
    }

    @Test
    void a_value_that_is_too_long_is_published_by_a_record_of_its_own() {
        byte[] value = new byte[Limits.INLINE_VALUE_BYTES_MAX + 1];
        Command.Put put = new Command.Put(KEY, 7, ValueType.STRING, 3, Condition.PRESENT, value);
        assertEquals(value, Records.largeValue(new Command.Identified(1, 2, put)));
        CommandRecord record = Records.publication(new Command.Identified(1, 2, put), 9)
                .setOrigin(ORIGIN)
                .setSequence(1)
                .build();
        assertTrue(Admission.admits(record));
        assertEquals(1, record.getClient());
        assertEquals(value.length, record.getPutChunked().getValueLength());
        assertTrue(record.getPutChunked().getPut().getValue().getString().isEmpty());
        assertEquals(3, record.getPutChunked().getPut().getValue().getFlags());
        assertTrue(record.getPutChunked().getPut().getCondition().getPresent());
    }
}
