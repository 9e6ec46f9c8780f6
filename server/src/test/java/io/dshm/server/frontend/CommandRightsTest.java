package io.dshm.server.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.dshm.proto.Command;
import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import io.dshm.proto.Request;
import io.dshm.proto.Right;
import io.dshm.proto.text.RequestDecoder;
import io.dshm.proto.text.ValueBudget;
import io.dshm.proto.wire.ChangeUsersCommand;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.GrantedRight;
import io.dshm.proto.wire.HashedSecret;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.SwitchFormat;
import io.dshm.server.replication.writes.Records;
import io.dshm.server.rights.User;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.Outcome;
import io.dshm.server.statemachine.StateMachine;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Users with a right in one region against every kind of request: where it is taken, and where it is applied. */
class CommandRightsTest {

    /** Requests of each kind; R stands for the region, and S for another one of the user's. */
    private static final Map<CommandKind, String[]> REQUESTS = new EnumMap<>(CommandKind.class);

    private static final Map<CommandKind, Right> NEEDED = new EnumMap<>(CommandKind.class);

    /** What nobody needs a right for who is a user. */
    private static final Set<CommandKind> FREE = EnumSet.of(
            CommandKind.READ_MODE,
            CommandKind.SHARES,
            CommandKind.INFO,
            CommandKind.PING,
            CommandKind.QUIT,
            CommandKind.AUTH,
            CommandKind.REJECTED);

    /** What also nobody may ask. */
    private static final Set<CommandKind> OPEN = EnumSet.of(CommandKind.AUTH, CommandKind.PING, CommandKind.QUIT);

    /** What shows something of the value that was there, and so takes the right to read as well. */
    private static final Set<String> SHOWING = Set.of("INCR", "LPOP");

    static {
        put(Right.READ, CommandKind.GET, "GET R::k");
        put(Right.READ, CommandKind.FETCH, "FETCH R::k");
        put(Right.READ, CommandKind.STAT, "STAT R::k");
        put(Right.READ, CommandKind.KEYS, "KEYS R");
        put(Right.READ, CommandKind.REGION_INFO, "REGION R");
        put(Right.WRITE, CommandKind.SET, "SET R::k 0 0");
        put(Right.WRITE, CommandKind.TOUCH, "TOUCH R::k 0");
        put(Right.WRITE, CommandKind.DELETE, "DELETE R::k", "DELETE R::k id=1 seq=1");
        put(Right.WRITE, CommandKind.INCR, "INCR R::k 1 0");
        put(Right.WRITE, CommandKind.PUT, "PUT R::k 0 0");
        put(Right.WRITE, CommandKind.REMOVE, "REMOVE R::k");
        put(Right.WRITE, CommandKind.EXPIRE, "EXPIRE R::k 1");
        put(Right.WRITE, CommandKind.INCR_NUMBER, "INCR_NUMBER R::k 1");
        put(Right.WRITE, CommandKind.PUSH, "LPUSH R::k 0");
        put(Right.WRITE, CommandKind.POP, "LPOP R::k");
        put(Right.WRITE, CommandKind.FLUSH_ALL, "FLUSHALL R");
        put(Right.WRITE, CommandKind.FLUSH_EXPIRED, "FLUSH_EXPIRED R");
        put(
                Right.WRITE,
                CommandKind.MULTI,
                data("MULTI", "DELETE R::k\r\n"),
                data("MULTI", "DELETE S::k\r\nTOUCH R::k 1\r\n"),
                data("MULTI", "TOUCH R::k 1\r\nDELETE S::k\r\n"),
                data("MULTI", "INCR R::k 1 0\r\nDELETE S::k\r\n"));
        put(Right.TAKE, CommandKind.RATE_LIMITER, "RATE_LIMITER R::k 1 1");
        put(Right.TAKE, CommandKind.TAKE, "TAKE R::k fixed 1 1", "TAKE R::k policy=p");
        put(Right.TAKE, CommandKind.TAKE_ALL, data("TAKE_ALL", "TAKE R::k fixed 1 1\r\n"));
        put(Right.TAKE, CommandKind.ACQUIRE, "ACQUIRE R::k 1 holder=h ttl=1");
        put(Right.TAKE, CommandKind.RELEASE, "RELEASE R::k holder=h");
        put(Right.TAKE, CommandKind.RESERVE, "RESERVE R::k fixed 1 1 hold=h ttl=1 cost=1");
        put(Right.TAKE, CommandKind.SETTLE, "SETTLE R::k h cost=1");
        put(Right.TAKE, CommandKind.GRANT, "GRANT R::k fixed 1 1 holder=h want=1");
        put(Right.TAKE, CommandKind.RETURN, "RETURN R::k holder=h unused=1");
        REQUESTS.put(CommandKind.READ_MODE, new String[] {"READ_MODE local"});
        REQUESTS.put(CommandKind.SHARES, new String[] {"SHARES yes"});
        REQUESTS.put(CommandKind.INFO, new String[] {"INFO"});
        REQUESTS.put(CommandKind.PING, new String[] {"PING"});
        REQUESTS.put(CommandKind.QUIT, new String[] {"QUIT"});
        REQUESTS.put(CommandKind.AUTH, new String[] {"AUTH u s"});
        REQUESTS.put(CommandKind.REJECTED, new String[] {"NOTHING"});
    }

    private static void put(Right needed, CommandKind kind, String... requests) {
        REQUESTS.put(kind, requests);
        NEEDED.put(kind, needed);
    }

