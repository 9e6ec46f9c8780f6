package io.dshm.server.frontend.sharedance;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class EntryKeysTest {

    /** What {@code ngx.escape_uri} makes of each byte from 32 to 126, but for the colon, which the Lua client keeps. */
    private static final String ESCAPED =
            "%20 ! %22 %23 %24 %25 %26 ' ( ) * %2B %2C - . %2F 0 1 2 3 4 5 6 7 8 9 : %3B %3C %3D %3E %3F %40 "
                    + "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z %5B %5C %5D %5E _ %60 "
                    + "a b c d e f g h i j k l m n o p q r s t u v w x y z %7B %7C %7D ~";

    @Test
    void every_byte_is_encoded_as_the_lua_client_does_it() {
        String[] escaped = ESCAPED.split(" ", -1);
        assertEquals('~' - ' ' + 1, escaped.length);
        for (int b = ' '; b <= '~'; b++) {
            assertEquals("sharedance::" + escaped[b - ' '], encoded((char) b + ""));
        }
        assertEquals("sharedance::a%20b:c%25", encoded("a b:c%"));
    }

    @Test
    void a_key_is_of_printable_ascii_without_dot_and_slash() {
        for (int b = 0; b <= 255; b++) {
            boolean expected = b >= 32 && b <= 126 && b != '.' && b != '/';
            assertEquals(expected, EntryKeys.isKey(new byte[] {'a', (byte) b, 'z'}), "byte " + b);
        }
        assertTrue(EntryKeys.isKey(new byte[] {' '}));
        assertFalse(EntryKeys.isKey(new byte[] {'.', '.'}));
    }

    @Test
    void the_longest_key_fits_into_the_store_however_it_is_encoded() {
        byte[] key = new byte[Limits.SHAREDANCE_KEY_BYTES_MAX];
        Arrays.fill(key, (byte) '%');
        assertEquals("sharedance::".length() + 3 * key.length, EntryKeys.of(key).bytes().length);
    }

    private static String encoded(String key) {
        return new String(EntryKeys.of(key.getBytes(US_ASCII)).bytes(), US_ASCII);
    }
}
