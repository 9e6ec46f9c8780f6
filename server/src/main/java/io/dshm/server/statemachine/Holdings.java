package io.dshm.server.statemachine;

import io.dshm.proto.Limits;
import io.dshm.proto.wire.GrantCommand;
import io.dshm.proto.wire.ReserveCommand;
import io.dshm.proto.wire.ReturnCommand;
import io.dshm.proto.wire.SettleCommand;
import io.dshm.server.store.limiters.Account;
import io.dshm.server.store.limiters.Decision;
import io.dshm.server.store.limiters.Taking;
import org.jspecify.annotations.Nullable;

/**
 * What RESERVE, SETTLE, GRANT and RETURN do to the entries: see {@link Account}.
 *
 * <p>Confined to the thread that applies. {@code clockMillis} is the cluster clock of the entry being applied.
 */
final class Holdings {

    private final Takes takes;

    Holdings(Takes takes) {
        this.takes = takes;
    }

    Outcome reserve(ReserveCommand command, long clockMillis) {
        byte[] id = command.getHold().toByteArray();
        return takes.onLimit(command.getTake(), clockMillis, (limit, quota) -> {
            Account account = Account.of(limit.before());
            boolean isFull = account.at(clockMillis).reserved().size() >= Limits.HOLDERS_MAX;
            if (isFull && account.reserved().placeOf(id) < 0) {
                return Outcome.TOO_LARGE;
            }
            long endMillis = clockMillis + command.getTtlMillis();
            return decided(
                    limit,
                    account.reserve(quota, clockMillis, id, command.getTake().getCost(), endMillis),
                    clockMillis);
        });
    }

    Outcome settle(SettleCommand command, long clockMillis) {
        byte[] id = command.getHold().toByteArray();
        return takes.onExisting(
                command.getKey(),
                clockMillis,
                Outcome.NOT_FOUND,
                limit -> decided(
                        limit, Account.of(limit.before()).settle(clockMillis, id, command.getCost()), clockMillis));
    }

    private Outcome decided(Takes.Limit limit, @Nullable Taking taking, long clockMillis) {
        if (taking == null) {
            return Outcome.NOT_FOUND;
        }
        Decision decision = taking.decision();
        if (decision == null) {
            return Outcome.TOO_LARGE;
        }
        takes.put(limit, taking.after(), clockMillis);
        return Outcome.decision(decision);
    }

    Outcome grant(GrantCommand command, long clockMillis) {
        byte[] holder = command.getHolder().toByteArray();
        return takes.onLimit(command.getTake(), clockMillis, (limit, quota) -> {
            Account account = Account.of(limit.before());
            if (account.at(clockMillis).shares().size() >= Limits.HOLDERS_MAX) {
                return Outcome.TOO_LARGE;
            }
            Account.Granting granting =
                    account.grant(quota, clockMillis, holder, command.getTake().getCost(), command.getMin());
            if (granting == null) {
                return Outcome.TOO_LARGE;
            }
            if (granting.share().granted() > 0) {
                takes.put(limit, granting.after(), clockMillis);
            }
            return Outcome.share(granting.share());
        });
    }

    Outcome giveBack(ReturnCommand command, long clockMillis) {
        byte[] holder = command.getHolder().toByteArray();
        return takes.onExisting(command.getKey(), clockMillis, Outcome.APPLIED, limit -> {
            if (limit.before() instanceof Account account) {
                takes.put(limit, account.giveBack(clockMillis, holder, command.getUnused()), clockMillis);
            }
            return Outcome.APPLIED;
        });
    }
}
