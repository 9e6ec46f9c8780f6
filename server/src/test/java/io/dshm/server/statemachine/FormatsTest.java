package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import io.dshm.proto.Formats;
import io.dshm.proto.snapshot.SnapshotFormat;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.PushCommand;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.Result;
import io.dshm.proto.wire.SnapshotFooter;
import io.dshm.proto.wire.SnapshotFrame;
import io.dshm.proto.wire.SnapshotHeader;
import io.dshm.proto.wire.SnapshotNode;
import io.dshm.proto.wire.SnapshotOrigin;
import io.dshm.proto.wire.TypedValue;
import io.dshm.proto.wire.WriteCondition;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What nodes of several versions may do to each other: nothing that this one does not understand is applied. */
class FormatsTest {

    private static final List<String> MEMBERS = List.of("n1", "n2");

    @TempDir
    Path folder;

    private final Log log = new Log();
    private final StateMachine stateMachine = StateMachineTest.newStateMachine();

    private static CommandRecord.Builder register(String node, long start, int format, long... origins) {
        CommandRecord.Builder record = Log.register(node, 1, start, origins);
        record.getRegisterNodeBuilder().setFormat(format);
        return record;
    }

    private Outcome append(CommandRecord.Builder record) {
        log.append(record);
        return log.applyTo(stateMachine)[0];
    }

    // The switch.

    @Test
    void the_format_that_all_read_is_the_smallest_of_the_members() {
        append(register("n1", 2, Formats.BOUNDS, 11));
        assertEquals(Formats.FIRST, stateMachine.formatReadBy(MEMBERS), "n2 is not known");
        append(Log.register("n2", 1, 1, 21));
        assertEquals(Formats.FIRST, stateMachine.formatReadBy(MEMBERS), "n2 does not say what it reads");
        append(register("n2", 2, Formats.BOUNDS + 1, 22));
        assertEquals(Formats.BOUNDS, stateMachine.formatReadBy(MEMBERS));
        assertEquals(Formats.FIRST, stateMachine.format(), "nothing but the log switches");
    }

    @Test
    void when_a_node_is_downgraded_then_it_counts_as_old_again_whatever_arrives_late() {
        append(register("n1", 2, Formats.BOUNDS, 11));
        append(register("n2", 1, Formats.BOUNDS, 21));
        append(Log.register("n2", 1, 2, 22));
        append(register("n2", 1, Formats.BOUNDS, 21));
        assertEquals(Formats.FIRST, stateMachine.formatReadBy(MEMBERS));
    }

    @Test
    void when_a_node_registers_again_then_it_is_known_what_it_reads_and_nothing_else_changes() throws IOException {
        append(register("n1", 2, Formats.BOUNDS, Log.ORIGIN));
        assertEquals(1, log.run(stateMachine, Log.incr("k", 1, 0)).number());
        StateMachine copy = reloaded();
        assertEquals(Formats.FIRST, copy.formatReadBy(List.of("n1")), "a snapshot does not say what nodes read");
        log.append(register("n1", 2, Formats.BOUNDS, Log.ORIGIN));
        log.applyTo(copy);
        log.applyTo(stateMachine);
        assertEquals(Formats.BOUNDS, copy.formatReadBy(List.of("n1")));
        assertEquals(digest(stateMachine), digest(copy));
        log.append(log.next(Log.incr("k", 1, 0)));
        assertEquals(2, log.applyTo(copy)[0].number());
    }

    @Test
    void the_cluster_s_format_never_goes_back_and_is_in_snapshots_and_in_the_digest() throws IOException {
        StateView.StateDigest before = digest(stateMachine);
        append(Log.switchFormat(Formats.BOUNDS));
        append(Log.switchFormat(Formats.FIRST));
        assertEquals(Formats.BOUNDS, stateMachine.format());
        StateMachine copy = reloaded();
        assertEquals(Formats.BOUNDS, copy.format());
        assertEquals(digest(stateMachine), digest(copy));
        assertNotEquals(before.digest(), digest(stateMachine).digest());
    }

    @Test
    void when_the_log_switches_to_a_newer_format_then_the_node_stops_and_says_what_to_do() {
        log.append(Log.switchFormat(Formats.NEWEST + 1));
        NewerFormatException stopped = assertThrows(NewerFormatException.class, () -> log.applyTo(stateMachine));
        assertTrue(String.valueOf(stopped.getMessage()).contains("install on this node"), stopped::toString);
    }

