package io.dshm.server;

import io.dshm.proto.Limits;
import io.dshm.server.network.CannotListenException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Why a node cannot start, in a line for its operator. */
final class StartFailure {

    private StartFailure() {}

    /**
     * What was thrown, with its causes. A port that is taken needs no stack trace, but a file needs more than its path,
     * which is all that the JDK's exceptions say.
     *
     * @param source where the settings are, for people
     * @param dataDir whose disk may be full: neither the JDK nor the library says which disk it is
     */
    static String reason(Throwable failure, String source, Path dataDir) {
        if (failure instanceof CannotListenException port) {
            return port.getMessage() + ": edit " + port.settings() + " in " + source;
        }
        long free = dataDir.toFile().getUsableSpace();
        boolean isFull = Files.isDirectory(dataDir) && free < Limits.DISK_FREE_BYTES_MIN;
        return isFull
                ? "data-dir: the disk of " + dataDir + " is full (" + free
                        + " bytes are free): make room, then start again (" + reason(failure) + ")"
                : reason(failure);
    }

    /** The same of what no setting is to blame for. */
    static String reason(Throwable failure) {
        StringBuilder reason = new StringBuilder();
        String last = "";
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            String text = textOf(cause);
            // A wrapper often repeats its cause.
            if (!last.contains(text)) {
                reason.append(reason.isEmpty() ? "" : ": ").append(text);
                last = text;
            }
        }
        return reason.toString();
    }

    private static String textOf(Throwable cause) {
        if (cause instanceof FileSystemException file) {
            return file.getFile() + ": " + whatIsWrong(file);
        }
        String kind = cause.getClass().getSimpleName();
        @Nullable String message = cause.getMessage();
        if (message == null || message.isBlank()) {
            return kind;
        }
        return cause instanceof Error ? kind + ": " + message : message;
    }

    private static String whatIsWrong(FileSystemException file) {
        if (file instanceof AccessDeniedException) {
            return "permission denied for user " + System.getProperty("user.name");
        }
        if (file instanceof NoSuchFileException) {
            return "no such file or folder";
        }
        if (file instanceof NotDirectoryException) {
            return "not a folder";
        }
        if (file instanceof FileAlreadyExistsException) {
            Path path = Path.of(file.getFile());
            boolean isKnown = Files.exists(path) || Files.notExists(path);
            return isKnown ? "is a file, not a folder" : "cannot be read; look whether its disk works";
        }
        @Nullable String reason = file.getReason();
        return reason == null ? file.getClass().getSimpleName() : reason;
    }
}
