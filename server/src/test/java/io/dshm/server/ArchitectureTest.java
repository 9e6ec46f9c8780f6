package io.dshm.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which part may use which: the only place that says so. */
class ArchitectureTest {

    private static final String[] EVERYWHERE = {"java..", "org.jspecify..", "com.google.errorprone.annotations.."};
    private static final String[] LOG = {"org.slf4j.."};
    private static final String[] GUARD = {"io.dshm.server.guard"};
    private static final String[] COUNTERS = {"io.dshm.server.counters"};
    private static final String[] PROTO = {"io.dshm.proto..", "com.google.protobuf.."};
    private static final String[] NETTY = {"io.netty.."};
    private static final String[] RAFT = {"com.alipay..", "org.rocksdb.."};
    private static final String BASE = "io.dshm.server";
    private static final String REPLICATION = BASE + ".replication";

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("-tests.jar"))
            .importPackages("io.dshm");

    @Test
    void the_protocols_know_no_server() {
        mayUse("io.dshm.proto..", PROTO, new String[] {
            "com.sun.management", "io.netty.buffer..", "io.netty.util..", "io.airlift.compress.."
        });
    }

    @Test
    void the_command_knows_the_client_and_the_protocols() {
        mayUse("io.dshm.client.cli", PROTO, new String[] {
            "io.dshm.client",
            "io.dshm.client.internal",
            "io.dshm.client.cli.bench",
            "io.netty.buffer..",
            "picocli..",
            "org.jline..",
            "org.HdrHistogram",
            "javax.net.ssl"
        });
    }

    @Test
    void the_generator_of_loads_knows_neither_the_command_nor_the_client() {
        mayUse("io.dshm.client.cli.bench", new String[] {"io.dshm.proto", "org.HdrHistogram", "javax.net.ssl"});
    }

    @Test
    void the_store_knows_the_jdk_only() {
        mayUse(BASE + ".store..");
    }

    @Test
    void the_configuration_knows_the_limits_and_picocli() {
        mayUse(BASE + ".config..", new String[] {"io.dshm.proto", "picocli.."});
    }

    @Test
    void the_state_machine_knows_the_messages_and_the_store() {
        mayUse(BASE + ".statemachine..", PROTO, LOG, new String[] {BASE + ".store..", BASE + ".rights"});
    }

    @Test
    void rights_know_the_messages_only() {
        mayUse(BASE + ".rights", PROTO);
    }

    @Test
    void the_guard_knows_the_log_only() {
        mayUse(BASE + ".guard", LOG);
    }

    @Test
    void the_contracts_of_replication_know_the_state_machine_but_neither_raft_nor_the_network() {
        mayUse(REPLICATION + ".contracts", PROTO, GUARD, new String[] {BASE + ".statemachine.."});
    }

    @Test
    void writes_know_the_contracts_but_not_the_reads() {
        // The results of limiters are values.
        mayUse(REPLICATION + ".writes", PROTO, LOG, GUARD, COUNTERS, new String[] {
            REPLICATION + ".contracts", BASE + ".statemachine..", BASE + ".store.limiters"
        });
    }

    @Test
    void reads_know_the_contracts_but_not_the_writes() {
        mayUse(REPLICATION + ".reads", PROTO, LOG, GUARD, new String[] {
            REPLICATION + ".contracts", BASE + ".statemachine..", BASE + ".store..", BASE + ".rights"
        });
    }

    @Test
    void the_assembly_knows_contracts_writes_and_reads_but_neither_raft_nor_the_network() {
        mayUse(REPLICATION, PROTO, LOG, GUARD, COUNTERS, new String[] {
            REPLICATION + ".contracts", REPLICATION + ".writes", REPLICATION + ".reads", BASE + ".statemachine.."
        });
    }

    @Test
    void forwarding_knows_contracts_writes_the_transport_and_the_network() {
        mayUse(REPLICATION + ".forwarding", PROTO, LOG, GUARD, NETTY, new String[] {
            REPLICATION + ".contracts", REPLICATION + ".writes", BASE + ".transport", BASE + ".network"
        });
    }

    @Test
    void the_transport_knows_the_messages_and_the_network() {
        mayUse(BASE + ".transport", PROTO, LOG, GUARD, NETTY, new String[] {BASE + ".network"});
    }

    @Test
    void the_log_on_the_disk_knows_the_jdk_only() {
        mayUse(REPLICATION + ".log");
    }

    @Test
    void only_the_raft_adapter_knows_raft() {
        mayUse(REPLICATION + ".jraft..", PROTO, LOG, GUARD, COUNTERS, NETTY, RAFT, new String[] {
            REPLICATION + ".contracts",
            REPLICATION + ".log",
            BASE + ".statemachine..",
            BASE + ".store..",
            BASE + ".transport",
            BASE + ".network"
        });
        noClasses()
                .that()
                .resideOutsideOfPackage(REPLICATION + ".jraft..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(RAFT)
                .check(CLASSES);
    }

    @Test
    void what_repairs_raft_knows_raft_and_the_network_but_not_the_adapter() {
        mayUse(REPLICATION + ".jraft.repairs", PROTO, LOG, GUARD, NETTY, RAFT, new String[] {BASE + ".network"});
    }

    @Test
    void what_is_bolts_can_be_deleted_as_a_whole() {
        mayUse(REPLICATION + ".jraft.bolt", PROTO, LOG, GUARD, NETTY, RAFT, new String[] {
            BASE + ".transport", BASE + ".network"
        });
        noClasses()
                .that()
                .resideOutsideOfPackage(REPLICATION + ".jraft.bolt")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("com.alipay.remoting..")
                .check(CLASSES);
    }

    @Test
    void the_front_end_knows_replication_and_the_network_and_copies_values_from_where_they_stand() {
        mayUse(BASE + ".frontend..", PROTO, LOG, GUARD, COUNTERS, NETTY, new String[] {
            REPLICATION,
            REPLICATION + ".contracts",
            REPLICATION + ".reads",
            BASE + ".store",
            BASE + ".shares",
            BASE + ".network",
            BASE + ".rights"
        });
    }

    @Test
    void shares_know_the_contracts_of_replication_only() {
        mayUse(BASE + ".shares", PROTO, LOG, COUNTERS, new String[] {REPLICATION + ".contracts"});
    }

    @Test
    void what_opens_ports_and_finds_members_knows_netty_only() {
        mayUse(BASE + ".network..", NETTY, LOG, GUARD);
    }

    @Test
    void the_operators_listener_knows_its_own_interface_and_the_network() {
        // The page shows what was logged.
        mayUse(BASE + ".admin..", LOG, GUARD, NETTY, new String[] {
            "ch.qos.logback..", "io.dshm.proto", BASE + ".network"
        });
    }

    @Test
    void counters_know_the_jdk_only() {
        mayUse(BASE + ".counters");
    }

    @Test
    void only_the_metrics_know_prometheus() {
        mayUse(BASE + ".metrics", PROTO, NETTY, COUNTERS, new String[] {
            "io.prometheus..",
            BASE + ".admin",
            BASE + ".frontend",
            BASE + ".shares",
            REPLICATION,
            REPLICATION + ".contracts",
            REPLICATION + ".reads",
            REPLICATION + ".jraft",
            BASE + ".statemachine",
            BASE + ".store"
        });
        noClasses()
                .that()
                .resideOutsideOfPackage(BASE + ".metrics")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.prometheus..")
                .check(CLASSES);
    }

    @Test
    void tls_knows_the_limits_and_the_network() {
        mayUse(BASE + ".security..", LOG, NETTY, GUARD, new String[] {
            "io.dshm.proto", BASE + ".network", "javax.net.ssl"
        });
    }

    @Test
    void backups_know_the_state_machine_only() {
        mayUse(BASE + ".backup..", PROTO, LOG, new String[] {BASE + ".statemachine.."});
    }

    @Test
    void no_two_parts_know_each_other() {
        slices().matching(BASE + ".(**)").should().beFreeOfCycles().check(CLASSES);
    }

    private static void mayUse(String part, String[]... others) {
        List<String> allowed = new ArrayList<>(List.of(EVERYWHERE));
        allowed.add(part);
        for (String[] other : others) {
            allowed.addAll(List.of(other));
        }
        classes()
                .that()
                .resideInAPackage(part)
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(allowed.toArray(new String[0]))
                .check(CLASSES);
    }
}