    // Registrations.

    @Test
    void a_registration_takes_no_origin_that_another_node_has_and_ends_no_later_start() {
        append(Log.switchFormat(Formats.BOUNDS));
        assertEquals(Outcome.APPLIED, append(Log.register("n2", 5, 3, 21, 22)));
        assertEquals(Outcome.APPLIED, append(Log.register("n2", 5, 3, 21, 22)), "a repeat");
        assertEquals(Outcome.EXISTS, append(Log.register("n3", 9, 1, 31, Log.ORIGIN)), "another node's");
        assertEquals(Outcome.EXISTS, append(Log.register("n2", 5, 4, 22, 23)), "its own of an earlier start");
        assertEquals(Outcome.EXISTS, append(Log.register("n3", 9, 1, 31, 31)), "twice the same");
        assertEquals(Outcome.EXISTS, append(Log.register("n3", 9, 1, 0)), "no origin's number");
        assertEquals(Outcome.EXISTS, append(Log.register("n3", 9, 1)), "none at all");
        assertEquals(Outcome.EXISTS, append(Log.register("n2", 5, 2, 20)), "an earlier start");
        assertEquals(Outcome.EXISTS, append(Log.register("n2", 5, 3, 20)), "the same start of a copied folder");
        assertEquals(1, log.run(stateMachine, Log.incr("k", 1, 0)).number(), "nobody lost anything");
        assertEquals(
                Outcome.APPLIED, append(Log.register("n2", 6, 1, 24)), "a new folder, which the leader has checked");
        digest(stateMachine);
    }

    @Test
    void when_origins_clash_in_the_first_format_then_the_next_registration_mends_it() {
        append(Log.register("n2", 2, 1, Log.ORIGIN));
        append(Log.register("n2", 2, 2, 22));
        assertThrows(IllegalStateException.class, stateMachine::view);
        append(Log.register("n1", 1, 2, 12));
        digest(stateMachine);
    }

    // Unknown content.

    /** Messages of that type that hold an unknown field, each at another place, down to any depth. */
    private static List<Message> withUnknownField(Message type, List<Descriptor> above) {
        List<Message> variants = new ArrayList<>();
        UnknownFieldSet unknown = UnknownFieldSet.newBuilder()
                .addField(99, UnknownFieldSet.Field.newBuilder().addVarint(0).build())
                .build();
        variants.add(type.toBuilder().setUnknownFields(unknown).build());
        List<Descriptor> path = new ArrayList<>(above);
        path.add(type.getDescriptorForType());
        for (FieldDescriptor field : type.getDescriptorForType().getFields()) {
            boolean deeper = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
                    && path.stream().filter(field.getMessageType()::equals).count() < 2;
            if (deeper) {
                Message inner = type.toBuilder().newBuilderForField(field).build();
                for (Message variant : withUnknownField(inner, path)) {
                    Message.Builder builder = type.toBuilder();
                    if (field.isRepeated()) {
                        builder.addRepeatedField(field, variant);
                    } else {
                        builder.setField(field, variant);
                    }
                    variants.add(builder.build());
                }
            }
        }
        return variants;
    }

    @Test
    void an_entry_with_an_unknown_field_at_any_depth_stops_the_node() {
        List<Message> entries = withUnknownField(LogEntry.getDefaultInstance(), List.of());
        assertTrue(entries.size() > 50, () -> entries.size() + " places");
        for (Message entry : entries) {
            assertThrows(
                    NewerFormatException.class,
                    () -> stateMachine.apply(1, ByteBuffer.wrap(entry.toByteArray())),
                    entry::toString);
        }
    }

    @Test
    void a_snapshot_with_an_unknown_field_at_any_depth_is_not_loaded() throws IOException {
        SnapshotFrame header = header(Formats.FIRST);
        List<Message> frames = withUnknownField(SnapshotFrame.getDefaultInstance(), List.of());
        assertTrue(frames.size() > 20, () -> frames.size() + " places");
        for (Message frame : frames) {
            write(header, (SnapshotFrame) frame, footer());
            assertThrows(NewerFormatException.class, this::load, frame::toString);
        }
        write(header, footer());
        load();
    }

