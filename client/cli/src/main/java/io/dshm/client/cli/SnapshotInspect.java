package io.dshm.client.cli;

import com.google.protobuf.ByteString;
import io.dshm.client.internal.Reasons;
import io.dshm.proto.snapshot.BackupReader;
import io.dshm.proto.snapshot.SnapshotException;
import io.dshm.proto.snapshot.SnapshotPart;
import io.dshm.proto.wire.AccountState;
import io.dshm.proto.wire.BackupHead;
import io.dshm.proto.wire.Element;
import io.dshm.proto.wire.LimiterState;
import io.dshm.proto.wire.MeterState;
import io.dshm.proto.wire.PermitsState;
import io.dshm.proto.wire.SnapshotEntry;
import io.dshm.proto.wire.SnapshotHeader;
import io.dshm.proto.wire.SnapshotRegion;
import io.dshm.proto.wire.SnapshotUser;
import io.dshm.proto.wire.SnapshotUsers;
import io.dshm.proto.wire.TypedState;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * {@code dshm snapshot verify} and {@code inspect}: reads a backup to its end, so that what is shown is known to be
 * whole.
 */
final class SnapshotInspect {

    private static final int BUFFER_BYTES = 1 << 16;

    /** Regions in the table; what is in further ones is shown in one line. */
    private static final int REGIONS_MAX = 10_000;

    private static final String OTHERS = "(others)";
    private static final String DEFAULT_REGION = ":";

    private SnapshotInspect() {}

    /** What a region holds. Deadlines are 0 if nothing has one. */
    private static final class Region {
        long entries;
        long bytes;
        long limiters;
        long oldestVersion = Long.MAX_VALUE;
        long newestVersion;
        long firstDeadline;
        long lastDeadline;

        /** 0: it has no limit. */
        long limitBytes;

        boolean evicts;

        String policy() {
            return evicts ? "evict" : "refuse";
        }

        String versions() {
            return entries == 0 ? "-" : oldestVersion + "-" + newestVersion;
        }

        void add(SnapshotEntry entry) {
            entries++;
            bytes += entry.getSerializedSize();
            limiters += entry.hasLimiter() || entry.hasMeter() || entry.hasPermits() || entry.hasAccount() ? 1 : 0;
            oldestVersion = Math.min(oldestVersion, entry.getVersion());
            newestVersion = Math.max(newestVersion, entry.getVersion());
            long deadline = entry.getExpiresAtMillis();
            if (deadline > 0) {
                firstDeadline = firstDeadline == 0 ? deadline : Math.min(firstDeadline, deadline);
                lastDeadline = Math.max(lastDeadline, deadline);
            }
        }
    }

    /** Says whether a backup is whole. */
    static ExitCode verify(String file, Output output) throws CliException {
        long[] entries = {0};
        BackupHead head = read(file, entry -> entries[0]++).head;
        if (output.isJson()) {
            Map<String, Object> said = new LinkedHashMap<>(head(head));
            said.put("ok", true);
            output.object(said);
        } else {
            output.line(file + " is whole: " + entries[0] + " entries as of index " + head.getIndex() + " of cluster "
                    + head.getCluster() + ", made by " + head.getNode() + " at "
                    + Instant.ofEpochMilli(head.getCreatedMillis()));
        }
        return ExitCode.OK;
    }

    /** Shows what is in a backup: a table of regions, or keys, or one value. */
    static ExitCode run(String file, @Nullable String keys, @Nullable String get, Output output) throws CliException {
        if (get != null) {
            return get(file, get, output);
        }
        if (keys != null) {
            Pattern pattern = glob(keys);
            read(file, entry -> {
                if (pattern.matcher(entry.getKey().toStringUtf8()).matches()) {
                    showKey(entry, output);
                }
            });
            return ExitCode.OK;
        }
        Map<String, Region> regions = new TreeMap<>();
        Map<String, List<String>> users = new TreeMap<>();
        Read read = read(file, new SnapshotPart.Visitor() {
            @Override
            public void entry(SnapshotEntry entry) {
                regionOf(regionIn(entry.getKey()), regions).add(entry);
            }

            @Override
            public void region(SnapshotRegion limit) {
                ByteString name = limit.getRegion();
                Region region = regionOf(name.isEmpty() ? DEFAULT_REGION : name.toStringUtf8(), regions);
                region.limitBytes = limit.getBytesMax();
                region.evicts = limit.getEvicts();
            }

            @Override
            public void users(SnapshotUsers all) {
                all.getUsersList().forEach(user -> users.put(user.getName(), rights(user)));
            }
        });
        if (output.isJson()) {
            Map<String, Object> said = new LinkedHashMap<>(head(read.head));
            said.put("format", (long) read.header.getFormatVersion());
            said.put("clockMillis", read.header.getClockMillis());
            said.put("members", read.head.getMembersList());
            List<Map<String, Object>> all = new ArrayList<>();
            regions.forEach((name, region) -> all.add(json(name, region)));
            said.put("regions", all);
            said.put("users", users);
            output.object(said);
        } else {
            table(file, read, regions).forEach(output::line);
            users.forEach((user, rights) -> output.line("user " + user + ": " + String.join(",", rights)));
        }
        return ExitCode.OK;
    }

