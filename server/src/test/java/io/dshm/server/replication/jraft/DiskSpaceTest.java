package io.dshm.server.replication.jraft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When a disk counts as full, what becomes of the reserve, and who may still write. */
class DiskSpaceTest {

    private static final long RESERVE = 1 << 20;

    @TempDir
    Path folder;

    /** What is free beside the reserve and this test's own choice. */
    private long others;

    private DiskSpace disk(int members) {
        return new DiskSpace(folder, RESERVE, members, () -> others - reserved());
    }

    private long reserved() throws IOException {
        Path reserve = folder.resolve(DiskSpace.RESERVE);
        return Files.exists(reserve) ? Files.size(reserve) : 0;
    }

    @Test
    void a_disk_that_fills_gives_the_reserve_up_and_takes_it_again_when_there_is_room() throws IOException {
        others = 10 * RESERVE;
        DiskSpace disk = disk(1);
        assertFalse(disk.look());
        assertEquals(RESERVE, reserved());
        others = RESERVE + RESERVE / 2;
        assertFalse(disk.look());
        assertFalse(disk.isFull());
        others--;
        AtomicInteger gaveBack = new AtomicInteger();
        disk.onFull(gaveBack::incrementAndGet);
        assertTrue(disk.look(), "said once");
        assertFalse(disk.look());
        assertEquals(1, gaveBack.get(), "others give back what they can");
        assertTrue(disk.isFull() && disk.refusesWrites("n1", "n1"));
        assertFalse(disk.isExhausted(), "what was the reserve is free now");
        assertEquals(0, reserved());
        others = RESERVE / 2 - 1;
        disk.look();
        assertTrue(disk.isExhausted());
        others = 2 * RESERVE - 1;
        disk.look();
        assertTrue(disk.isFull(), "not as soon as there is a little");
        assertFalse(disk.isExhausted());
        others = 2 * RESERVE;
        disk.look();
        assertFalse(disk.isFull() || disk.refusesWrites("n1", "n1"));
        assertEquals(RESERVE, reserved());
    }

    @Test
    void no_piece_of_a_snapshot_is_taken_that_would_fill_the_disk() throws IOException {
        others = 3 * RESERVE;
        DiskSpace disk = disk(3);
        disk.look();
        assertTrue(disk.hasRoomFor(RESERVE));
        assertFalse(disk.isFull());
        others = 2 * RESERVE;
        assertTrue(disk.hasRoomFor(RESERVE), "the reserve is for it");
        assertTrue(disk.isFull());
        assertTrue(disk.look(), "becomes known with the next look");
        others = RESERVE;
        assertFalse(disk.hasRoomFor(RESERVE));
        assertTrue(disk.hasRoomFor(RESERVE / 2));
    }

    @Test
    void what_another_program_took_since_the_last_look_is_noticed_before_an_append() throws IOException {
        others = 10 * RESERVE;
        DiskSpace disk = disk(1);
        disk.look();
        disk.beforeAppend(RESERVE);
        assertFalse(disk.isFull());
        others = RESERVE + 100;
        disk.beforeAppend(200);
        assertTrue(disk.isFull());
        assertEquals(0, reserved());
    }

    @Test
    void writes_go_on_while_the_leader_and_a_majority_have_room() throws IOException {
        others = 10 * RESERVE;
        DiskSpace disk = disk(3);
        disk.look();
        assertFalse(disk.refusesWrites(null, "n1"));
        disk.heard("n2", true);
        assertTrue(disk.isFullAt("n2"));
        assertFalse(disk.refusesWrites("n1", "n1"));
        assertFalse(disk.refusesWrites("n3", "n1"));
        assertTrue(disk.refusesWrites("n2", "n1"));
        disk.heard("n3", true);
        assertTrue(disk.refusesWrites("n1", "n1"));
        disk.heard("n2", false);
        others = 0;
        disk.look();
        assertTrue(disk.refusesWrites("n2", "n1"), "this one and n3 are full");
        disk.heard("n3", false);
        assertFalse(disk.refusesWrites("n2", "n1"));
        assertTrue(disk.refusesWrites("n1", "n1"));
    }
}