    @Test
    void values_of_an_unknown_type_are_not_guessed() {
        TypedValue.Builder none = TypedValue.newBuilder();
        log.append(log.next(Log.put("k", none, 0, WriteCondition.getDefaultInstance())));
        assertThrows(CorruptStateException.class, () -> log.applyTo(stateMachine));
        CommandRecord.Builder push = CommandRecord.newBuilder()
                .setPush(PushCommand.newBuilder().setKey(com.google.protobuf.ByteString.copyFromUtf8("k")));
        Log other = new Log();
        other.append(other.next(push));
        StateMachine another = StateMachineTest.newStateMachine();
        assertThrows(CorruptStateException.class, () -> other.applyTo(another));
    }

    @Test
    void an_unknown_outcome_in_a_snapshot_is_not_guessed() throws IOException {
        SnapshotOrigin origin = SnapshotOrigin.newBuilder()
                .setOrigin(1)
                .setSettledBelow(1)
                .addResults(Result.newBuilder().setSequence(1).setOutcomeValue(99))
                .build();
        SnapshotNode node =
                SnapshotNode.newBuilder().setNode("n1").addOrigins(origin).build();
        write(header(Formats.FIRST), SnapshotFrame.newBuilder().setNode(node).build(), footer());
        assertThrows(CorruptStateException.class, this::load);
    }

    @Test
    void a_snapshot_of_a_newer_format_is_refused_with_what_to_do_whatever_else_it_holds() throws IOException {
        SnapshotFrame.Builder newer = header(Formats.NEWEST + 1).toBuilder();
        newer.getHeaderBuilder()
                .setUnknownFields(UnknownFieldSet.newBuilder()
                        .addField(
                                99,
                                UnknownFieldSet.Field.newBuilder().addVarint(1).build())
                        .build());
        write(newer.build(), footer());
        NewerFormatException refused = assertThrows(NewerFormatException.class, this::load);
        String message = String.valueOf(refused.getMessage());
        assertTrue(message.contains("is of format " + (Formats.NEWEST + 1)), message);
        assertTrue(message.contains("install on this node"), message);
        write(header(0), footer());
        assertThrows(CorruptStateException.class, this::load);
    }

    @Test
    void a_registration_without_a_format_is_written_as_nodes_of_the_first_one_write_it() {
        // They would not carry a field along that they do not know, so it is in nothing that is compared or kept.
        assertEquals(0, RegisterNode.getDefaultInstance().getSerializedSize());
        StateMachine other = StateMachineTest.newStateMachine();
        Log same = new Log();
        append(register("n2", 1, Formats.BOUNDS, 21));
        same.append(Log.register("n2", 1, 1, 21));
        same.applyTo(other);
        assertEquals(digest(stateMachine), digest(other));
    }

    private static SnapshotFrame header(int format) {
        return SnapshotFrame.newBuilder()
                .setHeader(SnapshotHeader.newBuilder().setFormatVersion(format).setIndex(1))
                .build();
    }

    private static SnapshotFrame footer() {
        return SnapshotFrame.newBuilder()
                .setFooter(SnapshotFooter.newBuilder().setLastPart(true))
                .build();
    }

    private void write(SnapshotFrame... frames) throws IOException {
        Path file = folder.resolve(SnapshotFormat.fileName(0));
        try (DataOutputStream out = new DataOutputStream(Files.newOutputStream(file))) {
            out.write(SnapshotFormat.magic());
            for (SnapshotFrame frame : frames) {
                byte[] bytes = frame.toByteArray();
                CRC32C crc = new CRC32C();
                crc.update(bytes);
                out.writeInt(bytes.length);
                out.writeInt((int) crc.getValue());
                out.write(bytes);
            }
        }
    }

    private StateMachine load() throws IOException {
        StateMachine loaded = StateMachineTest.newStateMachine();
        loaded.load(new SnapshotReader(folder));
        return loaded;
    }

    private StateMachine reloaded() throws IOException {
        try (StateView view = stateMachine.view()) {
            new SnapshotWriter(folder, view).write();
        }
        return load();
    }

    private static StateView.StateDigest digest(StateMachine stateMachine) {
        try (StateView view = stateMachine.view()) {
            return view.digest();
        }
    }
}