    private static String regionIn(ByteString key) {
        String text = key.toStringUtf8();
        int end = Math.max(0, text.indexOf(':'));
        return end == 0 ? DEFAULT_REGION : text.substring(0, end);
    }

    private static Region regionOf(String name, Map<String, Region> regions) {
        Region region = regions.get(name);
        if (region == null) {
            region = regions.computeIfAbsent(regions.size() < REGIONS_MAX ? name : OTHERS, unused -> new Region());
        }
        return region;
    }

    /** As {@code dshm user list} shows them; nothing of the secrets. */
    private static List<String> rights(SnapshotUser user) {
        return user.getRightsList().stream()
                .map(right -> right.getKind().name().toLowerCase(Locale.ROOT) + ":"
                        + (right.getPattern().isEmpty()
                                ? DEFAULT_REGION
                                : right.getPattern().toStringUtf8()))
                .toList();
    }

    private static List<String> table(String file, Read read, Map<String, Region> regions) {
        BackupHead head = read.head;
        List<String> lines = new ArrayList<>();
        lines.add(file + " is whole");
        lines.add("cluster " + head.getCluster() + ", made by " + head.getNode() + " at "
                + Instant.ofEpochMilli(head.getCreatedMillis()));
        lines.add("index " + head.getIndex() + ", term " + head.getTerm() + ", format "
                + read.header.getFormatVersion() + ", cluster clock "
                + Instant.ofEpochMilli(read.header.getClockMillis()));
        lines.add("members " + String.join(",", head.getMembersList()));
        lines.add("entries " + head.getEntryCount() + ", " + head.getContentBytes() + " bytes uncompressed");
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of(
                "REGION", "ENTRIES", "BYTES", "LIMITERS", "VERSIONS", "FIRST EXPIRES", "LAST EXPIRES", "LIMIT"));
        regions.forEach((name, region) -> rows.add(List.of(
                name,
                String.valueOf(region.entries),
                String.valueOf(region.bytes),
                String.valueOf(region.limiters),
                region.versions(),
                instant(region.firstDeadline),
                instant(region.lastDeadline),
                region.limitBytes == 0 ? "-" : region.limitBytes + " " + region.policy())));
        lines.addAll(StatusTable.aligned(rows));
        return lines;
    }

    private static String instant(long millis) {
        return millis == 0 ? "-" : Instant.ofEpochMilli(millis).toString();
    }

    private static Map<String, Object> json(String name, Region region) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("region", name);
        members.put("entries", region.entries);
        members.put("bytes", region.bytes);
        members.put("limiters", region.limiters);
        if (region.limitBytes > 0) {
            members.put("limitBytes", region.limitBytes);
            members.put("policy", region.policy());
        }
        members.put("oldestVersion", region.entries == 0 ? 0L : region.oldestVersion);
        members.put("newestVersion", region.newestVersion);
        members.put("firstExpiresAtMillis", region.firstDeadline);
        members.put("lastExpiresAtMillis", region.lastDeadline);
        return members;
    }

    /** What a backup says of itself. */
    static Map<String, Object> head(BackupHead head) {
        Map<String, Object> said = new LinkedHashMap<>();
        said.put("cluster", head.getCluster());
        said.put("node", head.getNode());
        said.put("index", head.getIndex());
        said.put("term", head.getTerm());
        said.put("createdMillis", head.getCreatedMillis());
        said.put("entries", head.getEntryCount());
        said.put("contentBytes", head.getContentBytes());
        return said;
    }

    private static void showKey(SnapshotEntry entry, Output output) {
        if (output.isJson()) {
            Map<String, Object> said = new LinkedHashMap<>();
            Output.putBytes(said, "key", entry.getKey().toByteArray());
            said.put("type", type(entry));
            said.put("version", entry.getVersion());
            said.put("expiresAtMillis", entry.getExpiresAtMillis());
            output.object(said);
        } else {
            output.bytesAndLineEnd(entry.getKey().toByteArray());
        }
    }

    private static ExitCode get(String file, String key, Output output) throws CliException {
        List<SnapshotEntry> found = new ArrayList<>();
        byte[] wanted = key.getBytes(StandardCharsets.UTF_8);
        read(file, entry -> {
            if (java.util.Arrays.equals(entry.getKey().toByteArray(), wanted)) {
                found.add(entry);
            }
        });
        if (found.isEmpty()) {
            throw new CliException(ExitCode.NO, "not_found", "there is no key " + key + " in " + file);
        }
        SnapshotEntry entry = found.get(0);
        if (output.isJson()) {
            Map<String, Object> said = new LinkedHashMap<>();
            said.put("key", key);
            said.put("type", type(entry));
            Output.putBytes(said, "value", value(entry));
            said.put("version", entry.getVersion());
            said.put("expiresAtMillis", entry.getExpiresAtMillis());
            output.object(said);
        } else {
            output.bytesAndLineEnd(value(entry));
        }
        return ExitCode.OK;
    }

    private static String type(SnapshotEntry entry) {
        return switch (entry.getContentCase()) {
            case VALUE -> "string";
            case LIMITER, METER, PERMITS, ACCOUNT -> "limiter";
            case TYPED ->
                switch (entry.getTyped().getValueCase()) {
                    case STRING -> "string";
                    case NUMBER -> "number";
                    case BOOLEAN -> "boolean";
                    case LIST -> "list";
                    case VALUE_NOT_SET -> "?";
                };
            case CONTENT_NOT_SET -> "?";
        };
    }

    private static byte[] value(LimiterState limiter) {
        return text(limiter.getGrantDeltasMillisCount() + " of " + limiter.getCapacity() + " in "
                + limiter.getDurationMillis() + " ms");
    }

    private static byte[] value(MeterState meter) {
        return text(meter.getUsed() + " of " + meter.getLimit() + " in " + meter.getPeriodMillis() + " ms, "
                + meter.getAlgorithm().name().toLowerCase(Locale.ROOT));
    }

    /** The value's bytes; a list's elements one a line. */
    private static byte[] value(SnapshotEntry entry) {
        if (entry.hasValue()) {
            return entry.getValue().toByteArray();
        }
        if (entry.hasLimiter()) {
            return value(entry.getLimiter());
        }
        if (entry.hasMeter()) {
            return value(entry.getMeter());
        }
        if (entry.hasAccount()) {
            AccountState account = entry.getAccount();
            byte[] tokens = account.hasMeter() ? value(account.getMeter()) : value(account.getLog());
            return text(new String(tokens, StandardCharsets.UTF_8) + ", " + account.getReservedCount()
                    + " reservations, " + account.getSharesCount() + " shares");
        }
        if (entry.hasPermits()) {
            PermitsState permits = entry.getPermits();
            return text(permits.getHoldersCount() + " of " + permits.getLimit() + " permits");
        }
        TypedState typed = entry.getTyped();
        return switch (typed.getValueCase()) {
            case STRING -> typed.getString().toByteArray();
            case NUMBER -> text(String.valueOf(typed.getNumber()));
            case BOOLEAN -> text(String.valueOf(typed.getBoolean()));
            case LIST -> {
                List<String> elements = new ArrayList<>();
                for (Element element : typed.getList().getElementsList()) {
                    elements.add(
                            element.hasString()
                                    ? element.getString().toStringUtf8()
                                    : String.valueOf(element.getNumber()));
                }
                yield text(String.join("\n", elements));
            }
            case VALUE_NOT_SET -> new byte[0];
        };
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static Pattern glob(String pattern) {
        StringBuilder regex = new StringBuilder();
        for (int i = 0; i < pattern.length(); i++) {
            char character = pattern.charAt(i);
            switch (character) {
                case '*' -> regex.append(".*");
                case '?' -> regex.append('.');
                default -> regex.append(Pattern.quote(String.valueOf(character)));
            }
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL);
    }

    /** What a backup that is whole says of itself and of the state. */
    private record Read(BackupHead head, SnapshotHeader header) {}

    private static Read read(String file, SnapshotPart.Visitor visitor) throws CliException {
        try (BackupReader reader = new BackupReader(
                new BufferedInputStream(
                        file.equals("-") ? System.in : Files.newInputStream(Path.of(file)), BUFFER_BYTES),
                file)) {
            SnapshotHeader header = reader.read(visitor);
            return new Read(reader.head(), header);
        } catch (SnapshotException e) {
            throw new CliException(
                    ExitCode.NO, e.isNewer() ? "newer_format" : "damaged", String.valueOf(e.getMessage()));
        } catch (NoSuchFileException e) {
            throw CliException.usage("there is no file " + file);
        } catch (IOException e) {
            throw new CliException(ExitCode.UNAVAILABLE, "not_read", file + " cannot be read: " + Reasons.of(e));
        }
    }
}
