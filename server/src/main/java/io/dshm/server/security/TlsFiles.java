package io.dshm.server.security;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where certificates and a key are, as PEM.
 *
 * @param certificate this node's, and behind it those between it and an authority's, if there are any
 * @param key its private key, as PKCS#8, without a passphrase
 * @param authorities whose certificates are believed, several while one takes over from another; null where nobody
 *     shows one
 */
public record TlsFiles(Path certificate, Path key, @Nullable Path authorities) {

    /** What changes with every new file; a missing one counts as well. */
    List<Object> signature() throws IOException {
        List<Object> signature = new ArrayList<>();
        for (Path file : Stream.of(certificate, key, authorities)
                .filter(Objects::nonNull)
                .toList()) {
            try {
                BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
                signature.add(attributes.lastModifiedTime());
                signature.add(attributes.size());
                signature.add(String.valueOf(attributes.fileKey()));
            } catch (NoSuchFileException e) {
                signature.add("missing");
            }
        }
        return signature;
    }

    @Override
    public String toString() {
        return certificate + ", " + key + (authorities == null ? "" : ", " + authorities);
    }
}
