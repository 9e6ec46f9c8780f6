package io.dshm.server.statemachine;

import com.google.protobuf.ByteString;
import io.dshm.proto.Doubles;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.ExpireCommand;
import io.dshm.proto.wire.IncrNumberCommand;
import io.dshm.proto.wire.PopCommand;
import io.dshm.proto.wire.PurgeCommand;
import io.dshm.proto.wire.PushCommand;
import io.dshm.proto.wire.PutCommand;
import io.dshm.proto.wire.RemoveCommand;
import io.dshm.proto.wire.TypedValue;
import io.dshm.proto.wire.WriteCondition;
import io.dshm.server.store.Entry;
import io.dshm.server.store.ListValue;
import io.dshm.server.store.Pieces;
import io.dshm.server.store.Typed;
import org.jspecify.annotations.Nullable;

/**
 * What the writes of typed entries do. An entry is absent from its deadline on; {@link #expire} and {@link #purge}
 * alone see it for as long as it is kept, which the log's clock decides.
 *
 * <p>Confined to the thread that applies. {@code clockMillis} is the cluster clock of the entry being applied.
 */
final class TypedWrites {

    private final Entries entries;

    TypedWrites(Entries entries) {
        this.entries = entries;
    }

    Outcome put(PutCommand command, long clockMillis) {
        TypedValue value = command.getValue();
        return put(
                command,
                switch (value.getValueCase()) {
                    case RAW -> value.getRaw().toByteArray();
                    case STRING -> value.getString().toByteArray();
                    case NUMBER -> canonical(value.getNumber());
                    case BOOLEAN -> value.getBoolean();
                    case VALUE_NOT_SET -> throw new CorruptStateException("a command of the log has no value");
                },
                clockMillis);
    }

    /**
     * @param content kept, not copied: a raw value or string as a {@code byte[]} or as {@link Pieces}, or what else the
     *     command says
     */
    Outcome put(PutCommand command, Object content, long clockMillis) {
        Key key = Writes.key(command.getKey());
        Outcome refusal = refusal(command.getCondition(), entries.find(key, clockMillis));
        if (refusal != null) {
            return refusal;
        }
        long expiresAtMillis = Writes.deadline(command.getTtlMillis(), clockMillis);
        TypedValue value = command.getValue();
        if (value.hasRaw()) {
            return put(key, Entry.ofPlain(content, expiresAtMillis, entries.nextVersion()));
        }
        return put(key, Entry.of(new Typed(content, value.getFlags()), expiresAtMillis, entries.nextVersion()));
    }

    private Outcome put(Key key, Entry entry) {
        entries.put(key, entry);
        return Outcome.number(entry.version());
    }

    /** Makes every NaN the same one, so that nothing depends on which kind of NaN a processor makes. */
    private static double canonical(double number) {
        return Double.isNaN(number) ? Double.NaN : number;
    }

    private static @Nullable Outcome refusal(WriteCondition condition, @Nullable Entry entry) {
        return switch (condition.getConditionCase()) {
            case ABSENT -> entry == null ? null : Outcome.EXISTS;
            case PRESENT -> entry == null ? Outcome.NOT_FOUND : null;
            case VERSION ->
                entry == null ? Outcome.NOT_FOUND : entry.version() == condition.getVersion() ? null : Outcome.EXISTS;
            case CONDITION_NOT_SET -> null;
        };
    }

    Outcome remove(RemoveCommand command, long clockMillis) {
        Key key = Writes.key(command.getKey());
        Outcome refusal = refusal(command.getCondition(), entries.find(key, clockMillis));
        if (refusal != null) {
            return refusal;
        }
        entries.remove(key);
        return Outcome.APPLIED;
    }