    private static String data(String verb, String requests) {
        return verb + " " + requests.length() + "\r\n" + requests;
    }

    private final StateMachine stateMachine = new StateMachine(new ClusterClock(() -> 0));
    private long sequence;

    private Outcome apply(CommandRecord.Builder record) {
        LogEntry entry =
                LogEntry.newBuilder().setStampMillis(1_000).addRecords(record).build();
        return stateMachine.apply(stateMachine.appliedIndex() + 1, ByteBuffer.wrap(entry.toByteArray()))[0];
    }

    private Outcome run(CommandRecord.Builder record) {
        return apply(record.setOrigin(7).setSequence(++sequence));
    }

    private static Request decode(String text) {
        byte[] bytes = (text + (text.endsWith("\n") ? "" : "\r\n")).getBytes(StandardCharsets.UTF_8);
        return Objects.requireNonNull(
                new RequestDecoder(1_000, ValueBudget.UNLIMITED).decode(Unpooled.wrappedBuffer(bytes)));
    }

    private static boolean isEnough(Set<Right> rights, @Nullable Right needed, String request) {
        boolean shows = SHOWING.stream().anyMatch(request::contains);
        return needed == null || (has(rights, needed) && (!shows || has(rights, Right.READ)));
    }

    private static boolean has(Set<Right> rights, Right needed) {
        return rights.stream().anyMatch(right -> right.includes(needed));
    }

    private User add(String name, Set<Right> rights) {
        ByteString hash = ByteString.copyFrom(new byte[Limits.SECRET_HASH_BYTES]);
        ChangeUsersCommand.Builder add = ChangeUsersCommand.newBuilder()
                .setName(name)
                .setSecret(HashedSecret.newBuilder()
                        .setSalt(hash.substring(0, Limits.SECRET_SALT_BYTES))
                        .setHash(hash));
        for (String region : new String[] {"mine", "mine-too"}) {
            for (Right right : rights) {
                add.addRights(GrantedRight.newBuilder()
                        .setKind(GrantedRight.Kind.valueOf(right.name()))
                        .setPattern(ByteString.copyFromUtf8(region)));
            }
        }
        add.addRights(GrantedRight.newBuilder()
                .setKind(GrantedRight.Kind.ADMIN)
                .setPattern(ByteString.copyFromUtf8(name.equals("root") ? "*" : "elsewhere")));
        assertEquals(Outcome.APPLIED, run(CommandRecord.newBuilder().setChangeUsers(add)));
        return Objects.requireNonNull(stateMachine.users().named(name));
    }

    @Test
    void every_kind_of_request_in_ones_region_and_in_anothers() {
        assertEquals(EnumSet.allOf(CommandKind.class), REQUESTS.keySet());
        apply(CommandRecord.newBuilder()
                .setRegisterNode(RegisterNode.newBuilder()
                        .setNode("n1")
                        .setFolder(1)
                        .setStart(1)
                        .addOrigins(7)));
        apply(CommandRecord.newBuilder()
                .setSwitchFormat(SwitchFormat.newBuilder().setFormat(Formats.BOUNDS)));
        add("root", EnumSet.of(Right.ADMIN));
        assertEquals(
                Outcome.APPLIED,
                run(CommandRecord.newBuilder()
                        .setChangeUsers(ChangeUsersCommand.newBuilder().setAction(ChangeUsersCommand.Action.REQUIRE))));
        List<Set<Right>> all = new ArrayList<>();
        EnumSet.allOf(Right.class).forEach(right -> all.add(EnumSet.of(right)));
        all.add(EnumSet.of(Right.READ, Right.WRITE));
        for (Set<Right> rights : all) {
            User user = add("user" + all.indexOf(rights), rights);
            REQUESTS.forEach((kind, requests) -> {
                for (String request : requests) {
                    Right needed = NEEDED.get(kind);
                    check(user, kind, request, "mine", isEnough(rights, needed, request));
                    check(user, kind, request, "other", needed == null);
                }
            });
        }
    }

    private void check(User user, CommandKind kind, String text, String region, boolean allowed) {
        Request request = decode(text.replace("R::", region + "::")
                .replace(" R", " " + region)
                .replace("S::", "mine-too::")
                .replace("id=1", "id=" + sequence)
                .replaceFirst("^(MULTI|TAKE_ALL) \\d+", "$1 " + length(text, region)));
        String what = user.rights() + ": " + text + " in " + region;
        assertEquals(kind, CommandKind.of(request), what);
        assertEquals(FREE.contains(kind), NEEDED.get(kind) == null, what);
        assertEquals(allowed, CommandRights.admit(request, user), what);
        assertEquals(OPEN.contains(kind), CommandRights.admit(request, null), what);
        if (request instanceof Command.Write write) {
            Outcome byUser = run(Records.of(write).setCredential(user.number()));
            assertEquals(allowed, byUser.kind() != Outcome.Kind.DENIED, what);
            assertTrue(run(Records.of(write)).kind() == Outcome.Kind.DENIED || isRepeat(write), what);
        }
    }

    /** It is answered as the first copy was. */
    private static boolean isRepeat(Command.Write write) {
        return write instanceof Command.Identified;
    }

    private static int length(String text, String region) {
        String after = text.substring(text.indexOf('\n') + 1);
        return after.replace("R::", region + "::").replace("S::", "mine-too::").length();
    }
}
