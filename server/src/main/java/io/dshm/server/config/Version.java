package io.dshm.server.config;

import org.jspecify.annotations.Nullable;

/** The version that the build has put into the jar. */
public final class Version implements picocli.CommandLine.IVersionProvider {

    /** {@code 1.2.3}. */
    public static final String NUMBER = number();

    /** For people: {@code dshm-server 1.2.3}. */
    public static final String OF_BUILD = "dshm-server " + NUMBER;

    private static String number() {
        @Nullable String version = Version.class.getPackage().getImplementationVersion();
        return version == null ? "(not from its jar)" : version;
    }

    @Override
    public String[] getVersion() {
        return new String[] {OF_BUILD};
    }
}
