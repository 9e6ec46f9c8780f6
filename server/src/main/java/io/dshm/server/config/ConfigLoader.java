package io.dshm.server.config;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Reader;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Reads the configuration. Flags override the environment, that the older program's properties, and those the file. */
public final class ConfigLoader {

    private static final String CONFIG_KEY = "config";

    private static final Map<String, String> OLD_PROPERTIES = Map.of(
            "port", "ngx-distributed-shm.port",
            "bind-address", "ngx-distributed-shm.bind_address",
            "log-dir", "ngx-distributed-shm.log_dir");

    /**
     * What was asked for.
     *
     * @param config the settings
     * @param logDir where to write the log, if not to the terminal
     * @param logsJson whether each line of the log is to be a JSON object
     * @param source where to change the settings, for people: the file as it was named, or the options
     */
    public record Loaded(ServerConfig config, Optional<Path> logDir, boolean logsJson, String source) {}

    private final Map<String, String> environment;
    private final Properties properties;
    private final PrintWriter out;

    /**
     * A loader that reads nothing but this.
     *
     * @param out where help goes
     */
    public ConfigLoader(Map<String, String> environment, Properties properties, PrintWriter out) {
        this.environment = environment;
        this.properties = properties;
        this.out = out;
    }

    /**
     * Reads the configuration.
     *
     * @return nothing, if help or the version was asked for, and has been printed
     * @throws ConfigException if a setting is invalid; its message is for the operator
     */
    public Optional<Loaded> load(String... arguments) {
        try {
            ServerOptions first = new ServerOptions();
            CommandLine line = newLine(first, new Properties());
            line.parseArgs(arguments);
            if (line.isUsageHelpRequested()) {
                newLine(new ServerOptions(), new Properties()).usage(out);
                out.flush();
                return Optional.empty();
            }
            if (line.isVersionHelpRequested()) {
                line.printVersionHelp(out);
                out.flush();
                return Optional.empty();
            }
            ServerOptions options = first;
            if (first.config != null) {
                options = new ServerOptions();
                newLine(options, read(first.config)).parseArgs(arguments);
            }
            return Optional.of(new Loaded(
                    options.toConfig(),
                    Optional.ofNullable(options.logDir),
                    options.logFormat == ServerOptions.LogFormat.JSON,
                    first.config == null ? "the options" : first.config.toString()));
        } catch (CommandLine.ParameterException e) {
            throw new ConfigException(e.getMessage() + ". --help shows all options");
        }
    }

    private CommandLine newLine(ServerOptions options, Properties file) {
        CommandLine line = new CommandLine(options).setCaseInsensitiveEnumValuesAllowed(true);
        line.setDefaultValueProvider(argument -> outside(argument, file));
        return line;
    }

    private @Nullable String outside(ArgSpec argument, Properties file) {
        if (!(argument instanceof OptionSpec option)) {
            return null;
        }
        String key = keyOf(option);
        String fromEnvironment =
                environment.get("DSHM_" + key.toUpperCase(Locale.ROOT).replace('-', '_'));
        if (fromEnvironment != null) {
            return fromEnvironment;
        }
        String oldName = OLD_PROPERTIES.get(key);
        String fromProperty = oldName == null ? null : properties.getProperty(oldName);
        return fromProperty != null ? fromProperty : file.getProperty(key);
    }

    private Properties read(Path path) {
        Properties file = new Properties();
        try (Reader reader = Files.newBufferedReader(path)) {
            file.load(reader);
            // Blanks at the end of a line belong to no setting: "data-dir=/x  " would be another folder.
            file.replaceAll((key, value) -> ((String) value).strip());
        } catch (NoSuchFileException e) {
            throw new ConfigException("config: there is no file " + path + "; deploy/dshm.conf is an example");
        } catch (IOException | IllegalArgumentException e) {
            String why = e instanceof AccessDeniedException ? "permission denied" : String.valueOf(e.getMessage());
            throw new ConfigException("config: " + path + " cannot be read: " + why);
        }
        TreeSet<String> unknown = new TreeSet<>(file.stringPropertyNames());
        new CommandLine(new ServerOptions())
                .getCommandSpec()
                .options()
                .forEach(option -> unknown.remove(keyOf(option)));
        unknown.remove("");
        if (!unknown.isEmpty() || file.containsKey(CONFIG_KEY)) {
            throw new ConfigException(
                    "config: " + path + " has keys that do not exist: " + unknown + ". --help shows all");
        }
        return file;
    }

    private static String keyOf(OptionSpec option) {
        return option.longestName().replaceFirst("^-+", "");
    }
}
