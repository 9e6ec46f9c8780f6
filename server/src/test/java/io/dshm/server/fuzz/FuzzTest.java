package io.dshm.server.fuzz;

import io.dshm.server.fuzz.Fuzz.Target;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The inputs of {@link Fuzz} that are known, and many that are like them. */
class FuzzTest {

    /** Together they take some seconds. */
    private static final int ROUNDS = 400;

    private static final int BYTES_SHOWN = 2_000;

    @ParameterizedTest
    @EnumSource
    void known_inputs_and_others_like_them_do_no_harm(Target target) throws Exception {
        List<byte[]> inputs = target.inputs();
        for (byte[] input : inputs) {
            run(target, input);
        }
        Random random = new Random(14);
        for (int round = 0; round < ROUNDS; round++) {
            run(target, changed(inputs.get(random.nextInt(inputs.size())), random));
        }
    }

    private static byte[] changed(byte[] input, Random random) {
        byte[] bytes = Arrays.copyOf(input, random.nextInt(input.length + 20));
        for (int changes = random.nextInt(6); changes > 0 && bytes.length > 0; changes--) {
            bytes[random.nextInt(bytes.length)] = (byte) (random.nextBoolean() ? random.nextInt(256) : -1);
        }
        return bytes;
    }

    private static void run(Target target, byte[] input) {
        try {
            target.run(input);
        } catch (Exception e) {
            String hex = HexFormat.of().formatHex(input, 0, Math.min(input.length, BYTES_SHOWN));
            throw new AssertionError(target + " with " + hex, e);
        }
    }
}