    Outcome expire(ExpireCommand command, long clockMillis) {
        Key key = Writes.key(command.getKey());
        Entry entry = entries.findStale(key, clockMillis);
        if (entry == null) {
            return Outcome.NOT_FOUND;
        }
        if (entry.isLimiter()) {
            return Outcome.BAD_REQUEST;
        }
        long expiresAtMillis = Writes.deadline(command.getTtlMillis(), clockMillis);
        return put(key, entry.withExpiresAt(expiresAtMillis, entries.nextVersion()));
    }

    Outcome incrNumber(IncrNumberCommand command, long clockMillis) {
        Key key = Writes.key(command.getKey());
        Entry entry = entries.find(key, clockMillis);
        if (entry == null) {
            return command.hasInit()
                    ? count(
                            key,
                            command.getInit(),
                            command.getBy(),
                            0,
                            Writes.deadline(command.getInitTtlMillis(), clockMillis))
                    : Outcome.NOT_FOUND;
        }
        if (entry.isTyped() && entry.typed().held() instanceof Double number) {
            return count(key, number, command.getBy(), entry.typed().flags(), entry.expiresAtMillis());
        }
        return entry.isPlain() && !entry.isLarge() && Doubles.isNumber(entry.value())
                ? count(key, Doubles.parse(entry.value()), command.getBy(), 0, entry.expiresAtMillis())
                : Outcome.NOT_A_NUMBER;
    }

    private Outcome count(Key key, double old, double by, int flags, long expiresAtMillis) {
        double sum = canonical(old + by);
        entries.put(key, Entry.of(new Typed(sum, flags), expiresAtMillis, entries.nextVersion()));
        return Outcome.real(sum);
    }

    Outcome push(PushCommand command, long clockMillis) {
        Key key = Writes.key(command.getKey());
        Entry entry = entries.find(key, clockMillis);
        if (entry != null && !isList(entry)) {
            return Outcome.NOT_A_LIST;
        }
        Typed typed = entry == null ? new Typed(ListValue.EMPTY, 0) : entry.typed();
        Object element = switch (command.getElementCase()) {
            case NUMBER -> canonical(command.getNumber());
            case STRING -> command.getString().toByteArray();
            case ELEMENT_NOT_SET -> throw new CorruptStateException("a command of the log has no element");
        };
        ListValue list = ((ListValue) typed.held()).push(command.getLeft(), element);
        if (list.bytes() > Limits.LIST_BYTES_MAX) {
            return Outcome.TOO_LARGE;
        }
        long expiresAtMillis = entry == null ? Entry.NEVER : entry.expiresAtMillis();
        entries.put(key, Entry.of(typed.withValue(list), expiresAtMillis, entries.nextVersion()));
        return Outcome.number(list.size());
    }

    Outcome pop(PopCommand command, long clockMillis) {
        Key key = Writes.key(command.getKey());
        Entry entry = entries.find(key, clockMillis);
        if (entry == null) {
            return Outcome.NOT_FOUND;
        }
        if (!isList(entry)) {
            return Outcome.NOT_A_LIST;
        }
        ListValue.Popped popped = ((ListValue) entry.typed().held()).pop(command.getLeft());
        if (popped.rest().size() == 0) {
            entries.remove(key);
        } else {
            Typed rest = entry.typed().withValue(popped.rest());
            entries.put(key, Entry.of(rest, entry.expiresAtMillis(), entries.nextVersion()));
        }
        return popped.element() instanceof Double number
                ? Outcome.real(number)
                : Outcome.value((byte[]) popped.element());
    }

    private static boolean isList(Entry entry) {
        return entry.isTyped() && entry.typed().isList();
    }

    /** Removes those of the keys whose entries are expired and still kept; the outcome is how many. */
    Outcome purge(PurgeCommand command, long clockMillis) {
        long purged = 0;
        for (ByteString bytes : command.getKeysList()) {
            Key key = Writes.key(bytes);
            Entry entry = entries.findStale(key, clockMillis);
            if (entry != null && entry.isExpiredAt(clockMillis)) {
                entries.remove(key);
                purged++;
            }
        }
        return Outcome.number(purged);
    }
}
